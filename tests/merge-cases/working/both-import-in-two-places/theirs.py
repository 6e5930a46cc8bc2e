import logging
import warnings

__version__ = "1.26.0"


class NullHandler:
    pass


try:
    import secure_extra
except ModuleNotFoundError:
    pass
else:
    warnings.warn("is gone")

warnings.simplefilter("always")

import logging
import warnings

try:
    import secure_extra
except ImportError:
    pass
else:
    warnings.warn("will be removed")

__version__ = "1.26.0"


class NullHandler:
    pass


warnings.simplefilter("always")

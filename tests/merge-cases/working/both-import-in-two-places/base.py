import logging
import warnings

__version__ = "1.26.0"


class NullHandler:
    pass


warnings.simplefilter("always")

if sys.version_info >= (3, 12):
    from enum import StrEnum
else:
    from backports import StrEnum

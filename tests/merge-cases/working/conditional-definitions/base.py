if sys.version_info >= (3, 11):
    from enum import StrEnum
else:
    from backports import StrEnum

if sys.version_info >= (3, 11):
    from enum import StrEnum, auto
else:
    from backports import StrEnum, auto

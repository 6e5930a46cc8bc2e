from enum import Enum


class A(Enum):
    X = "x"
    Y = "y"


class B(Enum):
    X = "x"
    Z = "z"

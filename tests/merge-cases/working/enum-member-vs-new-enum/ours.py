from enum import Enum


class A(Enum):
    X = "x"
    Y = "y"
    Z = "z"

__all__ = ["a", "b", "mine"]
a = 1
b = 2
mine = 3

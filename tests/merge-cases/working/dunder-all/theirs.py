__all__ = ["a", "b", "theirs"]
a = 1
b = 2
def theirs(): ...

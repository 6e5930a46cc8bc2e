@overload
def f(a: int) -> int: ...
@overload
def f(a: str) -> str: ...
def f(a):
    check(a)
    return a

def f():
    a = 1
    b = compute(a, fast=True)
    c = b + 1
    return c

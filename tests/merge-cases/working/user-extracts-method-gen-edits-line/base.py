def f():
    a = 1
    b = compute(a)
    c = b + 1
    return c

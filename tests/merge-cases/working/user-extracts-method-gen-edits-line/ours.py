def step(a):
    b = compute(a)
    return b


def f():
    a = 1
    b = step(a)
    c = b + 1
    return c

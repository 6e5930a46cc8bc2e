def f():
    a = one()
    b = two(a)
    return b

def f():
    a = one()
    b = two(a, strict=True)
    return b

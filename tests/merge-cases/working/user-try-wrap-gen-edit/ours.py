def f():
    try:
        a = one()
        b = two(a)
    except E:
        return None
    return b

for a in b:
    f(a, 1)

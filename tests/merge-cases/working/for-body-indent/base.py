for a in b:
    f(a)

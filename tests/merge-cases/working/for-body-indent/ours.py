for a in b:
    if a:
        f(a)

if not a.b(c):
    f()

with a() as x:
    f(x)

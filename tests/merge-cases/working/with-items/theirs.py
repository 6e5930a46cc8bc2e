with a(1) as x:
    f(x)

def f(a):
    x = g(a)
    log(x)
    return x

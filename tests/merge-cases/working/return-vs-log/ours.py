def f():
    x = g()
    log(x)
    return x

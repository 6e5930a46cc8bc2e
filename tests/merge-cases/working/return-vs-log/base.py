def f():
    return g()

def f():
    return a(b).mine(1).c(d).e(g)

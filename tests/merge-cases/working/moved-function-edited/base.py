def a():
    return 1


def b():
    return 2


def c():
    x = 1
    y = 2
    return x + y

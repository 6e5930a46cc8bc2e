def a():
    return 1


def b():
    return 2


def c():
    x = 1
    y = 3
    return x + y

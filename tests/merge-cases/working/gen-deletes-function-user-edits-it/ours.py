def helper():
    return 11


def a():
    return 2

def helper():
    return 1


def a():
    return helper()

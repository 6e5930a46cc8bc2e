def old(a):
    return a


def x():
    return old(1)

def old(a):
    return a


def mine():
    return old(2)

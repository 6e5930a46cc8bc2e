if a and b:
    f(1)

if a and b and mine:
    f()

def f():
    """Do."""
    return 2

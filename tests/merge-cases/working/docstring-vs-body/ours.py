def f():
    """Do it well."""
    return 1

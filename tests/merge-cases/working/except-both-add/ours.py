try:
    f()
except A:
    a()
except B:
    b()

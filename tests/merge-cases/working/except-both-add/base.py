try:
    f()
except A:
    a()

x = sorted(a, key=lambda b: b.c)

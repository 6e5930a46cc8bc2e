x = sorted(a, key=lambda b: b.d)

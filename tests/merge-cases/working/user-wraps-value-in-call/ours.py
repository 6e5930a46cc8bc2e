x = int(compute(a))

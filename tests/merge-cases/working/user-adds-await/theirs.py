x = compute(a, b)

x = compute(a)

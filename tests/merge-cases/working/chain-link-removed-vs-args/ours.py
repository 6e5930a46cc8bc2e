q = select(a).limit(1)

q = select(a).where(c).limit(1)

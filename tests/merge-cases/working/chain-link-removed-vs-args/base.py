q = select(a).where(b).limit(1)

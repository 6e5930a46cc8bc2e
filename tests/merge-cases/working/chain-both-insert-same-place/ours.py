q = select(a).where(b).mine().limit(1)

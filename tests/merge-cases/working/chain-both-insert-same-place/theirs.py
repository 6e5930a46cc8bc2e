q = select(a).where(b).theirs().limit(1)

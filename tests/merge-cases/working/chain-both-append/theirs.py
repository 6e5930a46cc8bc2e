q = select(a).where(b).order_by(c).limit(5)

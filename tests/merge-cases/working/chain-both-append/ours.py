q = select(a).where(b).where(mine).order_by(c)

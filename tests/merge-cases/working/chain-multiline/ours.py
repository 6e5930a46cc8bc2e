def f():
    return (
        select(A)
        .where(A.x == 1)
        .where(A.mine)
        .order_by(A.y)
    )

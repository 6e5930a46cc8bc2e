def f():
    return (
        select(A)
        .where(A.x == 1)
        .order_by(A.y)
    )

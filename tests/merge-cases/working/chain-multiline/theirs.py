def f():
    return (
        select(A)
        .where(A.x == 2)
        .order_by(A.y)
        .limit(5)
    )

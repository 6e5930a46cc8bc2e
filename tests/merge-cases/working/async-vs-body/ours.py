async def f(a):
    x = g(a)
    return x

x = await compute(a)

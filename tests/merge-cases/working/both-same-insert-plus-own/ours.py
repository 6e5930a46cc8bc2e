a()
both()
b()
mine()

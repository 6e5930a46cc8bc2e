theirs()
a()
both()
b()

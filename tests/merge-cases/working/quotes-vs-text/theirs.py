x = 'a'
y = f('b', 2)

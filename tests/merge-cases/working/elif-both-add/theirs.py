if a:
    x = 1
elif c:
    x = 3
else:
    x = 0

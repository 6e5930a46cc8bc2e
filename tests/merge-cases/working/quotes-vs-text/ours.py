x = "a"
y = f("b", 1)

x = a + b

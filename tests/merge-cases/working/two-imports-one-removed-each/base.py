from a import b, c, d
b, c, d

from a import b, c
b, c

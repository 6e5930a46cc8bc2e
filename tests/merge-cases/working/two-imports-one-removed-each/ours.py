from a import c, d
c, d

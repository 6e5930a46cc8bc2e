class A(B, Mine):
    x = 1

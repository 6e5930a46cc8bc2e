class A(B, Theirs):
    x = 1

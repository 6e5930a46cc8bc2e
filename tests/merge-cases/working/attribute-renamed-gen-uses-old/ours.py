class A:
    def __init__(self):
        self.y = 1

    def f(self):
        return self.y

class A:
    def __init__(self):
        self.x = 1

    def f(self):
        return self.x

    def g(self):
        return self.x

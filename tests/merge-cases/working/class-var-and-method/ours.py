class A:
    x = 1
    y = 2

    def f(self):
        return self.x + self.y

@dataclass
class A:
    a: int
    b: int = 0
    c: int = 1

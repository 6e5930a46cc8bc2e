@dataclass
class A:
    a: int
    b: int = 0

@dataclass
class A:
    a: int
    d: str
    b: int = 0

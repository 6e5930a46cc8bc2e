class S(BaseSettings):
    a: int = 5
    b: str = "x"
    mine: bool = False

class S(BaseSettings):
    a: int = 1
    b: str = "x"

x = f"{a} and {b}"

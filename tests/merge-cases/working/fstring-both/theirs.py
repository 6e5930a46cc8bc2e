x = f"{a} or {b}"

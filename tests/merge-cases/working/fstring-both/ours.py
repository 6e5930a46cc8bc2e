x = f"{a} and {b!r}"

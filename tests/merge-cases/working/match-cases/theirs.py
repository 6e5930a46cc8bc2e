match x:
    case 1:
        a(True)
    case _:
        z()

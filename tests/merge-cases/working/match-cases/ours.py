match x:
    case 1:
        a()
    case 2:
        b()
    case _:
        z()

match x:
    case 1:
        a()
    case _:
        z()

x = a and b and theirs

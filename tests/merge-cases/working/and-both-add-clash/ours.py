x = a and b and mine

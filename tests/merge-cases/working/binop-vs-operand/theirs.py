x = a + d

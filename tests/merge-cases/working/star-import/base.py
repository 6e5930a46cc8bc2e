from a import *
x

from a import *
from c import z
x
z

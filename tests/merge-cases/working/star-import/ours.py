from a import *
from b import y
x, y

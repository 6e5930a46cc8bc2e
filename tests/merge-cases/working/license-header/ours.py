# one
# two
import os
os

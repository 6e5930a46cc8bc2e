# one
import os
os

import os

a = os.sep

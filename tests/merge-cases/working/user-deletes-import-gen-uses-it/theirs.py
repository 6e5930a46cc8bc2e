import os
import re

a = os.sep
b = re.compile("x")

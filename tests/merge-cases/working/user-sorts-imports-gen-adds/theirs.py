import sys
import os
import re

print(os, sys)
re.compile("a")

import os
import re

a = os.sep

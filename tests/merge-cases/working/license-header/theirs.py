# one
import os
import re
os
re

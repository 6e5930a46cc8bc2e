"""Doc."""
import os
os

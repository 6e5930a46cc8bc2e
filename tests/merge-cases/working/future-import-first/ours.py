"""Doc."""
import os
import mine
os, mine

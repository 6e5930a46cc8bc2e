from reports.dates import timezone, to_utc

from . import builtins  # by name
from . import backends

x = f(timezone, to_utc, backends)

from reports.dates import maybe_make_aware, timezone, to_utc

from . import builtins  # by name
from . import backends

x = f(maybe_make_aware(timezone), to_utc, backends)

from reports.dates import maybe_make_aware, timezone, to_utc

from . import backends, builtins  # by name

x = f(maybe_make_aware(
    timezone), to_utc, backends)

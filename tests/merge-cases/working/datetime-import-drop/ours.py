from datetime import UTC, datetime, timedelta

a = datetime.now(UTC)
b = timedelta(1)

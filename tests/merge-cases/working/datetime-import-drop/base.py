from datetime import datetime, timedelta

a = datetime.now()
b = timedelta(1)

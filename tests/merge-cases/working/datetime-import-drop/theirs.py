from datetime import date, datetime, timedelta

a = datetime.now()
b = timedelta(1)
c = date.today()

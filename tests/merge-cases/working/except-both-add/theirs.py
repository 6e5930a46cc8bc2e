try:
    f()
except A:
    a()
finally:
    done()

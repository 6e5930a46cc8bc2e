import numpy

a = numpy.one()
b = numpy.two()

import numpy

a = numpy.one()

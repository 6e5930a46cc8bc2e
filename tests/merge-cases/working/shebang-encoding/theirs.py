#!/usr/bin/env python
x = 2

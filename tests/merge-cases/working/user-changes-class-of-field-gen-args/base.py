x = Column(Integer)

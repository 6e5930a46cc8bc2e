x = Column(Integer, index=True)

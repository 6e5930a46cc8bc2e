x = mapped_column(Integer)

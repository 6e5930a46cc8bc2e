x: Mapped[str] = mapped_column(String(20))

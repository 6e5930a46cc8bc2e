"""Projects."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, SoftDeletable
from app.models.types import ExactDecimal, text_enum


class ProjectStatus(StrEnum):
    """The values of `Project.status`."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


# astgen:begin models.project.Project bc574950ee0c
class Project(SoftDeletable, Base):
    """A project of an organization."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(
            None,
            "organization_id",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(None, "organization_id", "status"),
    )

    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(4000), default="")
    status: Mapped[ProjectStatus] = mapped_column(
        text_enum(ProjectStatus), default=ProjectStatus.ACTIVE
    )
    budget: Mapped[Decimal | None] = mapped_column(ExactDecimal(12, 2))
    starts_on: Mapped[date | None] = mapped_column()
    # astgen:end models.project.Project

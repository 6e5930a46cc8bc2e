"""Who someone is: on the platform, and in an organization."""

from enum import StrEnum


class UserRole(StrEnum):
    """The role of a user on the whole platform."""

    USER = "user"
    ADMIN = "admin"


class Role(StrEnum):
    """The role of a member in an organization, highest rank first."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """Place this role in the order: 0 is the highest rank."""
        return list(Role).index(self)

    def outranks(self, other: "Role") -> bool:
        """Tell whether this role stands strictly above the other."""
        return self.rank < other.rank

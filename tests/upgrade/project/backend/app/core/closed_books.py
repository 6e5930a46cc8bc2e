"""Nobody writes while the books are closed."""

from app.core.errors import ConflictError
from app.core.settings import SettingsDep


async def require_open_books(settings: SettingsDep) -> None:
    """Guard a route: while the books are closed the answer is 409."""
    if settings.books_closed:
        raise ConflictError("The books of this period are closed.", code="books_closed")

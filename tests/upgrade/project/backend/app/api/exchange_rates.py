"""Exchange rates, as they were agreed on for the year."""

from fastapi import APIRouter, Depends

from app.core.org_rbac import require_org_roles
from app.core.roles import Role

router = APIRouter(
    prefix="/organizations/{organization_id}/exchange-rates", tags=["exchange rates"]
)
AGREED = {"eur": "1.08", "gbp": "1.27"}


@router.get("", dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN))])
async def list_exchange_rates() -> dict[str, str]:
    """List the rates."""
    return AGREED

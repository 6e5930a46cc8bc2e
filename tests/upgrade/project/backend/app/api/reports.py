"""The routes of reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from app.core.billing import require_active_subscription, require_feature
from app.core.concurrency import IfMatch, set_etag
from app.core.org_rbac import require_org_roles
from app.core.pagination import PageRequestDep
from app.core.plans import Feature
from app.core.roles import Role
from app.schemas.report import (
    ReportCreate,
    ReportPage,
    ReportQuery,
    ReportRead,
    ReportUpdate,
)
from app.reporting.service import ReportServiceDep

router = APIRouter(prefix="/organizations/{organization_id}/reports", tags=["reports"])


# astgen:begin api.reports.list_reports 4b104a966a66
@router.get(
    "",
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER)),
        Depends(require_active_subscription),
        Depends(require_feature(Feature.REPORTS)),
    ],
)
async def list_reports(
    query: Annotated[ReportQuery, Query()],
    page: PageRequestDep,
    reports: ReportServiceDep,
) -> ReportPage:
    """List reports, newest first unless another order is asked for."""
    return ReportPage.model_validate(await reports.page(query, page))
    # astgen:end api.reports.list_reports


# astgen:begin api.reports.create_report edcc7d4f85e4
@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
        Depends(require_active_subscription),
        Depends(require_feature(Feature.REPORTS)),
    ],
)
async def create_report(
    payload: ReportCreate, reports: ReportServiceDep, response: Response
) -> ReportRead:
    """Add a report."""
    report = await reports.create(payload)
    set_etag(response, report)
    return ReportRead.model_validate(report)
    # astgen:end api.reports.create_report


# astgen:begin api.reports.read_report 3effb67397f9
@router.get(
    "/{report_id:uuid}",
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER)),
        Depends(require_active_subscription),
        Depends(require_feature(Feature.REPORTS)),
    ],
)
async def read_report(
    report_id: UUID, reports: ReportServiceDep, response: Response
) -> ReportRead:
    """Return a report."""
    report = await reports.get(report_id)
    set_etag(response, report)
    return ReportRead.model_validate(report)
    # astgen:end api.reports.read_report


# astgen:begin api.reports.update_report 1f6c2785549b
@router.patch(
    "/{report_id:uuid}",
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
        Depends(require_active_subscription),
        Depends(require_feature(Feature.REPORTS)),
    ],
)
async def update_report(
    report_id: UUID,
    payload: ReportUpdate,
    reports: ReportServiceDep,
    response: Response,
    if_match: IfMatch = None,
) -> ReportRead:
    """Change a report; what the body leaves out stays as it is."""
    report = await reports.update(report_id, payload, if_match)
    set_etag(response, report)
    return ReportRead.model_validate(report)
    # astgen:end api.reports.update_report


# astgen:begin api.reports.delete_report b2857084cfc1
@router.delete(
    "/{report_id:uuid}",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
        Depends(require_active_subscription),
        Depends(require_feature(Feature.REPORTS)),
    ],
)
async def delete_report(
    report_id: UUID, reports: ReportServiceDep, if_match: IfMatch = None
) -> None:
    """Remove a report."""
    await reports.delete(report_id, if_match)
    # astgen:end api.reports.delete_report

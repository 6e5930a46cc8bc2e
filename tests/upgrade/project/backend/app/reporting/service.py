"""Reports of the bound tenant."""

import logging
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import select

from app.core.concurrency import require_match
from app.core.errors import NotFoundError
from app.core.org_rbac import TenantSessionDep
from app.core.pagination import PageRequest, Slice, fetch_page
from app.models.report import Report
from app.schemas.report import ReportCreate, ReportQuery, ReportUpdate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportService:
    """The rules for reports."""

    session: TenantSessionDep

    async def page(self, query: ReportQuery, page: PageRequest) -> Slice[Report]:
        """List the reports that a query asks for."""
        statement = select(Report)
        return await fetch_page(self.session, statement, Report, page, query.sort)

    async def create(self, payload: ReportCreate) -> Report:
        """Add a report."""
        report = Report(**payload.model_dump())
        self.session.add(report)
        await self.session.flush()
        logger.info("report %s was added", report.id)
        return report

    async def get(self, report_id: UUID, *, lock: bool = False) -> Report:
        """Return a report, locked if asked, or answer 404."""
        report = await self.session.get(Report, report_id, with_for_update=lock)
        if report is None:
            raise NotFoundError("There is no such report.")
        return report

    async def update(
        self, report_id: UUID, payload: ReportUpdate, if_match: str | None
    ) -> Report:
        """Change what the payload names."""
        report = await self.get(report_id, lock=True)
        require_match(report, if_match)
        for name, value in payload.model_dump(exclude_unset=True).items():
            setattr(report, name, value)
        await self.session.flush()
        return report

    async def delete(self, report_id: UUID, if_match: str | None) -> None:
        """Remove a report."""
        report = await self.get(report_id, lock=True)
        require_match(report, if_match)
        await self.session.delete(report)


ReportServiceDep = Annotated[ReportService, Depends(ReportService)]

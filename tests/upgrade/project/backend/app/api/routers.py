"""Every router of the application."""

from app.api import (
    auth,
    billing,
    clients,
    exchange_rates,
    health,
    invitations,
    invoices,
    jobs,
    me,
    notes,
    organizations,
    reports,
)

ROUTERS = (
    exchange_rates.router,
    health.router,
    auth.router,
    me.router,
    organizations.router,
    organizations.organization_router,
    invitations.router,
    invitations.organization_router,
    jobs.router,
    billing.router,
    billing.organization_router,
    clients.router,
    invoices.router,
    reports.router,
    notes.router,
)

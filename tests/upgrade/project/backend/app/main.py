"""The application: `uvicorn --factory app.main:create_app`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute

from app.api.routers import ROUTERS
from app.core.body_limit import BodyLimitMiddleware
from app.core.errors import EXCEPTION_HANDLERS, PROBLEM_RESPONSES, document_problems
from app.core.jobs import dispatch_through
from app.core.logging import configure_logging
from app.core.metrics import init_metrics
from app.core.passwords import PasswordHasher
from app.core.request_id import RequestIdMiddleware
from app.core.security import Signer
from app.core.settings import Settings
from app.services.billing_worker import BillingWorker, run_billing
from app.services.job_clock import JobClock
from app.services.job_dispatcher import build_dispatcher
from app.services.resources import Resources
from app.services.stripe_provider import StripeProvider

if TYPE_CHECKING:
    from app.core.database import Database
    from app.core.jobs import Dispatcher
TITLE = "Ledger"
VERSION = "0.1.0"


class Application(FastAPI):
    """FastAPI, with errors documented as what they are."""

    def openapi(self) -> dict[str, Any]:
        """Build the schema, once."""
        if self.openapi_schema is None:
            document_problems(super().openapi())
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application, from the environment unless settings are given."""
    settings = settings or Settings()
    configure_logging(settings)
    app = Application(
        title=TITLE,
        version=VERSION,
        lifespan=lifespan,
        responses=PROBLEM_RESPONSES,
        exception_handlers=EXCEPTION_HANDLERS,
        generate_unique_id_function=operation_id,
    )
    app.state.settings = settings
    resources = Resources.build(settings)
    dispatcher = build_dispatcher(resources)
    dispatch_through(resources.database, dispatcher)
    app.state.database = resources.database
    app.state.sealer = resources.sealer
    app.state.mailer = resources.mailer
    app.state.dispatcher = dispatcher
    app.state.password_hasher = PasswordHasher(settings)
    app.state.signer = Signer(settings)
    app.state.billing_provider = StripeProvider(settings)
    app.state.billing_worker = BillingWorker(
        app.state.database, app.state.billing_provider
    )
    app.state.started_at = monotonic()
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes)
    init_metrics(app)
    app.add_middleware(GZipMiddleware, minimum_size=2048)
    app.add_middleware(RequestIdMiddleware)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """Check the database role before the first request, hang up after the last."""
    database: Database = app.state.database
    dispatcher: Dispatcher = app.state.dispatcher
    settings: Settings = app.state.settings
    clock = JobClock(database, dispatcher, poll_seconds=settings.job_poll_seconds)
    await database.check_role()
    async with clock.ticking(), run_billing(app):
        yield
    await dispatcher.close()
    await database.close()


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function, so that clients keep their names."""
    return route.name

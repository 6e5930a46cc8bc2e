//! FastAPI and Starlette.

use astgen_pyast::make::{IntoExpr, Operand, Param, param};
use astgen_pyast::{Expr, Name, py};

use super::standard::Annotated;

astgen_pyast::vocabulary! {
    "fastapi": APIRouter, Body, Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response,
        Security, status;
    "fastapi.encoders": jsonable_encoder;
    "fastapi.exceptions": RequestValidationError;
    "fastapi.responses": JSONResponse, PlainTextResponse;
    "fastapi.routing": APIRoute;
    "fastapi.security": HTTPAuthorizationCredentials, HTTPBearer;
    "fastapi.testclient": TestClient;
    "starlette.concurrency": run_in_threadpool;
    "starlette.datastructures": Headers, MutableHeaders;
    "starlette.exceptions": HTTPException as StarletteHTTPException;
    "starlette.routing": Match;
    "starlette.types": ASGIApp, Message, Receive, Scope, Send;
}

/// `Annotated[kind, Depends(provider)]`
#[must_use]
pub fn depends(kind: impl IntoExpr, provider: impl IntoExpr) -> Expr {
    let provider = provider.into_expr();
    annotated(kind, py!(Depends(provider)))
}

/// `Annotated[kind, metadata]`
#[must_use]
pub fn annotated(kind: impl IntoExpr, metadata: impl IntoExpr) -> Expr {
    let (kind, metadata) = (kind.into_expr(), metadata.into_expr());
    py!(Annotated[(kind, metadata)])
}

/// `name: Annotated[kind, Depends(provider)]`
#[must_use]
pub fn dependency(name: Name, kind: impl IntoExpr, provider: impl IntoExpr) -> Param {
    param(name, depends(kind, provider))
}

/// `status.HTTP_404_NOT_FOUND` and the like.
#[must_use]
pub fn http_status(name: &'static str) -> Expr {
    status.attr(name)
}

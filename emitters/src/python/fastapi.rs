//! FastAPI and Starlette.

astgen_pyast::vocabulary! {
    "fastapi": Depends, FastAPI, Query, Request, Response;
    "fastapi.exceptions": RequestValidationError;
    "fastapi.routing": iter_route_contexts;
    "fastapi.security": HTTPAuthorizationCredentials, HTTPBearer;
    "starlette.datastructures": Headers, MutableHeaders;
    "starlette.exceptions": HTTPException;
    "starlette.types": ASGIApp, Message, Receive, Scope, Send;
}

//! FastAPI and Starlette.

astgen_pyast::vocabulary! {
    "fastapi": APIRouter, BackgroundTasks, Depends, FastAPI, Header, Query, Request, Response,
        status;
    "fastapi.exceptions": RequestValidationError;
    "fastapi.telemetry": TelemetryConfig;
    "fastapi.routing": APIRoute, iter_route_contexts;
    "fastapi.security": APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer;
    "starlette.applications": Starlette;
    "starlette.datastructures": Headers, MutableHeaders;
    "starlette.exceptions": HTTPException;
    "starlette.middleware.cors": CORSMiddleware;
    "starlette.requests": ClientDisconnect;
    "starlette.responses": FileResponse, JSONResponse, RedirectResponse, StreamingResponse;
    "starlette.routing": Route;
    "starlette.types": ASGIApp, Message, Receive, Scope, Send;
}

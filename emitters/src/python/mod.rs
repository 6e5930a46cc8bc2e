//! Vocabularies: the names that Python libraries define, one module a library, each with the few shapes
//! in which the emitted code uses them.

pub mod aiohttp;
pub mod aiosmtpd;
pub mod aiosmtplib;
pub mod anyio;
pub mod asgi;
pub mod boto3;
pub mod builtins;
pub mod cryptography;
pub mod fastapi;
pub mod httpx2;
pub mod hypothesis;
pub mod jwt;
pub mod limits;
pub mod moto;
pub mod opentelemetry;
pub mod prometheus;
pub mod pwdlib;
pub mod pydantic;
pub mod pyotp;
pub mod pytest;
pub mod redis;
pub mod rq;
pub mod schemathesis;
pub mod sqlalchemy;
pub mod standard;
pub mod stripe;
pub mod uvicorn;
pub mod yarl;

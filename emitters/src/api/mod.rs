//! `backend/app/api`

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod billing;
pub mod entitlements;
pub mod entity;
pub mod files;
pub mod health;
pub mod invitations;
pub mod jobs;
pub mod me;
pub mod members;
pub mod organizations;
pub mod routers;
pub mod totp;
pub mod webhook_endpoints;

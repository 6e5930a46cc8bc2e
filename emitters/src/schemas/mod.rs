//! `backend/app/schemas`

pub mod api_key;
pub mod audit;
pub mod auth;
pub mod base;
pub mod billing;
pub mod entitlement;
pub mod entity;
pub mod fields;
pub mod file;
pub mod health;
pub mod invitation;
pub mod job;
pub mod member;
pub mod organization;
pub mod stripe;
pub mod totp;
pub mod webhook;

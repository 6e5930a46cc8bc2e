//! `backend/app/models`

pub mod api_key;
pub mod audit_event;
pub mod base;
pub mod billing_event;
pub mod email;
pub mod entity;
pub mod feature_flag;
pub mod idempotency_key;
pub mod invitation;
pub mod job;
pub mod membership;
pub mod organization;
pub mod r#override;
pub mod package;
pub mod refresh_token;
pub mod session;
pub mod stored_file;
pub mod subscription;
pub mod totp;
pub mod trial_redemption;
pub mod types;
pub mod user;
pub mod webhook;

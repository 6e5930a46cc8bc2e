//! `backend/app/core`

pub mod billing;
pub mod body_limit;
pub mod client;
pub mod concurrency;
pub mod credentials;
pub mod database;
pub mod errors;
pub mod filters;
pub mod html;
pub mod jobs;
pub mod logging;
pub mod metrics;
pub mod order;
pub mod org_rbac;
pub mod pagination;
pub mod passwords;
pub mod plans;
pub mod rbac;
pub mod request_id;
pub mod roles;
pub mod sealing;
pub mod security;
pub mod settings;
pub mod soft_delete;
pub mod tenancy;
pub mod tenant_statements;

//! `backend/app/models`

pub mod base;
pub mod billing_event;
pub mod comment;
pub mod invitation;
pub mod membership;
pub mod organization;
pub mod project;
pub mod report;
pub mod task;
pub mod types;
pub mod user;

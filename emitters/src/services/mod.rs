//! `backend/app/services`

pub mod auth_service;
pub mod comment_service;
pub mod email_service;
pub mod invitation_service;
pub mod organization_service;
pub mod project_service;
pub mod report_service;
pub mod task_service;

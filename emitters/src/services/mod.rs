//! `backend/app/services`

pub mod email_service;

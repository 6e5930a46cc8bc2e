//! `backend/app/api`

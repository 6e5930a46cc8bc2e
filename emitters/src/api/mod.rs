//! `backend/app/api`


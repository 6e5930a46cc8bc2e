//! `backend/tests`

pub mod conftest;
pub mod databases;
pub mod test_auth;
pub mod test_invitations;
pub mod test_organizations;
pub mod test_security;
pub mod test_settings;
pub mod world;

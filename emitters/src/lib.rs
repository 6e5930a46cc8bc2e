//! What astgen generates: a pure function from a spec to files.
//!
//! The Rust code of a generated file is found by its name alone:
//! `backend/app/api/invitations.py` comes from `api/invitations.rs`.
#![forbid(unsafe_code)]

mod generated;
pub mod guards;
pub mod python;
pub mod spec;

pub use generated::{Content, Generated};

pub mod api;
pub mod core;
pub mod models;
pub mod schemas;
pub mod services;

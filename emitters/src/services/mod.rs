//! `backend/app/services`

pub mod auth_service;
pub mod billing_inbox;
pub mod billing_provider;
pub mod billing_service;
pub mod billing_sync;
pub mod billing_usage;
pub mod billing_webhook;
pub mod billing_worker;
pub mod deletion;
pub mod email_service;
pub mod entity_service;
pub mod invitation_service;
pub mod me_service;
pub mod organization_service;
pub mod password_service;
pub mod session_service;
pub mod stripe_api;
pub mod stripe_events;
pub mod stripe_payments;
pub mod stripe_provider;
pub mod stripe_subscriptions;

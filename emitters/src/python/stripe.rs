//! The Stripe library.

astgen_pyast::vocabulary! {
    "stripe": SignatureVerificationError, Webhook, WebhookSignature;
}

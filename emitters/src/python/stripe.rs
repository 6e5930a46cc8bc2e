//! The Stripe library.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "stripe": AIOHTTPClient, RequestOptions, SignatureVerificationError, StripeClient,
        WebhookSignature;
    "stripe.params": CustomerCreateParams, CustomerRetrieveParams, InvoiceListParams, PriceListParams,
        SubscriptionCancelParams, SubscriptionListParams, SubscriptionResumeParams, SubscriptionRetrieveParams,
        SubscriptionUpdateParams, billing_portal, checkout;
    "stripe.params.checkout": SessionCreateParams, SessionCreateParamsSubscriptionData;
}

/// `import stripe`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const stripe: Import = import_module("stripe");

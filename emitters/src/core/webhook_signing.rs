//! `backend/app/core/webhook_signing.py`: how a receiver knows that a delivery is ours: the signatures of Standard
//! Webhooks.

use crate::python::builtins::{dict, int, list, str};
use crate::python::standard::{Sequence, b64decode, b64encode, hmac, secrets as secrets_module};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.webhook_signing": PREFIX, SECRET_BYTES, new_secret, sign, headers_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.webhook_signing")
        .docstring(
            "How a receiver knows that a delivery is ours: as Standard Webhooks 1.0 has it.\n\
             \n\
             See https://www.standardwebhooks.com: receivers verify it with any of its libraries.",
        )
        .body(block![
            assign(PREFIX, "whsec_"),
            assign(SECRET_BYTES, 32),
            new_secret_def(),
            sign_def(),
            headers_of_def()
        ])
}

fn new_secret_def() -> FunctionDef {
    def(new_secret).returns(str).body(block![
        docstring("Make a secret that we share with one endpoint."),
        return_(py!(PREFIX + b64encode(secrets_module.token_bytes(SECRET_BYTES)).decode()))
    ])
}

fn sign_def() -> FunctionDef {
    names!(secret, message_id, timestamp, body, key, signed);
    def(sign)
        .params([
            param(secret, str),
            param(message_id, str),
            param(timestamp, int),
            param(body, str),
        ])
        .returns(str)
        .body(block![
            docstring("Sign a body together with its id and the time at which it is sent."),
            assign(key, py!(b64decode(secret.removeprefix(PREFIX)))),
            assign(signed, py!(f!("{}.{}.{}", message_id, timestamp, body).encode())),
            return_(py!("v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()))
        ])
}

fn headers_of_def() -> FunctionDef {
    names!(secrets, message_id, timestamp, body, signatures, secret);
    def(headers_of)
        .params([
            param(secrets, py!(Sequence[str])),
            param(message_id, str),
            param(timestamp, int),
            param(body, str),
        ])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Return the headers of a delivery; after a rotation each secret signs."),
            ann_assign(
                signatures,
                py!(list[str]),
                py!(list!(sign(secret, message_id, timestamp, body) for secret in secrets))
            ),
            return_(py!(dict!(
                "Content-Type" => "application/json",
                "webhook-id" => message_id,
                "webhook-timestamp" => str(timestamp),
                "webhook-signature" => " ".join(signatures)
            )))
        ])
}

//! `backend/app/core/sealing.py`: texts that the database keeps and cannot read.

use crate::core::settings::Settings;
use crate::python::builtins::{ValueError, bytes as bytes_type, str};
use crate::python::cryptography::{Fernet, HKDF, InvalidToken, MultiFernet, SHA256};
use crate::python::pydantic::SecretStr;
use crate::python::standard::urlsafe_b64encode;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.sealing": KEY_BYTES, KEY_INFO, BrokenSealError, Sealer, derive_key;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let key_info = format!("{}/sealed", spec.project.name);
    module("app.core.sealing").docstring("Texts that the database keeps and cannot read.").body(
        block![
            assign(KEY_BYTES, 32),
            assign(KEY_INFO, bytes(key_info.as_bytes())),
            broken_seal_error_class(),
            sealer_class(),
            derive_key_def()
        ],
    )
}

fn broken_seal_error_class() -> ClassDef {
    class(BrokenSealError)
        .base(ValueError)
        .body([docstring("A text was not sealed with the key of this deployment.")])
}

fn sealer_class() -> ClassDef {
    class(Sealer).body(block![
        docstring("Encrypts what has to be read again later, with a key of its own."),
        sealer_init(),
        sealer_seal(),
        sealer_open()
    ])
}

fn sealer_init() -> FunctionDef {
    names!(settings, secret, texts);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Derive the keys from the secrets; the first one seals, all of them open."),
            assign(texts, py!((settings.secret_key, *settings.previous_secret_keys))),
            assign(
                py!(self.fernet),
                py!(MultiFernet(list!(Fernet(derive_key(secret)) for secret in texts)))
            )
        ],
    )
}

fn derive_key_def() -> FunctionDef {
    names!(secret, value, key);
    def(derive_key).params([param(secret, SecretStr)]).returns(bytes_type).body(block![
        docstring("Derive a key from a secret of the settings (RFC 5869)."),
        assign(value, py!(secret.get_secret_value().encode())),
        assign(key, py!(HKDF(SHA256(), KEY_BYTES, salt = None, info = KEY_INFO).derive(value))),
        return_(py!(urlsafe_b64encode(key)))
    ])
}

fn sealer_seal() -> FunctionDef {
    names!(text);
    def("seal").params([untyped("self"), param(text, str)]).returns(str).body(block![
        docstring("Encrypt a text."),
        return_(py!(self.fernet.encrypt(text.encode()).decode()))
    ])
}

fn sealer_open() -> FunctionDef {
    names!(sealed, error);
    def("open").params([untyped("self"), param(sealed, str)]).returns(str).body(block![
        docstring("Decrypt a text, unless somebody changed it or the secret."),
        try_([return_(py!(self.fernet.decrypt(sealed.encode()).decode()))]).except_as(
            InvalidToken,
            error,
            [raise_from(py!(BrokenSealError("The text was sealed with another key")), error)]
        )
    ])
}

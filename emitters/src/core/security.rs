//! `backend/app/core/security.py`: tokens: what signs them, and what is stored of them.

use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::builtins::{bytes, dict, int, list, str};
use crate::python::cryptography::{HKDF, SHA256};
use crate::python::fastapi::{Depends, Request};
use crate::python::jwt::jwt;
use crate::python::pydantic::SecretStr;
use crate::python::standard::{
    Annotated, Any, Mapping, StrEnum, UUID, hmac, timedelta, urlsafe_b64encode, uuid4,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.security": ISSUER, ALGORITHM, KEY_BYTES, KEY_ID_LENGTH, CLOCK_SKEW_SECONDS,
        REQUIRED_CLAIMS, Purpose, KeyRing, Signer, keyed_hash, derive_key, audience, get_signer,
        SignerDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_trial = spec.billing.as_ref().is_some_and(|billing| billing.trial.is_some());
    module("app.core.security")
        .docstring("Tokens: what signs them, and what is stored of them.")
        .body(block![
            assign(ISSUER, spec.project.name.as_str()),
            assign(ALGORITHM, "HS256"),
            assign(KEY_BYTES, 32),
            assign(KEY_ID_LENGTH, 8),
            assign(CLOCK_SKEW_SECONDS, 5),
            assign(REQUIRED_CLAIMS, py!(["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"])),
            purpose_class(spec, has_trial),
            key_ring_class(),
            signer_class(),
            keyed_hash_def(),
            derive_key_def(),
            audience_def(),
            get_signer_def(),
            assign(SignerDep, py!(Annotated[(Signer, Depends(get_signer))]))
        ])
}

fn purpose_class(spec: &Spec, has_trial: bool) -> ClassDef {
    names!(
        ACCESS,
        REFRESH,
        ROTATION,
        VERIFICATION,
        RESET,
        EMAIL_CHANGE,
        INVITATION,
        CHALLENGE,
        BACKUP_CODE,
        API_KEY,
        CSRF,
        CURSOR,
        TRIAL,
        UPLOAD,
        DOWNLOAD,
        KEY_ID
    );
    class(Purpose).base(StrEnum).body(block![
        docstring("What a key is for; no key is used for two things."),
        assign(ACCESS, "access"),
        assign(REFRESH, "refresh"),
        assign(ROTATION, "rotation"),
        assign(VERIFICATION, "verification"),
        assign(RESET, "reset"),
        assign(EMAIL_CHANGE, "email_change"),
        assign(INVITATION, "invitation"),
        spec.auth
            .has_totp()
            .then(|| [assign(CHALLENGE, "challenge"), assign(BACKUP_CODE, "backup_code")]),
        spec.organizations.api_keys.then(|| assign(API_KEY, "api_key")),
        spec.auth.has_cookies().then(|| assign(CSRF, "csrf")),
        assign(CURSOR, "cursor"),
        has_trial.then(|| assign(TRIAL, "trial")),
        spec.storage.is_on().then(|| [assign(UPLOAD, "upload"), assign(DOWNLOAD, "download")]),
        assign(KEY_ID, "key_id")
    ])
}

fn key_ring_class() -> ClassDef {
    class(KeyRing)
        .body(block![docstring("The keys that are derived from one secret."), key_ring_init()])
}

fn key_ring_init() -> FunctionDef {
    names!(secret, value);
    let keys = py!(dict!(purpose => derive_key(value, purpose) for purpose in Purpose));
    def("__init__").params([untyped("self"), param(secret, SecretStr)]).returns(none()).body(
        block![
            docstring("Derive a key for each purpose."),
            assign(value, py!(secret.get_secret_value().encode())),
            assign(py!(self.keys), keys),
            assign(py!(self.key_id), py!(self.keys[Purpose.KEY_ID].hex()[..KEY_ID_LENGTH]))
        ],
    )
}

fn signer_class() -> ClassDef {
    class(Signer).body(block![
        docstring(
            "Tokens that this application issues and recognizes again.\n\
             \n\
             The first secret signs. What an earlier one has signed is still recognized, so that\n\
             a secret can be replaced without signing everybody out."
        ),
        signer_init(),
        signer_sign(),
        signer_read(),
        signer_digest(),
        signer_digests(),
        signer_successor()
    ])
}

fn signer_init() -> FunctionDef {
    names!(settings, earlier);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Derive the keys from the secrets."),
            assign(py!(self.ring), py!(KeyRing(settings.secret_key))),
            assign(
                earlier,
                py!(list!(KeyRing(secret) for secret in settings.previous_secret_keys))
            ),
            assign(
                py!(self.rings),
                py!(dict!(ring.key_id => ring for ring in (*earlier, self.ring)))
            )
        ],
    )
}

fn signer_sign() -> FunctionDef {
    names!(purpose, subject, lifetime, claims, now, payload, key, headers);
    let claims_of_all = py!(dict!(
    **(claims || dict!()),
    "iss" => ISSUER,
    "aud" => audience(purpose),
    "sub" => str(subject),
    "iat" => now,
    "nbf" => now,
    "exp" => now + lifetime,
    "jti" => uuid4().hex,
    "typ" => purpose.value
    ));
    def("sign")
        .params([
            untyped("self"),
            param(purpose, Purpose),
            param(subject, UUID),
            param(lifetime, timedelta),
            param(claims, py!(Mapping[(str, str)] | None)).default(none()),
        ])
        .returns(str)
        .body(block![
            docstring("Issue a token about a user."),
            assign(now, py!(utcnow())),
            ann_assign(payload, py!(dict[(str, Any)]), claims_of_all),
            assign(
                py!((key, headers)),
                py!((self.ring.keys[purpose], dict!("kid" => self.ring.key_id)))
            ),
            return_(py!(jwt.encode(payload, key, algorithm = ALGORITHM, headers = headers)))
        ])
}

fn signer_read() -> FunctionDef {
    names!(purpose, token, leeway, ring, claims);
    def("read")
        .params([
            untyped("self"),
            param(purpose, Purpose),
            param(token, str),
            param(leeway, int).default(CLOCK_SKEW_SECONDS),
        ])
        .returns(py!(dict[(str, Any)] | None))
        .body(block![
            docstring("Return the claims of a token that was issued for the purpose."),
            try_(block![
                assign(ring, py!(self.rings.get(jwt.get_unverified_header(token).get("kid", "")))),
                if_(py!(ring == None), [return_(none())]),
                ann_assign(
                    claims,
                    py!(dict[(str, Any)]),
                    py!(jwt.decode(
                        token,
                        ring.keys[purpose],
                        algorithms = [ALGORITHM],
                        audience = audience(purpose),
                        issuer = ISSUER,
                        leeway = leeway,
                        options = dict!("require" => REQUIRED_CLAIMS)
                    ))
                )
            ])
            .except(py!(jwt.InvalidTokenError), [return_(none())]),
            return_(py!(if claims["typ"] == purpose { claims } else { None }))
        ])
}

fn signer_digest() -> FunctionDef {
    names!(purpose, value);
    def("digest")
        .params([untyped("self"), param(purpose, Purpose), param(value, str)])
        .returns(str)
        .body(block![
            docstring("Hash a value that is random already, such as the token of an invitation."),
            return_(py!(keyed_hash(self.ring.keys[purpose], value).hex()))
        ])
}

fn signer_digests() -> FunctionDef {
    names!(purpose, value, rings);
    let hashes = py!(list!(keyed_hash(ring.keys[purpose], value).hex() for ring in rings));
    def("digests")
        .params([untyped("self"), param(purpose, Purpose), param(value, str)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Hash a value with every secret: one of these is what is stored of it."),
            assign(rings, py!(self.rings.values())),
            return_(hashes)
        ])
}

fn signer_successor() -> FunctionDef {
    names!(token, digest);
    def("successor").params([untyped("self"), param(token, str)]).returns(str).body(block![
        docstring("Derive the token that follows another; without the key nobody can."),
        assign(digest, py!(keyed_hash(self.ring.keys[Purpose.ROTATION], token))),
        return_(py!(urlsafe_b64encode(digest).decode().rstrip("=")))
    ])
}

fn keyed_hash_def() -> FunctionDef {
    names!(key, value);
    def(keyed_hash).params([param(key, bytes), param(value, str)]).returns(bytes).body(block![
        docstring("Hash a value so that only the holder of the key can do the same."),
        return_(py!(hmac.digest(key, value.encode(), "sha256")))
    ])
}

fn derive_key_def() -> FunctionDef {
    names!(secret, purpose, info);
    def(derive_key).params([param(secret, bytes), param(purpose, Purpose)]).returns(bytes).body(
        block![
            docstring("Derive the key for one purpose (RFC 5869)."),
            assign(info, py!(f!("{}/{}", ISSUER, purpose).encode())),
            return_(py!(HKDF(SHA256(), KEY_BYTES, salt = None, info = info).derive(secret)))
        ],
    )
}

fn audience_def() -> FunctionDef {
    names!(purpose);
    def(audience).params([param(purpose, Purpose)]).returns(str).body(block![
        docstring("Name the audience of the tokens for one purpose."),
        return_(py!(f!("{}/{}", ISSUER, purpose)))
    ])
}

fn get_signer_def() -> FunctionDef {
    names!(request, signer);
    def(get_signer).params([param(request, Request)]).returns(Signer).body(block![
        docstring("Return the signer of the application."),
        ann_assign(signer, Signer, py!(request.app.state.signer)),
        return_(signer)
    ])
}

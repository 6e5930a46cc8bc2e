//! `backend/app/core/security.py`: passwords and tokens.

use crate::core::errors::UnauthorizedError;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::anyio::{CapacityLimiter, to_thread};
use crate::python::builtins::{bool, bytes, dict, str, tuple};
use crate::python::cryptography::{HKDF, SHA256};
use crate::python::fastapi::{Depends, HTTPAuthorizationCredentials, HTTPBearer, Request};
use crate::python::jwt::jwt;
use crate::python::pwdlib::{Argon2Hasher, PasswordHash};
use crate::python::standard::{
    Annotated, Any, Mapping, StrEnum, UUID, hmac, secrets, sha256, timedelta, uuid4,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.security": ISSUER, ALGORITHM, KEY_BYTES, CLOCK_SKEW_SECONDS, REQUIRED_CLAIMS, Purpose,
        PasswordHasher, Signer, derive_key, audience, get_password_hasher, get_signer,
        PasswordHasherDep, SignerDep, bearer, get_caller_id, CallerIdDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.core.security").docstring("Passwords and tokens.").body(block![
        assign(ISSUER, spec.project.name.as_str()),
        assign(ALGORITHM, "HS256"),
        assign(KEY_BYTES, 32),
        assign(CLOCK_SKEW_SECONDS, 5),
        assign(REQUIRED_CLAIMS, py!(["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"])),
        purpose_class(),
        password_hasher_class(),
        signer_class(),
        derive_key_def(),
        audience_def(),
        get_password_hasher_def(),
        get_signer_def(),
        assign(PasswordHasherDep, py!(Annotated[(PasswordHasher, Depends(get_password_hasher))])),
        assign(SignerDep, py!(Annotated[(Signer, Depends(get_signer))])),
        assign(bearer, py!(HTTPBearer(description = "The access token from `POST /auth/login`.")))
            .paragraph(),
        get_caller_id_def(),
        assign(CallerIdDep, py!(Annotated[(UUID, Depends(get_caller_id))]))
    ])
}

fn purpose_class() -> ClassDef {
    names!(ACCESS, VERIFICATION, INVITATION, CURSOR);
    class(Purpose).base(StrEnum).body(block![
        docstring("What a key is for; no key is used for two things."),
        assign(ACCESS, "access"),
        assign(VERIFICATION, "verification"),
        assign(INVITATION, "invitation"),
        assign(CURSOR, "cursor")
    ])
}

fn password_hasher_class() -> ClassDef {
    class(PasswordHasher).body(block![
        docstring("Argon2id, in threads, a few at a time, so that the event loop stays free."),
        password_hasher_init(),
        password_hasher_hash(),
        password_hasher_verify()
    ])
}

fn password_hasher_init() -> FunctionDef {
    names!(settings, hasher);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Take the cost from the settings."),
            assign(
                hasher,
                py!(Argon2Hasher(
                    time_cost = settings.password_time_cost,
                    memory_cost = settings.password_memory_kib,
                    parallelism = 1
                ))
            ),
            assign(py!(self.passwords), py!(PasswordHash([hasher]))),
            assign(py!(self.limiter), py!(CapacityLimiter(settings.password_workers))),
            assign(py!(self.decoy), py!(self.passwords.hash(secrets.token_urlsafe())))
        ],
    )
}

fn password_hasher_hash() -> FunctionDef {
    names!(password);
    async_def("hash").params([untyped("self"), param(password, str)]).returns(str).body(block![
        docstring("Hash a password."),
        return_(py!(to_thread
            .run_sync(self.passwords.hash, password, limiter = self.limiter)
            .await))
    ])
}

fn password_hasher_verify() -> FunctionDef {
    names!(password, password_hash, known, matches, new_hash);
    async_def("verify")
        .params([untyped("self"), param(password, str), param(password_hash, py!(str | None))])
        .returns(py!(tuple[(bool, str | None)]))
        .body(block![
            docstring(
                "Compare, and return a new hash if the old one is too cheap by now.\n\
                 \n\
                 Without a hash the work is the same, so that the time does not tell whether\n\
                 there is such a user."
            ),
            assign(known, py!(password_hash != None)),
            assign(
                py!((matches, new_hash)),
                py!(to_thread
                    .run_sync(
                        self.passwords.verify_and_update,
                        password,
                        password_hash || self.decoy,
                        limiter = self.limiter
                    )
                    .await)
            ),
            return_(py!((known && matches, new_hash)))
        ])
}

fn signer_class() -> ClassDef {
    class(Signer).body(block![
        docstring("Tokens that this application issues and recognizes again."),
        signer_init(),
        signer_sign(),
        signer_read(),
        signer_digest()
    ])
}

fn signer_init() -> FunctionDef {
    names!(settings, secret);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Derive a key for each purpose from the one secret."),
            assign(secret, py!(settings.secret_key.get_secret_value().encode())),
            assign(
                py!(self.keys),
                py!(dict!(purpose => derive_key(secret, purpose) for purpose in Purpose))
            )
        ],
    )
}

fn signer_sign() -> FunctionDef {
    names!(purpose, subject, lifetime, claims, now, payload);
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
            return_(py!(jwt.encode(payload, self.keys[purpose], algorithm = ALGORITHM)))
        ])
}

fn signer_read() -> FunctionDef {
    names!(purpose, token, claims);
    def("read")
        .params([untyped("self"), param(purpose, Purpose), param(token, str)])
        .returns(py!(dict[(str, Any)] | None))
        .body(block![
            docstring("Return the claims of a token that was issued for the purpose."),
            try_([ann_assign(
                claims,
                py!(dict[(str, Any)]),
                py!(jwt.decode(
                    token,
                    self.keys[purpose],
                    algorithms = [ALGORITHM],
                    audience = audience(purpose),
                    issuer = ISSUER,
                    leeway = CLOCK_SKEW_SECONDS,
                    options = dict!("require" => REQUIRED_CLAIMS)
                ))
            )])
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
            return_(py!(hmac.new(self.keys[purpose], value.encode(), sha256).hexdigest()))
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

fn get_password_hasher_def() -> FunctionDef {
    names!(request, hasher);
    def(get_password_hasher).params([param(request, Request)]).returns(PasswordHasher).body(block![
        docstring("Return the password hasher of the application."),
        ann_assign(hasher, PasswordHasher, py!(request.app.state.password_hasher)),
        return_(hasher)
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

fn get_caller_id_def() -> FunctionDef {
    names!(credentials, signer, claims);
    def(get_caller_id)
        .params([
            param(credentials, py!(Annotated[(HTTPAuthorizationCredentials, Depends(bearer))])),
            param(signer, SignerDep),
        ])
        .returns(UUID)
        .body(block![
            docstring("Return the user that the access token names, or answer 401."),
            assign(claims, py!(signer.read(Purpose.ACCESS, credentials.credentials))),
            if_(
                py!(claims == None),
                [raise(py!(UnauthorizedError("The access token is not valid.")))]
            ),
            return_(py!(UUID(claims["sub"])))
        ])
}

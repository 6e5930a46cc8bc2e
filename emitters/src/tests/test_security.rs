//! `backend/tests/test_security.py`: passwords and tokens.

use crate::core::security::{PasswordHasher, Purpose, Signer, audience};
use crate::core::settings::Settings;
use crate::python::anyio::{create_task_group, sleep};
use crate::python::builtins::{len, range, set, str};
use crate::python::jwt::jwt;
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::standard::{timedelta, uuid4};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_security": HOUR, signer;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_security").docstring("Passwords and tokens.").body(block![
        assign(HOUR, py!(timedelta(hours = 1))),
        signer_def(),
        test_passwords_are_hashed_with_the_parameters_in_the_settings(),
        test_an_unknown_user_never_matches(),
        test_a_hash_with_old_parameters_is_replaced(),
        test_the_loop_runs_while_passwords_are_hashed(),
        test_a_token_says_who_and_what_for(spec),
        test_a_token_serves_one_purpose(),
        test_a_token_expires(),
        test_a_token_of_another_application_is_refused(),
        test_noise_is_refused(),
        test_only_our_algorithm_is_accepted(),
        test_every_claim_is_required(),
        test_keys_differ_by_purpose()
    ])
}

fn signer_def() -> FunctionDef {
    names!(settings);
    def(signer)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(Signer)
        .body([return_(py!(Signer(settings)))])
}

fn test_passwords_are_hashed_with_the_parameters_in_the_settings() -> FunctionDef {
    names!(hasher, password_hash);
    async_def("test_passwords_are_hashed_with_the_parameters_in_the_settings").returns(none()).body(
        block![
            assign(
                hasher,
                py!(PasswordHasher(Settings(password_time_cost = 1, password_memory_kib = 64)))
            ),
            assign(password_hash, py!(hasher.hash("correct horse battery").await)),
            assert_(py!(password_hash.startswith("$argon2id$v=19$m=64,t=1,p=1$"))),
            assert_(py!(hasher.decoy.startswith("$argon2id$v=19$m=64,t=1,p=1$"))),
            assert_(py!(
                hasher.verify("correct horse battery", password_hash).await == (true, None)
            )),
            assert_(py!(is_!(hasher.verify("another one", password_hash).await[0], false)))
        ],
    )
}

fn test_an_unknown_user_never_matches() -> FunctionDef {
    names!(settings, hasher);
    async_def("test_an_unknown_user_never_matches")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(hasher, py!(PasswordHasher(settings))),
            assert_(py!(is_!(hasher.verify("correct horse battery", None).await[0], false)))
        ])
}

fn test_a_hash_with_old_parameters_is_replaced() -> FunctionDef {
    names!(settings, cheap, old_hash, verified);
    async_def("test_a_hash_with_old_parameters_is_replaced")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(cheap, py!(settings.model_copy(update = dict!("password_memory_kib" => 16)))),
            assign(old_hash, py!(PasswordHasher(cheap).hash("correct horse battery").await)),
            assign(
                verified,
                py!(PasswordHasher(settings).verify("correct horse battery", old_hash).await)
            ),
            assert_(py!(is_!(verified[0], true))),
            assert_(py!(verified[1] != None)),
            assert_(py!(in_!("m=8,t=1,p=1", verified[1])))
        ])
}

fn test_the_loop_runs_while_passwords_are_hashed() -> FunctionDef {
    names!(hasher, tasks);
    async_def("test_the_loop_runs_while_passwords_are_hashed").returns(none()).body(block![
        assign(hasher, py!(PasswordHasher(Settings(password_workers = 1)))),
        async_with_as(
            py!(create_task_group()),
            tasks,
            block![
                for_(
                    py!(_),
                    py!(range(3)),
                    [do_(py!(tasks.start_soon(hasher.hash, "correct horse battery")))]
                ),
                for_(
                    py!(_),
                    py!(range(3)),
                    block![
                        do_(py!(sleep(0.001).await)),
                        assert_(py!(hasher.limiter.borrowed_tokens == 1))
                    ]
                )
            ]
        ),
        assert_(py!(hasher.limiter.borrowed_tokens == 0))
    ])
}

fn test_a_token_says_who_and_what_for(spec: &Spec) -> FunctionDef {
    names!(user_id, token, claims);
    def("test_a_token_says_who_and_what_for").params([param(signer, Signer)]).returns(none()).body(
        block![
            assign(user_id, py!(uuid4())),
            assign(token, py!(signer.sign(Purpose.ACCESS, user_id, HOUR))),
            assign(claims, py!(signer.read(Purpose.ACCESS, token))),
            assert_(py!(claims != None)),
            assert_(py!(claims["sub"] == str(user_id))),
            assert_(py!(claims["typ"] == "access")),
            assert_(py!(claims["iss"] == { spec.project.name.as_str() })),
            assert_(py!(set!("aud", "iat", "nbf", "exp", "jti") <= claims.keys()))
        ],
    )
}

fn test_a_token_serves_one_purpose() -> FunctionDef {
    names!(token);
    def("test_a_token_serves_one_purpose").params([param(signer, Signer)]).returns(none()).body(
        block![
            assign(token, py!(signer.sign(Purpose.VERIFICATION, uuid4(), HOUR))),
            assert_(py!(signer.read(Purpose.ACCESS, token) == None))
        ],
    )
}

fn test_a_token_expires() -> FunctionDef {
    names!(token);
    def("test_a_token_expires").params([param(signer, Signer)]).returns(none()).body(block![
        assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), -HOUR))),
        assert_(py!(signer.read(Purpose.ACCESS, token) == None))
    ])
}

fn test_a_token_of_another_application_is_refused() -> FunctionDef {
    names!(other, token);
    def("test_a_token_of_another_application_is_refused")
        .params([param(signer, Signer)])
        .returns(none())
        .body(block![
            assign(
                other,
                py!(Signer(Settings(secret_key = SecretStr("another secret, just as long as it"))))
            ),
            assign(token, py!(other.sign(Purpose.ACCESS, uuid4(), HOUR))),
            assert_(py!(signer.read(Purpose.ACCESS, token) == None))
        ])
}

fn test_noise_is_refused() -> FunctionDef {
    names!(token);
    def("test_noise_is_refused")
        .decorator(py!(pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é"])))
        .params([param(signer, Signer), param(token, str)])
        .returns(none())
        .body([assert_(py!(signer.read(Purpose.ACCESS, token) == None))])
}

fn test_only_our_algorithm_is_accepted() -> FunctionDef {
    names!(key, token, claims, unsigned, stronger);
    def("test_only_our_algorithm_is_accepted").params([param(signer, Signer)]).returns(none()).body(
        block![
            assign(key, py!(signer.keys[Purpose.ACCESS])),
            assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), HOUR))),
            assign(
                claims,
                py!(jwt.decode(token, key, ["HS256"], audience = audience(Purpose.ACCESS)))
            ),
            assign(unsigned, py!(jwt.encode(claims, "", algorithm = "none"))),
            assign(stronger, py!(jwt.encode(claims, key * 2, algorithm = "HS512"))),
            assert_(py!(signer.read(Purpose.ACCESS, unsigned) == None)),
            assert_(py!(signer.read(Purpose.ACCESS, stronger) == None))
        ],
    )
}

fn test_every_claim_is_required() -> FunctionDef {
    names!(claim, key, token, claims);
    def("test_every_claim_is_required")
        .decorator(py!(pytest
            .mark
            .parametrize("claim", ["iss", "aud", "sub", "exp", "jti", "typ"])))
        .params([param(signer, Signer), param(claim, str)])
        .returns(none())
        .body(block![
            assign(key, py!(signer.keys[Purpose.ACCESS])),
            assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), HOUR))),
            assign(
                claims,
                py!(jwt.decode(token, key, ["HS256"], audience = audience(Purpose.ACCESS)))
            ),
            delete([py!(claims[claim])]),
            assert_(py!(signer.read(Purpose.ACCESS, jwt.encode(claims, key)) == None))
        ])
}

fn test_keys_differ_by_purpose() -> FunctionDef {
    def("test_keys_differ_by_purpose")
        .params([param(signer, Signer)])
        .returns(none())
        .body([assert_(py!(len(set(signer.keys.values())) == len(Purpose)))])
}

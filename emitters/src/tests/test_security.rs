//! `backend/tests/test_security.py`: tokens.

use crate::core::security::{Purpose, Signer, audience};
use crate::core::settings::Settings;
use crate::python::builtins::{len, set, str};
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
    module("tests.test_security").docstring("Tokens.").body(block![
        assign(HOUR, py!(timedelta(hours = 1))),
        signer_def(),
        test_a_token_says_who_and_what_for(spec),
        test_a_token_serves_one_purpose(),
        test_a_token_expires(),
        test_a_token_of_another_application_is_refused(),
        test_noise_is_refused(),
        test_only_our_algorithm_is_accepted(),
        test_every_claim_is_required(),
        test_keys_differ_by_purpose(),
        test_an_earlier_secret_is_recognized_and_signs_nothing(),
        test_a_token_names_its_key(),
        test_the_same_token_has_the_same_successor()
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
    names!(key, token, claims, headers, unsigned, stronger, usual);
    def("test_only_our_algorithm_is_accepted").params([param(signer, Signer)]).returns(none()).body(
        block![
            assign(key, py!(signer.ring.keys[Purpose.ACCESS])),
            assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), HOUR))),
            assign(
                claims,
                py!(jwt.decode(token, key, ["HS256"], audience = audience(Purpose.ACCESS)))
            ),
            assign(headers, py!(dict!("kid" => signer.ring.key_id))),
            assign(unsigned, py!(jwt.encode(claims, "", algorithm = "none", headers = headers))),
            assign(
                stronger,
                py!(jwt.encode(claims, key * 2, algorithm = "HS512", headers = headers))
            ),
            assign(usual, py!(jwt.encode(claims, key, headers = headers))),
            assert_(py!(signer.read(Purpose.ACCESS, unsigned) == None)),
            assert_(py!(signer.read(Purpose.ACCESS, stronger) == None)),
            assert_(py!(signer.read(Purpose.ACCESS, usual) != None))
        ],
    )
}

fn test_every_claim_is_required() -> FunctionDef {
    names!(claim, key, token, claims, forged);
    def("test_every_claim_is_required")
        .decorator(py!(pytest
            .mark
            .parametrize("claim", ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"])))
        .params([param(signer, Signer), param(claim, str)])
        .returns(none())
        .body(block![
            assign(key, py!(signer.ring.keys[Purpose.ACCESS])),
            assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), HOUR))),
            assign(
                claims,
                py!(jwt.decode(token, key, ["HS256"], audience = audience(Purpose.ACCESS)))
            ),
            delete([py!(claims[claim])]),
            assign(
                forged,
                py!(jwt.encode(claims, key, headers = dict!("kid" => signer.ring.key_id)))
            ),
            assert_(py!(signer.read(Purpose.ACCESS, forged) == None))
        ])
}

fn test_keys_differ_by_purpose() -> FunctionDef {
    def("test_keys_differ_by_purpose")
        .params([param(signer, Signer)])
        .returns(none())
        .body([assert_(py!(len(set(signer.ring.keys.values())) == len(Purpose)))])
}

fn test_an_earlier_secret_is_recognized_and_signs_nothing() -> FunctionDef {
    names!(settings, earlier, renewed, old, new, stored);
    let update = py!(dict!(
    "secret_key" => SecretStr("the next secret, just as long as it"),
    "previous_secret_keys" => [settings.secret_key]
    ));
    let values =
        py!(generator!(one.sign(Purpose.ACCESS, uuid4(), HOUR) for one in (earlier, signer)));
    def("test_an_earlier_secret_is_recognized_and_signs_nothing")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(earlier, py!(Signer(settings))),
            assign(renewed, py!(settings.model_copy(update = update))),
            assign(signer, py!(Signer(renewed))),
            assign(py!((old, new)), py!(values)),
            assert_(py!(signer.read(Purpose.ACCESS, old) != None)),
            assert_(py!(signer.read(Purpose.ACCESS, new) != None)),
            assert_(py!(earlier.read(Purpose.ACCESS, new) == None)),
            assign(stored, py!(earlier.digest(Purpose.INVITATION, "a token"))),
            assert_(py!(in_!(stored, signer.digests(Purpose.INVITATION, "a token")))),
            assert_(py!(stored != signer.digest(Purpose.INVITATION, "a token")))
        ])
}

fn test_a_token_names_its_key() -> FunctionDef {
    names!(token, claims, key, headers, forged);
    def("test_a_token_names_its_key").params([param(signer, Signer)]).returns(none()).body(block![
        assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), HOUR))),
        assert_(py!(jwt.get_unverified_header(token)["kid"] == signer.ring.key_id)),
        assign(claims, py!(signer.read(Purpose.ACCESS, token))),
        assign(key, py!(signer.ring.keys[Purpose.ACCESS])),
        for_(
            headers,
            py!((dict!(), dict!("kid" => ""), dict!("kid" => "another"))),
            block![
                assign(forged, py!(jwt.encode(claims || dict!(), key, headers = headers))),
                assert_(py!(signer.read(Purpose.ACCESS, forged) == None))
            ]
        )
    ])
}

fn test_the_same_token_has_the_same_successor() -> FunctionDef {
    def("test_the_same_token_has_the_same_successor")
        .params([param(signer, Signer)])
        .returns(none())
        .body(block![
            assert_(py!(signer.successor("a token") == signer.successor("a token"))),
            assert_(py!(signer.successor("a token") != signer.successor("another"))),
            assert_(py!(len(signer.successor("a token")) == 43))
        ])
}

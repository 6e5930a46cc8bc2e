//! `backend/app/core/passwords.py`: how passwords are hashed, and which ones anyone would guess.

use crate::core::settings::Settings;
use crate::python::anyio::{CapacityLimiter, to_thread};
use crate::python::builtins::{__file__, any, bool, frozenset, len, range, reversed, str, tuple};
use crate::python::fastapi::{Depends, Request};
use crate::python::pwdlib::{Argon2Hasher, PasswordHash};
use crate::python::standard::{Annotated, Path, cache, re, secrets};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.passwords": COMMON_PASSWORDS, LOOKALIKES, PREFIX, SUFFIX, SEQUENCES, PasswordHasher,
        is_common, common_passwords, is_pattern, get_password_hasher, PasswordHasherDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.passwords")
        .docstring("Passwords: how they are hashed, and which ones anyone would guess.")
        .body(block![
            assign(COMMON_PASSWORDS, py!(Path(__file__).with_name("common_passwords.txt"))),
            assign(LOOKALIKES, py!(str.maketrans("013457@$!", "oleastasi"))),
            assign(PREFIX, py!(re.compile("^[^a-z]+"))),
            assign(SUFFIX, py!(re.compile("[^a-z]+$"))),
            assign(SEQUENCES, py!(("01234567890123456789", "abcdefghijklmnopqrstuvwxyz"))),
            password_hasher_class(),
            is_common_def(),
            common_passwords_def(),
            is_pattern_def(),
            get_password_hasher_def(),
            assign(
                PasswordHasherDep,
                py!(Annotated[(PasswordHasher, Depends(get_password_hasher))])
            )
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

fn is_common_def() -> FunctionDef {
    names!(password, folded, without_suffix, stems, variants);
    def(is_common).params([param(password, str)]).returns(bool).body(block![
        docstring(
            "Tell whether a password is one of those that are tried first.\n\
             \n\
             These are the passwords in the list, also with digits and signs around them or\n\
             with lookalikes such as @ for a, and those that repeat or count."
        ),
        assign(folded, py!(password.casefold())),
        assign(without_suffix, py!(SUFFIX.sub("", folded))),
        assign(stems, py!(set!(folded, without_suffix, PREFIX.sub("", without_suffix)))),
        assign(variants, py!(stems | set!(stem.translate(LOOKALIKES) for stem in stems))),
        return_(py!(!variants.isdisjoint(common_passwords()) || is_pattern(folded)))
    ])
}

fn common_passwords_def() -> FunctionDef {
    def(common_passwords).decorator(cache).returns(py!(frozenset[str])).body(block![
        docstring("Read the list, once."),
        return_(py!(frozenset(COMMON_PASSWORDS.read_text(encoding = "utf-8").split())))
    ])
}

fn is_pattern_def() -> FunctionDef {
    names!(password, parts, directions);
    let repeats = py!(generator!(password.startswith(password[length..]) for length in parts));
    let counts =
        py!(generator!(in_!(text, sequence) for text in directions for sequence in SEQUENCES));
    def(is_pattern).params([param(password, str)]).returns(bool).body(block![
        docstring("Tell whether a password repeats a short part of itself, or counts up or down."),
        assign(parts, py!(range(1, floor_div!(len(password), 3) + 1))),
        if_(py!(any(repeats)), [return_(true)]),
        assign(directions, py!((password, "".join(reversed(password))))),
        return_(py!(any(counts)))
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

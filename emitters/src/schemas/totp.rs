//! `backend/app/schemas/totp.py`: requests and responses about one-time codes.

use crate::python::builtins::{int, list, str};
use crate::python::pydantic::Field;
use crate::python::standard::datetime;
use crate::schemas::auth::{Code, Token, wants_cookies};
use crate::schemas::base::{RequestModel, ResponseModel};
use crate::spec::{AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.totp": ChallengeRead, ChallengeAnswer, TotpCode, TotpEnrolment, TotpState,
        BackupCodes;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.schemas.totp").docstring("Requests and responses about one-time codes.").body(
        block![
            challenge_read_class(),
            challenge_answer_class(spec.auth.mode),
            totp_code_class(),
            totp_enrolment_class(),
            totp_state_class(),
            backup_codes_class()
        ],
    )
}

fn challenge_read_class() -> ClassDef {
    names!(challenge, expires_in);
    class(ChallengeRead).base(ResponseModel).body(block![
        docstring("The password was right; a code is asked for too."),
        annotate(challenge, str),
        ann_assign(
            expires_in,
            int,
            py!(Field(description = "Seconds until the challenge expires."))
        )
    ])
}

fn challenge_answer_class(mode: AuthMode) -> ClassDef {
    names!(challenge, code);
    class(ChallengeAnswer).base(RequestModel).body(block![
        docstring("A challenge, and a code of the device or a backup code."),
        annotate(challenge, Token),
        annotate(code, Code),
        wants_cookies(mode)
    ])
}

fn totp_code_class() -> ClassDef {
    names!(code);
    class(TotpCode)
        .base(RequestModel)
        .body(block![docstring("A code of the device."), annotate(code, Code)])
}

fn totp_enrolment_class() -> ClassDef {
    names!(secret, uri);
    class(TotpEnrolment).base(ResponseModel).body(block![
        docstring("A secret for the device, by itself and as the content of a QR code."),
        annotate(secret, str),
        annotate(uri, str)
    ])
}

fn totp_state_class() -> ClassDef {
    names!(enabled_at, backup_codes_left);
    class(TotpState).base(ResponseModel).body(block![
        docstring("Since when codes are asked for, and what there is if the device is lost."),
        annotate(enabled_at, py!(datetime | None)),
        annotate(backup_codes_left, int)
    ])
}

fn backup_codes_class() -> ClassDef {
    names!(codes);
    class(BackupCodes).base(ResponseModel).body(block![
        docstring("Codes for when the device is lost, each good once; they are shown now only."),
        annotate(codes, py!(list[str]))
    ])
}

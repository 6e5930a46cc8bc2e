//! `backend/app/services/email_service.py`: the mails that the application writes.

use crate::models::invitation::Invitation;
use crate::models::organization::Organization;
use crate::python::builtins::{str, tuple};
use crate::python::standard::dataclass;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.email_service": PRODUCT, Action, Mail, compose, verification_mail, welcome_mail,
        registration_notice, reset_mail, password_notice, email_change_mail, email_change_notice,
        deletion_notice, invitation_mail, leaked_key_notice, deaf_endpoint_notice, totp_on_notice,
        totp_off_notice;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.email_service").docstring("The mails that the application writes.").body(
        block![
            assign(PRODUCT, spec.project.title.as_str()),
            action_class(),
            mail_class(),
            compose_def(),
            verification_mail_def(),
            welcome_mail_def(),
            registration_notice_def(),
            reset_mail_def(),
            password_notice_def(),
            email_change_mail_def(),
            email_change_notice_def(),
            deletion_notice_def(),
            invitation_mail_def(),
            spec.organizations.api_keys.then(leaked_key_notice_def),
            spec.webhooks.enabled.then(deaf_endpoint_notice_def),
            spec.auth.has_totp().then(|| [totp_on_notice_def(), totp_off_notice_def()])
        ],
    )
}

fn action_class() -> ClassDef {
    names!(label, path, token);
    class(Action).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What a mail asks its reader to do: a page of the frontend, and a token for it."),
        annotate(label, str),
        annotate(path, str),
        annotate(token, str)
    ])
}

fn mail_class() -> ClassDef {
    names!(recipient, subject, parts);
    class(Mail).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A mail as its writer thinks of it: paragraphs, and what to do."),
        annotate(recipient, str),
        annotate(subject, str),
        annotate(parts, py!(tuple[(str | Action, ellipsis!())]))
    ])
}

fn compose_def() -> FunctionDef {
    names!(recipient, subject, parts);
    def(compose)
        .params([param(recipient, str), param(subject, str), varargs(parts, py!(str | Action))])
        .returns(Mail)
        .body(block![docstring("Write a mail."), return_(py!(Mail(recipient, subject, parts)))])
}

fn verification_mail_def() -> FunctionDef {
    names!(email, token);
    def(verification_mail).params([param(email, str), param(token, str)]).returns(Mail).body(
        block![
            docstring("Ask someone to prove that the address is theirs."),
            return_(py!(compose(
                email,
                "Confirm your address",
                f!("Sign in to {} and confirm that this address is yours.", PRODUCT),
                Action("Confirm the address", "/verify-email", token)
            )))
        ],
    )
}

fn welcome_mail_def() -> FunctionDef {
    names!(email);
    def(welcome_mail).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell somebody who was invited that they have an account now."),
        return_(py!(compose(
            email,
            "Your account is ready",
            f!("You can sign in to {} now, and accept the invitation.", PRODUCT)
        )))
    ])
}

fn registration_notice_def() -> FunctionDef {
    names!(email);
    def(registration_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell the owner of an account that someone tried to register it again."),
        return_(py!(compose(
            email,
            "You have an account",
            "Someone tried to register this address. You have an account already."
        )))
    ])
}

fn reset_mail_def() -> FunctionDef {
    names!(email, token);
    def(reset_mail).params([param(email, str), param(token, str)]).returns(Mail).body(block![
        docstring("Let the owner of an account set a new password."),
        return_(py!(compose(
            email,
            "Set a new password",
            f!("Somebody asked for a new password for your account at {}.", PRODUCT),
            "If it was not you, do nothing: the old one stays as it is.",
            Action("Set a new password", "/reset-password", token)
        )))
    ])
}

fn password_notice_def() -> FunctionDef {
    names!(email);
    def(password_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell the owner of an account that its password was changed."),
        return_(py!(compose(
            email,
            "Your password was changed",
            f!("The password of your account at {} was changed.", PRODUCT),
            "If it was not you, reset it now."
        )))
    ])
}

fn email_change_mail_def() -> FunctionDef {
    names!(email, token);
    def(email_change_mail).params([param(email, str), param(token, str)]).returns(Mail).body(
        block![
            docstring("Ask the owner of an account to prove that a new address is theirs."),
            return_(py!(compose(
                email,
                "Confirm your new address",
                f!("Sign in to {} and confirm that this address is yours now.", PRODUCT),
                Action("Confirm the new address", "/confirm-email", token)
            )))
        ],
    )
}

fn email_change_notice_def() -> FunctionDef {
    names!(email);
    def(email_change_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell the owner of an account, at the old address, that there is a new one."),
        return_(py!(compose(
            email,
            "Your address was changed",
            f!("Your account at {} has a new address.", PRODUCT),
            "If it was not you, ask us for help."
        )))
    ])
}

fn deletion_notice_def() -> FunctionDef {
    names!(email);
    def(deletion_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell somebody that their account is gone."),
        return_(py!(compose(
            email,
            "Your account is deleted",
            f!("Your account at {} was deleted.", PRODUCT)
        )))
    ])
}

fn leaked_key_notice_def() -> FunctionDef {
    names!(email, key_name);
    def(leaked_key_notice).params([param(email, str), param(key_name, str)]).returns(Mail).body(
        block![
            docstring("Tell the maker of an API key that it was found where it should not be."),
            return_(py!(compose(
                email,
                "An API key was revoked",
                f!("Your API key {} at {} was found in public and is revoked.", key_name, PRODUCT),
                "Make another one for the program that used it."
            )))
        ],
    )
}

fn deaf_endpoint_notice_def() -> FunctionDef {
    names!(email, host);
    def(deaf_endpoint_notice).params([param(email, str), param(host, str)]).returns(Mail).body(
        block![
            docstring("Tell somebody who manages webhooks that an endpoint is told nothing more."),
            return_(py!(compose(
                email,
                "A webhook is disabled",
                f!("What {} sends to {} is not taken any more.", PRODUCT, host),
                "Nothing more is sent until you enable the endpoint again."
            )))
        ],
    )
}

fn totp_on_notice_def() -> FunctionDef {
    names!(email);
    def(totp_on_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell the owner of an account that a sign-in takes a code now."),
        return_(py!(compose(
            email,
            "One-time codes are on",
            f!("A sign-in to your account at {} asks for a code from now on.", PRODUCT),
            "If it was not you, ask us for help."
        )))
    ])
}

fn totp_off_notice_def() -> FunctionDef {
    names!(email);
    def(totp_off_notice).params([param(email, str)]).returns(Mail).body(block![
        docstring("Tell the owner of an account that a sign-in takes no code any more."),
        return_(py!(compose(
            email,
            "One-time codes are off",
            f!("A sign-in to your account at {} asks for no code any more.", PRODUCT),
            "If it was not you, reset the password now."
        )))
    ])
}

fn invitation_mail_def() -> FunctionDef {
    names!(invitation, organization, token, name);
    def(invitation_mail)
        .params([
            param(invitation, Invitation),
            param(organization, Organization),
            param(token, str),
        ])
        .returns(Mail)
        .body(block![
            docstring("Invite someone to an organization."),
            assign(name, py!(" ".join(organization.name.split()))),
            return_(py!(compose(
                invitation.email,
                f!("Join {} on {}", name, PRODUCT),
                f!("You are invited to {} as {}.", name, invitation.role),
                Action("Accept the invitation", "/accept-invitation", token)
            )))
        ])
}

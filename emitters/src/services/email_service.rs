//! `backend/app/services/email_service.py`: mail. In this version it goes to the log; nothing leaves the machine.

use crate::core::settings::{Environment, Settings};
use crate::models::invitation::Invitation;
use crate::models::organization::Organization;
use crate::python::builtins::{__name__, list, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{Annotated, EmailMessage, Protocol, logging};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.email_service": logger, Mailer, ConsoleMailer, MemoryMailer, build_mailer,
        get_mailer, MailerDep, compose, verification_mail, registration_notice, reset_mail,
        password_notice, email_change_mail, email_change_notice, deletion_notice, invitation_mail;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.email_service")
        .docstring("Mail. In this version it goes to the log; nothing leaves the machine.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            mailer_class(),
            console_mailer_class(),
            memory_mailer_class(),
            build_mailer_def(),
            get_mailer_def(),
            assign(MailerDep, py!(Annotated[(Mailer, Depends(get_mailer))])),
            compose_def(),
            verification_mail_def(),
            registration_notice_def(),
            reset_mail_def(),
            password_notice_def(),
            email_change_mail_def(),
            email_change_notice_def(),
            deletion_notice_def(),
            invitation_mail_def(&spec.project.title)
        ])
}

fn mailer_class() -> ClassDef {
    class(Mailer)
        .base(Protocol)
        .body(block![docstring("Something that delivers mail."), mailer_send()])
}

fn mailer_send() -> FunctionDef {
    names!(message);
    async_def("send")
        .params([untyped("self"), param(message, EmailMessage)])
        .returns(none())
        .body(block![docstring("Deliver a message."), do_(ellipsis())])
}

fn console_mailer_class() -> ClassDef {
    class(ConsoleMailer).body(block![
        docstring("Writes messages to the log, tokens and all: for development."),
        console_mailer_send()
    ])
}

fn console_mailer_send() -> FunctionDef {
    names!(message, recipient, subject);
    async_def("send").params([untyped("self"), param(message, EmailMessage)]).returns(none()).body(
        block![
            docstring("Log a message."),
            assign(py!((recipient, subject)), py!((message["To"], message["Subject"]))),
            do_(py!(logger.info("Mail to %s: %s\n%s", recipient, subject, message.get_content())))
        ],
    )
}

fn memory_mailer_class() -> ClassDef {
    class(MemoryMailer).body(block![
        docstring("Keeps messages, so that a test can read them."),
        memory_mailer_init(),
        memory_mailer_send()
    ])
}

fn memory_mailer_init() -> FunctionDef {
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Start with an empty outbox."),
        ann_assign(py!(self.outbox), py!(list[EmailMessage]), py!([]))
    ])
}

fn memory_mailer_send() -> FunctionDef {
    names!(message);
    async_def("send")
        .params([untyped("self"), param(message, EmailMessage)])
        .returns(none())
        .body(block![docstring("Keep a message."), do_(py!(self.outbox.append(message)))])
}

fn build_mailer_def() -> FunctionDef {
    names!(settings);
    def(build_mailer).params([param(settings, Settings)]).returns(Mailer).body(block![
        docstring("Choose the mailer for the environment."),
        if_(py!(is_!(settings.environment, Environment.TEST)), [return_(py!(MemoryMailer()))]),
        return_(py!(ConsoleMailer()))
    ])
}

fn get_mailer_def() -> FunctionDef {
    names!(request, mailer);
    def(get_mailer).params([param(request, Request)]).returns(Mailer).body(block![
        docstring("Return the mailer of the application."),
        ann_assign(mailer, Mailer, py!(request.app.state.mailer)),
        return_(mailer)
    ])
}

fn compose_def() -> FunctionDef {
    names!(recipient, subject, text, message);
    def(compose)
        .params([param(recipient, str), param(subject, str), param(text, str)])
        .returns(EmailMessage)
        .body(block![
            docstring("Write a message; a line break in a header is refused by the library."),
            assign(message, py!(EmailMessage())),
            assign(py!(message["To"]), recipient),
            assign(py!(message["Subject"]), subject),
            do_(py!(message.set_content(text))),
            return_(message)
        ])
}

fn verification_mail_def() -> FunctionDef {
    names!(email, token, text);
    def(verification_mail)
        .params([param(email, str), param(token, str)])
        .returns(EmailMessage)
        .body(block![
            docstring("Ask someone to prove that the address is theirs."),
            assign(
                text,
                py!(f!("Sign in and confirm this address with the token:\n\n{}\n", token))
            ),
            return_(py!(compose(email, "Confirm your address", text)))
        ])
}

fn registration_notice_def() -> FunctionDef {
    names!(email, text);
    def(registration_notice).params([param(email, str)]).returns(EmailMessage).body(block![
        docstring("Tell the owner of an account that someone tried to register it again."),
        assign(text, "Someone tried to register this address. You have an account already.\n"),
        return_(py!(compose(email, "You have an account", text)))
    ])
}

fn reset_mail_def() -> FunctionDef {
    names!(email, token, text);
    def(reset_mail).params([param(email, str), param(token, str)]).returns(EmailMessage).body(
        block![
            docstring("Let the owner of an account set a new password."),
            assign(text, py!(f!("Set a new password with the token:\n\n{}\n", token))),
            return_(py!(compose(email, "Set a new password", text)))
        ],
    )
}

fn password_notice_def() -> FunctionDef {
    names!(email, text);
    def(password_notice).params([param(email, str)]).returns(EmailMessage).body(block![
        docstring("Tell the owner of an account that its password was changed."),
        assign(text, "The password of your account was changed. If it was not you, reset it.\n"),
        return_(py!(compose(email, "Your password was changed", text)))
    ])
}

fn email_change_mail_def() -> FunctionDef {
    names!(email, token, text);
    def(email_change_mail)
        .params([param(email, str), param(token, str)])
        .returns(EmailMessage)
        .body(block![
            docstring("Ask the owner of an account to prove that a new address is theirs."),
            assign(
                text,
                py!(f!("Sign in and confirm your new address with the token:\n\n{}\n", token))
            ),
            return_(py!(compose(email, "Confirm your new address", text)))
        ])
}

fn email_change_notice_def() -> FunctionDef {
    names!(email, text);
    def(email_change_notice).params([param(email, str)]).returns(EmailMessage).body(block![
        docstring("Tell the owner of an account, at the old address, that there is a new one."),
        assign(text, "Your account has a new address. If it was not you, ask us for help.\n"),
        return_(py!(compose(email, "Your address was changed", text)))
    ])
}

fn deletion_notice_def() -> FunctionDef {
    names!(email);
    def(deletion_notice).params([param(email, str)]).returns(EmailMessage).body(block![
        docstring("Tell somebody that their account is gone."),
        return_(py!(compose(email, "Your account is deleted", "Your account was deleted.\n")))
    ])
}

fn invitation_mail_def(title: &str) -> FunctionDef {
    names!(invitation, organization, token, text, name);
    let subject = f_string([string("Join "), formatted(name), string(format!(" on {title}"))]);
    def(invitation_mail)
        .params([
            param(invitation, Invitation),
            param(organization, Organization),
            param(token, str),
        ])
        .returns(EmailMessage)
        .body(block![
            docstring("Invite someone to an organization."),
            assign(
                text,
                py!(f!(
                    "You are invited as {}. Accept with the token:\n\n{}\n",
                    invitation.role,
                    token
                ))
            ),
            assign(name, py!(" ".join(organization.name.split()))),
            return_(py!(compose(invitation.email, subject, text)))
        ])
}

//! `backend/app/services/mailer.py`: what takes mail: the log in development, an SMTP server in production.

use crate::core::logging::VERBATIM;
use crate::core::settings::{Environment, Settings, SmtpSecurity};
use crate::python::aiosmtplib::{
    SMTP, SMTPDataError, SMTPRecipientsRefused, SMTPResponseException,
};
use crate::python::builtins::{__name__, Exception, bool, frozenset, list, str};
use crate::python::standard::{EmailMessage, Protocol, logging};
use crate::spec::{EmailBackend, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.mailer": logger, PERMANENT, NO_SUCH_ADDRESS, REFUSALS, MailRefusedError, Mailer,
        ConsoleMailer, MemoryMailer, SmtpMailer, answer_of, build_mailer, plain_body;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_smtp = spec.email.backend == EmailBackend::Smtp;
    module("app.services.mailer")
        .docstring(if is_smtp {
            "What takes mail: the log in development, an SMTP server in production."
        } else {
            "What takes mail: the log."
        })
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            is_smtp.then(|| [
                assign(PERMANENT, 500).paragraph(),
                assign(NO_SUCH_ADDRESS, py!(frozenset(set!(550, 551, 553)))),
                assign(REFUSALS, py!(NO_SUCH_ADDRESS | set!(552)))
                    .comment("A mailbox that is full is one all the same.")
            ]),
            mail_refused_error_class(),
            mailer_class(),
            console_mailer_class(),
            memory_mailer_class(),
            is_smtp.then(|| block![smtp_mailer_class(), answer_of_def()]),
            build_mailer_def(is_smtp),
            plain_body_def()
        ])
}

fn mail_refused_error_class() -> ClassDef {
    class(MailRefusedError).base(Exception).body(block![
        docstring("A mail server will never take this mail."),
        mail_refused_error_init()
    ])
}

fn mail_refused_error_init() -> FunctionDef {
    names!(reason, bad_address);
    def("__init__")
        .params([untyped("self"), param(reason, str), star(), param(bad_address, bool)])
        .returns(none())
        .body(block![
            docstring("Say why, and whether it is the address that is no good."),
            do_(py!(super().__init__(reason))),
            assign(py!(self.bad_address), bad_address)
        ])
}

fn mailer_class() -> ClassDef {
    class(Mailer)
        .base(Protocol)
        .body(block![docstring("Something that delivers mail."), mailer_send()])
}

fn mailer_send() -> FunctionDef {
    names!(message);
    async_def("send").params([untyped("self"), param(message, EmailMessage)]).returns(none()).body(
        block![
            docstring("Deliver a message, or raise: `MailRefusedError` if trying again is no use."),
            do_(py!(ellipsis!()))
        ],
    )
}

fn console_mailer_class() -> ClassDef {
    class(ConsoleMailer).body(block![
        docstring("Writes messages to the log, tokens and all: for development."),
        console_mailer_send()
    ])
}

fn console_mailer_send() -> FunctionDef {
    names!(message, recipient, subject, text);
    async_def("send").params([untyped("self"), param(message, EmailMessage)]).returns(none()).body(
        block![
            docstring("Log a message."),
            assign(py!((recipient, subject)), py!((message["To"], message["Subject"]))),
            assign(text, py!(plain_body(message))),
            do_(py!(logger.info("Mail to %s: %s\n%s", recipient, subject, text, extra = VERBATIM)))
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

fn smtp_mailer_class() -> ClassDef {
    class(SmtpMailer).body(block![
        docstring("Hands messages to an SMTP server."),
        smtp_mailer_init(),
        smtp_mailer_client(),
        smtp_mailer_send()
    ])
}

fn smtp_mailer_init() -> FunctionDef {
    names!(settings, host);
    def("__init__")
        .params([untyped("self"), param(settings, Settings), param(host, str)])
        .returns(none())
        .body(block![
            docstring("Take the server from the settings."),
            assign(py!(self.settings), settings),
            assign(py!(self.host), host)
        ])
}

fn smtp_mailer_client() -> FunctionDef {
    names!(security, password);
    def("client").params([untyped("self")]).returns(SMTP).body(block![
        docstring("Prepare a connection."),
        assign(security, py!(self.settings.smtp_security)),
        assign(password, py!(self.settings.smtp_password)),
        return_(py!(SMTP(
            hostname = self.host,
            port = self.settings.smtp_port,
            username = self.settings.smtp_username,
            password = if password == None { None } else { password.get_secret_value() },
            use_tls = is_!(security, SmtpSecurity.TLS),
            start_tls = is_!(security, SmtpSecurity.STARTTLS),
            timeout = self.settings.smtp_timeout_seconds
        )))
    ])
}

fn smtp_mailer_send() -> FunctionDef {
    names!(message, smtp, error, refused);
    async_def("send").params([untyped("self"), param(message, EmailMessage)]).returns(none()).body(
        block![
            docstring(
                "Deliver a message.\n\
                 \n\
                 Only what the server says about the mailbox or the content is final. A refused\n\
                 password or sender is a mistake in the settings: the mail waits for the mend."
            ),
            try_([async_with_as(
                py!(self.client()),
                smtp,
                [do_(py!(smtp.send_message(message).await))]
            )])
            .except_as(
                SMTPRecipientsRefused,
                error,
                block![
                    assign(refused, py!(error.recipients[0])),
                    if_(py!(not_in!(refused.code, REFUSALS)), [reraise()]),
                    raise_from(
                        py!(MailRefusedError(
                            answer_of(refused),
                            bad_address = in_!(refused.code, NO_SUCH_ADDRESS)
                        )),
                        error
                    )
                ]
            )
            .except_as(
                SMTPDataError,
                error,
                block![
                    if_(py!(error.code < PERMANENT), [reraise()]),
                    raise_from(py!(MailRefusedError(answer_of(error), bad_address = false)), error)
                ]
            )
        ],
    )
}

fn answer_of_def() -> FunctionDef {
    names!(error);
    def(answer_of).params([param(error, SMTPResponseException)]).returns(str).body(block![
        docstring("Say what the server said."),
        return_(py!(f!("{} {}", error.code, error.message)))
    ])
}

fn build_mailer_def(is_smtp: bool) -> FunctionDef {
    names!(settings);
    def(build_mailer).params([param(settings, Settings)]).returns(Mailer).body(block![
        docstring("Choose the mailer for the environment."),
        if_(py!(is_!(settings.environment, Environment.TEST)), [return_(py!(MemoryMailer()))]),
        is_smtp.then(|| if_(
            py!(settings.smtp_host != None),
            [return_(py!(SmtpMailer(settings, settings.smtp_host)))]
        )),
        return_(py!(ConsoleMailer()))
    ])
}

fn plain_body_def() -> FunctionDef {
    names!(message, body);
    def(plain_body).params([param(message, EmailMessage)]).returns(str).body(block![
        docstring("Return what a message says, without its HTML."),
        assign(body, py!(message.get_body(("plain",)))),
        return_(py!(if body == None { "" } else { body.get_content() }))
    ])
}

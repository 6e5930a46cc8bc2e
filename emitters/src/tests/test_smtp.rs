//! `backend/tests/test_smtp.py`: mail over SMTP, to a real server in this process.

use crate::core::settings::{Settings, SmtpSecurity};
use crate::python::aiosmtpd::{Controller, Envelope};
use crate::python::aiosmtplib::{SMTPException, SMTPRecipientsRefused};
use crate::python::builtins::{bool, isinstance, list, object, setattr, str};
use crate::python::pytest::pytest;
use crate::python::standard::{EmailMessage, Generator, message_from_bytes, policy};
use crate::services::email_service::compose;
use crate::services::mail_message::build_message;
use crate::services::mailer::{MailRefusedError, SmtpMailer, build_mailer, plain_body};
use crate::tests::servers::{LOCALHOST, free_port};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_smtp": Postbox, postbox, mailer, message;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_smtp").docstring("Mail over SMTP, to a real server in this process.").body(
        block![
            postbox_class(),
            postbox_def(),
            mailer_def(),
            message_def(),
            test_a_message_arrives_as_it_was_written(),
            test_a_recipient_can_be_refused_for_good(),
            test_a_mistake_in_the_settings_refuses_no_mail(),
            test_a_message_can_be_refused_for_good(),
            test_a_server_that_is_busy_can_be_asked_again(),
            test_a_server_that_is_away_can_be_asked_again(),
            test_a_host_makes_mail_leave()
        ],
    )
}

fn postbox_class() -> ClassDef {
    class(Postbox).body(block![
        docstring("A mail server that answers as it is told."),
        postbox_init(),
        postbox_handle_rcpt().trailing_comment("noqa: N802 - its name there"),
        postbox_handle_data().trailing_comment("noqa: N802 - its name there")
    ])
}

fn postbox_init() -> FunctionDef {
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Take everything."),
        ann_assign(py!(self.messages), py!(list[EmailMessage]), py!([])),
        assign(py!(self.recipient_answer), "250 OK"),
        assign(py!(self.data_answer), "250 OK")
    ])
}

fn postbox_handle_rcpt() -> FunctionDef {
    names!(call, _server, _session, envelope, address, _options);
    async_def("handle_RCPT").params([untyped("self"), varargs(call, object)]).returns(str).body(
        block![
            docstring("Answer to a recipient."),
            assign(py!((_server, _session, envelope, address, _options)), call),
            if_(
                py!(self.recipient_answer.startswith("250")),
                block![
                    assert_(py!(isinstance(envelope, Envelope))),
                    do_(py!(envelope.rcpt_tos.append(str(address))))
                ]
            ),
            return_(py!(self.recipient_answer))
        ],
    )
}

fn postbox_handle_data() -> FunctionDef {
    names!(call, _server, _session, envelope, content);
    async_def("handle_DATA").params([untyped("self"), varargs(call, object)]).returns(str).body(
        block![
            docstring("Take a message."),
            assign(py!((_server, _session, envelope)), call),
            assert_(py!(isinstance(envelope, Envelope))),
            assign(content, py!(envelope.original_content || b"")),
            assign(message, py!(message_from_bytes(content, EmailMessage, policy = policy.SMTP))),
            do_(py!(self.messages.append(message))),
            return_(py!(self.data_answer))
        ],
    )
}

fn postbox_def() -> FunctionDef {
    def(postbox).decorator(py!(pytest.fixture)).returns(Postbox).body([return_(py!(Postbox()))])
}

fn mailer_def() -> FunctionDef {
    names!(settings, port, controller, local);
    def(mailer)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings), param(postbox, Postbox)])
        .returns(py!(Generator[(SmtpMailer, None, None)]))
        .body(block![
            assign(port, py!(free_port())),
            assign(controller, py!(Controller(postbox, hostname = LOCALHOST, port = port))),
            do_(py!(controller.start())),
            assign(local, py!(dict!("smtp_port" => port, "smtp_security" => SmtpSecurity.NONE))),
            do_(py!(yield_!(SmtpMailer(settings.model_copy(update = local), LOCALHOST)))),
            do_(py!(controller.stop()))
        ])
}

fn message_def() -> FunctionDef {
    names!(settings, mail);
    def(message).params([param(settings, Settings)]).returns(EmailMessage).body(block![
        docstring("Write a message."),
        assign(mail, py!(compose("ada@example.com", "Grüße", "Zeile eins."))),
        return_(py!(build_message(mail, settings)))
    ])
}

fn test_a_message_arrives_as_it_was_written() -> FunctionDef {
    names!(settings, arrived);
    async_def("test_a_message_arrives_as_it_was_written")
        .params([param(settings, Settings), param(mailer, SmtpMailer), param(postbox, Postbox)])
        .returns(none())
        .body(block![
            do_(py!(mailer.send(message(settings)).await)),
            assign(py!((arrived,)), py!(postbox.messages)),
            assert_(py!(arrived["To"] == "ada@example.com")),
            assert_(py!(arrived["Subject"] == "Grüße")),
            assert_(py!(plain_body(arrived).strip() == "Zeile eins.")),
            assert_(py!(arrived.get_body(("html",)) != None))
        ])
}

fn test_a_recipient_can_be_refused_for_good() -> FunctionDef {
    names!(settings, answer, bad_address, refused);
    async_def("test_a_recipient_can_be_refused_for_good")
        .decorator(py!(pytest.mark.parametrize(
            ("answer", "bad_address"),
            [("550 no such user", true), ("552 mailbox full", false)]
        )))
        .params([
            param(settings, Settings),
            param(mailer, SmtpMailer),
            param(postbox, Postbox),
            param(answer, str),
            star(),
            param(bad_address, bool),
        ])
        .returns(none())
        .body(block![
            assign(py!(postbox.recipient_answer), answer),
            with_as(
                py!(pytest.raises(MailRefusedError, r#match = answer)),
                refused,
                [do_(py!(mailer.send(message(settings)).await))]
            ),
            assert_(py!(is_!(refused.value.bad_address, bad_address)))
        ])
}

fn test_a_message_can_be_refused_for_good() -> FunctionDef {
    names!(settings, refused);
    async_def("test_a_message_can_be_refused_for_good")
        .params([param(settings, Settings), param(mailer, SmtpMailer), param(postbox, Postbox)])
        .returns(none())
        .body(block![
            assign(py!(postbox.data_answer), "554 looks like spam"),
            with_as(
                py!(pytest.raises(MailRefusedError, r#match = "554")),
                refused,
                [do_(py!(mailer.send(message(settings)).await))]
            ),
            assert_(py!(!refused.value.bad_address))
        ])
}

fn test_a_mistake_in_the_settings_refuses_no_mail() -> FunctionDef {
    names!(settings, answer);
    async_def("test_a_mistake_in_the_settings_refuses_no_mail")
        .decorator(py!(pytest
            .mark
            .parametrize("answer", ["530 sign in first", "554 relay access denied"])))
        .params([
            param(settings, Settings),
            param(mailer, SmtpMailer),
            param(postbox, Postbox),
            param(answer, str),
        ])
        .returns(none())
        .body(block![
            assign(py!(postbox.recipient_answer), answer),
            with(
                py!(pytest.raises(SMTPRecipientsRefused)),
                [do_(py!(mailer.send(message(settings)).await))]
            )
        ])
}

fn test_a_server_that_is_busy_can_be_asked_again() -> FunctionDef {
    names!(settings, part);
    async_def("test_a_server_that_is_busy_can_be_asked_again")
        .decorator(py!(pytest.mark.parametrize("part", ["recipient_answer", "data_answer"])))
        .params([
            param(settings, Settings),
            param(mailer, SmtpMailer),
            param(postbox, Postbox),
            param(part, str),
        ])
        .returns(none())
        .body(block![
            do_(py!(setattr(postbox, part, "451 try again later"))),
            with(
                py!(pytest.raises(SMTPException)),
                [do_(py!(mailer.send(message(settings)).await))]
            )
        ])
}

fn test_a_server_that_is_away_can_be_asked_again() -> FunctionDef {
    names!(settings, nowhere);
    async_def("test_a_server_that_is_away_can_be_asked_again")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(nowhere, py!(settings.model_copy(update = dict!("smtp_port" => free_port())))),
            with(
                py!(pytest.raises(SMTPException)),
                [do_(py!(SmtpMailer(nowhere, LOCALHOST).send(message(settings)).await))]
            )
        ])
}

fn test_a_host_makes_mail_leave() -> FunctionDef {
    def("test_a_host_makes_mail_leave").returns(none()).body([assert_(py!(isinstance(
        build_mailer(Settings(smtp_host = "mail.example.com")),
        SmtpMailer
    )))])
}

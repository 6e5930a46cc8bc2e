//! `backend/tests/test_outbox.py`: the outbox: what becomes of a mail.

use crate::core::jobs::JobAbortedError;
use crate::core::sealing::Sealer;
use crate::models::email::EmailStatus;
use crate::models::package::{Email, EmailSuppression};
use crate::python::builtins::{ConnectionRefusedError, Exception, len, list, range, sorted, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::select;
use crate::python::standard::{EmailMessage, UUID};
use crate::services::email_service::compose;
use crate::services::mailer::{MailRefusedError, MemoryMailer};
use crate::services::outbox::{EmailDelivery, Outbox};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_outbox": StubbornMailer, delivery, put, read;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_outbox").docstring("The outbox: what becomes of a mail.").body(block![
        stubborn_mailer_class(),
        delivery_def(),
        put_def(),
        read_def(),
        test_what_a_mail_says_is_sealed_until_it_leaves(),
        test_a_decoy_goes_nowhere(),
        test_a_mail_leaves_once(),
        test_a_mail_outlives_a_mail_server_that_is_away(),
        test_a_bad_address_gets_no_further_mail(),
        test_a_bad_mail_does_not_spoil_the_address(),
        test_an_address_is_suppressed_once(),
        test_a_mail_that_cannot_be_opened_is_given_up()
    ])
}

fn stubborn_mailer_class() -> ClassDef {
    class(StubbornMailer).body(block![
        docstring("Raises what it is told to raise."),
        stubborn_mailer_init(),
        stubborn_mailer_send()
    ])
}

fn stubborn_mailer_init() -> FunctionDef {
    names!(error);
    def("__init__")
        .params([untyped("self"), param(error, Exception)])
        .returns(none())
        .body(block![docstring("Refuse everything."), assign(py!(self.error), error)])
}

fn stubborn_mailer_send() -> FunctionDef {
    names!(message);
    async_def("send")
        .params([untyped("self"), param(message, EmailMessage)])
        .returns(none())
        .body(block![docstring("Refuse a message."), raise(py!(self.error))])
}

fn delivery_def() -> FunctionDef {
    names!(world, mailer, state);
    def(delivery)
        .params([
            param(world, World),
            param(mailer, py!(StubbornMailer | MemoryMailer | None)).default(none()),
        ])
        .returns(EmailDelivery)
        .body(block![
            docstring("Return the delivery of the application, with another mailer if asked."),
            assign(state, py!(world.app.state)),
            return_(py!(EmailDelivery(state.database, mailer || state.mailer, state.sealer)))
        ])
}

fn put_def() -> FunctionDef {
    names!(world, recipient, state, session, outbox);
    async_def(put)
        .params([param(world, World), param(recipient, str).default("ada@example.com")])
        .returns(UUID)
        .body(block![
            docstring("Put a mail into the outbox, and leave it there."),
            assign(state, py!(world.app.state)),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(outbox, py!(Outbox(session, state.settings, state.sealer))),
                    do_(py!(outbox.add(compose(recipient, "the subject", "the text")))),
                    do_(py!(session.info.clear())),
                    do_(py!(session.commit().await)),
                    return_(py!(session.scalars(select(Email.id)).await.one()))
                ]
            )
        ])
}

fn read_def() -> FunctionDef {
    names!(world, session);
    async_def(read).params([param(world, World)]).returns(Email).body(block![
        docstring("Read the one mail of the outbox."),
        async_with_as(
            py!(world.database.session()),
            session,
            [return_(py!(session.scalars(select(Email)).await.one()))]
        )
    ])
}

fn test_what_a_mail_says_is_sealed_until_it_leaves() -> FunctionDef {
    names!(world, email_id, waiting, sent);
    async_def("test_what_a_mail_says_is_sealed_until_it_leaves")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(email_id, py!(put(world).await)),
            assign(waiting, py!(read(world).await)),
            assert_(py!(is_!(waiting.status, EmailStatus.QUEUED))),
            assert_(py!(waiting.sealed_message != None)),
            assert_(py!(not_in!("the text", waiting.sealed_message))),
            do_(py!(delivery(world).deliver(email_id).await)),
            assign(sent, py!(read(world).await)),
            assert_(py!(is_!(sent.status, EmailStatus.SENT))),
            assert_(py!(sent.sealed_message == None)),
            assert_(py!(world.outbox[0]["Message-ID"].startswith(f!("<{}@", email_id))))
        ])
}

fn test_a_decoy_goes_nowhere() -> FunctionDef {
    names!(world, state, session);
    async_def("test_a_decoy_goes_nowhere").params([param(world, World)]).returns(none()).body(
        block![
            assign(state, py!(world.app.state)),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    do_(py!(Outbox(session, state.settings, state.sealer).add_or_pretend(None))),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(state.dispatcher.drain().await)),
            assert_(py!(is_!(read(world).await.status, EmailStatus.SUPPRESSED))),
            assert_(py!(world.outbox == []))
        ],
    )
}

fn test_a_mail_leaves_once() -> FunctionDef {
    names!(world, email_id);
    async_def("test_a_mail_leaves_once").params([param(world, World)]).returns(none()).body(block![
        assign(email_id, py!(put(world).await)),
        for_(name("_"), py!(range(2)), [do_(py!(delivery(world).deliver(email_id).await))]),
        assert_(py!(len(world.outbox) == 1))
    ])
}

fn test_a_mail_outlives_a_mail_server_that_is_away() -> FunctionDef {
    names!(world, email_id, away);
    async_def("test_a_mail_outlives_a_mail_server_that_is_away")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(email_id, py!(put(world).await)),
            assign(away, py!(StubbornMailer(ConnectionRefusedError()))),
            with(
                py!(pytest.raises(ConnectionRefusedError)),
                [do_(py!(delivery(world, away).deliver(email_id).await))]
            ),
            assert_(py!(is_!(read(world).await.status, EmailStatus.QUEUED))),
            do_(py!(delivery(world).deliver(email_id).await)),
            assert_(py!(len(world.outbox) == 1))
        ])
}

fn test_a_bad_address_gets_no_further_mail() -> FunctionDef {
    names!(world, email_id, refusal, refused, session, statuses);
    async_def("test_a_bad_address_gets_no_further_mail")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(email_id, py!(put(world).await)),
            assign(refusal, py!(MailRefusedError("550 no such user", bad_address = true))),
            do_(py!(delivery(world, StubbornMailer(refusal)).deliver(email_id).await)),
            assign(refused, py!(read(world).await)),
            assert_(py!(is_!(refused.status, EmailStatus.REFUSED))),
            assert_(py!(refused.error == "550 no such user")),
            assert_(py!(refused.sealed_message == None)),
            do_(py!(world.register("ada@example.com").await)).paragraph(),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(statuses, py!(list(session.scalars(select(Email.status)).await)))]
            ),
            assert_(py!(sorted(statuses) == [EmailStatus.REFUSED, EmailStatus.SUPPRESSED])),
            assert_(py!(world.outbox == []))
        ])
}

fn test_a_bad_mail_does_not_spoil_the_address() -> FunctionDef {
    names!(world, email_id, refusal, session);
    async_def("test_a_bad_mail_does_not_spoil_the_address")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(email_id, py!(put(world).await)),
            assign(refusal, py!(MailRefusedError("554 looks like spam", bad_address = false))),
            do_(py!(delivery(world, StubbornMailer(refusal)).deliver(email_id).await)),
            assert_(py!(is_!(read(world).await.status, EmailStatus.REFUSED))),
            async_with_as(
                py!(world.database.session()),
                session,
                [assert_(py!(list(session.scalars(select(EmailSuppression)).await) == []))]
            )
        ])
}

fn test_an_address_is_suppressed_once() -> FunctionDef {
    names!(world, session);
    async_def("test_an_address_is_suppressed_once")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            for_(
                name("_"),
                py!(range(2)),
                [do_(py!(delivery(world).suppress("ada@example.com", "550 no such user").await))]
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                [assert_(py!(len(list(session.scalars(select(EmailSuppression)).await)) == 1))]
            )
        ])
}

fn test_a_mail_that_cannot_be_opened_is_given_up() -> FunctionDef {
    names!(world, email_id, state, secret, session, email);
    async_def("test_a_mail_that_cannot_be_opened_is_given_up")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(email_id, py!(put(world).await)),
            assign(state, py!(world.app.state)),
            assign(
                secret,
                py!(state
                    .settings
                    .model_copy(update = dict!("secret_key" => state.settings.secret_key)))
            ),
            assert_(py!(Sealer(secret).open(Sealer(state.settings).seal("text")) == "text")),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(email, py!(session.get_one(Email, email_id).await)),
                    assign(py!(email.sealed_message), "changed"),
                    do_(py!(session.commit().await))
                ]
            ),
            with(
                py!(pytest.raises(JobAbortedError, r#match = "another key")),
                [do_(py!(delivery(world).deliver(email_id).await))]
            )
        ])
}

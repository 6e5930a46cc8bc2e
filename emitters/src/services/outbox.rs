//! `backend/app/services/outbox.py`: the outbox: mail is stored with the change that it tells of, and leaves after it.

use crate::core::database::{Database, SessionDep};
use crate::core::jobs::{JobAbortedError, JobKind, enqueue};
use crate::core::sealing::{BrokenSealError, Sealer};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::email::{Email, EmailStatus, EmailSuppression};
use crate::python::builtins::str;
use crate::python::fastapi::{Depends, Request};
use crate::python::pydantic::BaseModel;
use crate::python::sqlalchemy::{IntegrityError, select};
use crate::python::standard::{
    Annotated, EmailMessage, SMTP, UUID, dataclass, message_from_string, uuid4,
};
use crate::services::email_service::{Mail, compose};
use crate::services::mail_message::build_message;
use crate::services::mailer::{MailRefusedError, Mailer};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.outbox": EmailJob, DECOY, DELIVER_EMAIL, get_sealer, SealerDep, Outbox, OutboxDep,
        EmailDelivery;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.outbox")
        .docstring(
            "The outbox: mail is stored with the change that it tells of, and leaves after it.",
        )
        .body(block![
            email_job_class(),
            assign(DECOY, py!(compose("nobody@localhost", "Decoy", "This goes nowhere."))),
            assign(DELIVER_EMAIL, py!(JobKind("deliver_email", EmailJob, max_attempts = 12))),
            get_sealer_def(),
            assign(SealerDep, py!(Annotated[(Sealer, Depends(get_sealer))])),
            outbox_class(),
            assign(OutboxDep, py!(Annotated[(Outbox, Depends(Outbox))])),
            email_delivery_class()
        ])
}

fn email_job_class() -> ClassDef {
    names!(email_id);
    class(EmailJob).base(BaseModel).body(block![docstring("Which mail."), annotate(email_id, UUID)])
}

fn get_sealer_def() -> FunctionDef {
    names!(request, sealer);
    def(get_sealer).params([param(request, Request)]).returns(Sealer).body(block![
        docstring("Return the sealer of the application."),
        ann_assign(sealer, Sealer, py!(request.app.state.sealer)),
        return_(sealer)
    ])
}

fn outbox_class() -> ClassDef {
    names!(session, settings, sealer);
    class(Outbox).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Where a service puts its mail: it is sent if the transaction commits."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(sealer, SealerDep),
        outbox_add(),
        outbox_add_or_pretend()
    ])
}

fn outbox_add() -> FunctionDef {
    names!(mail, email_id, message, domain, email);
    def("add").params([untyped("self"), param(mail, Mail)]).returns(none()).body(block![
        docstring("Store a mail, and ask for its delivery."),
        assign(email_id, py!(uuid4())),
        assign(message, py!(build_message(mail, self.settings))),
        assign(domain, py!(self.settings.email_sender.partition("@")[2])),
        assign(py!(message["Message-ID"]), py!(f!("<{}@{}>", email_id, domain))),
        assign(
            email,
            py!(Email(
                id = email_id,
                recipient = mail.recipient,
                subject = mail.subject,
                sealed_message = self.sealer.seal(message.as_string())
            ))
        ),
        do_(py!(self.session.add(email))),
        do_(py!(enqueue(self.session, DELIVER_EMAIL, EmailJob(email_id = email_id))))
    ])
}

fn outbox_add_or_pretend() -> FunctionDef {
    names!(mail);
    def("add_or_pretend")
        .params([untyped("self"), param(mail, py!(Mail | None))])
        .returns(none())
        .body(block![
            docstring("Store a mail, or a decoy: nothing must tell whether there was one to send."),
            do_(py!(self.add(mail || DECOY)))
        ])
}

fn email_delivery_class() -> ClassDef {
    names!(database, mailer, sealer);
    class(EmailDelivery).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The way of a mail out of the outbox."),
        annotate(database, Database),
        annotate(mailer, Mailer),
        annotate(sealer, Sealer),
        email_delivery_deliver(),
        email_delivery_open(),
        email_delivery_finish(),
        email_delivery_suppress()
    ])
}

fn email_delivery_deliver() -> FunctionDef {
    names!(email_id, message, error);
    async_def("deliver").params([untyped("self"), param(email_id, UUID)]).returns(none()).body(
        block![
            docstring(
                "Send a mail unless that is done. No transaction is open meanwhile.\n\
                 \n\
                 Should the process die between the server's answer and our note of it, the mail\n\
                 is sent again; its message id stays the same."
            ),
            assign(message, py!(self.open(email_id).await)),
            if_(py!(message == None), [return_none()]),
            try_([do_(py!(self.mailer.send(message).await))])
                .except_as(
                    MailRefusedError,
                    error,
                    block![
                        do_(py!(self.finish(email_id, EmailStatus.REFUSED, str(error)).await)),
                        if_(
                            py!(error.bad_address),
                            [do_(py!(self.suppress(message["To"], str(error)).await))]
                        )
                    ]
                )
                .else_([do_(py!(self.finish(email_id, EmailStatus.SENT).await))])
        ],
    )
}

fn email_delivery_open() -> FunctionDef {
    names!(email_id, session, email, suppressed, reason, text, error);
    async_def("open")
        .params([untyped("self"), param(email_id, UUID)])
        .returns(py!(EmailMessage | None))
        .body(block![
            docstring("Return the message of a mail that is to be sent."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(email, py!(session.get(Email, email_id).await)),
                    if_(py!(email == None || email.sealed_message == None), [return_(none())]),
                    assign(
                        suppressed,
                        py!(select(EmailSuppression.reason)
                            .r#where(EmailSuppression.address == email.recipient))
                    ),
                    assign(reason, py!(session.scalar(suppressed).await))
                ]
            ),
            if_(
                py!(reason != None || email.recipient == DECOY.recipient),
                block![
                    do_(py!(self.finish(email_id, EmailStatus.SUPPRESSED, reason).await)),
                    return_(none())
                ]
            ),
            try_([assign(text, py!(self.sealer.open(email.sealed_message)))]).except_as(
                BrokenSealError,
                error,
                [raise_from(py!(JobAbortedError(str(error))), error)]
            ),
            return_(py!(message_from_string(text, EmailMessage, policy = SMTP)))
        ])
}

fn email_delivery_finish() -> FunctionDef {
    names!(email_id, status, error, session, email);
    async_def("finish")
        .params([
            untyped("self"),
            param(email_id, UUID),
            param(status, EmailStatus),
            param(error, py!(str | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Note what became of a mail, and forget what it said."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(email, py!(session.get_one(Email, email_id).await)),
                    assign(py!(email.status), status),
                    assign(py!(email.error), error),
                    assign(py!(email.sealed_message), none()),
                    assign(py!(email.finished_at), py!(utcnow())),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn email_delivery_suppress() -> FunctionDef {
    names!(address, reason, session);
    async_def("suppress")
        .params([untyped("self"), param(address, str), param(reason, str)])
        .returns(none())
        .body(block![
            docstring("Send nothing to an address any more."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(session.add(EmailSuppression(address = address, reason = reason)))),
                    try_([do_(py!(session.commit().await))])
                        .except(IntegrityError, [do_(py!(session.rollback().await))])
                ]
            )
        ])
}

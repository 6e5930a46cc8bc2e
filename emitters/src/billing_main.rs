//! `backend/app/billing.py`: what a person does about billing from a shell.

use crate::core::database::Database;
use crate::core::logging::configure_logging;
use crate::core::settings::Settings;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::python::builtins::{__name__, int, str};
use crate::python::sqlalchemy::select;
use crate::python::standard::{ArgumentParser, Sequence, UUID, asyncio, sys};
use crate::services::billing_connection::connected_provider;
use crate::services::billing_inbox::BillingInbox;
use crate::services::billing_reconcile::{is_refreshed, reconcile};
use crate::services::billing_sync::build_sync;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.billing": build_parser, main, run, synchronize, list_failed, replay, say;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.billing").docstring("Billing from a shell: `python -m app.billing --help`.").body(
        block![
            main_def(),
            build_parser_def(),
            run_def(),
            synchronize_def(),
            list_failed_def(),
            replay_def(),
            say_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ],
    )
}

fn main_def() -> FunctionDef {
    names!(settings);
    def(main).returns(none()).body(block![
        docstring("Do what the command line asks for; 1 says that something is left to do."),
        assign(settings, py!(Settings())),
        do_(py!(configure_logging(settings))),
        do_(py!(sys.exit(asyncio.run(run(settings, sys.argv[1..])))))
    ])
}

fn build_parser_def() -> FunctionDef {
    names!(parser, commands, sync, replaying);
    def(build_parser).returns(ArgumentParser).body(block![
        docstring("Describe the command line."),
        assign(
            parser,
            py!(ArgumentParser(
                prog = "python -m app.billing",
                description = "Deal with billing by hand."
            ))
        ),
        assign(commands, py!(parser.add_subparsers(dest = "command", required = true))),
        assign(
            sync,
            py!(commands.add_parser(
                "sync",
                help = "ask the provider for subscriptions and write them down"
            ))
        ),
        do_(py!(sync.add_argument(
            "ids",
            nargs = "*",
            r#type = UUID,
            help = "the ids of payers; without any, all whose subscription has not ended"
        ))),
        do_(py!(commands.add_parser("failed", help = "list the events that wait for a person"))),
        assign(replaying, py!(commands.add_parser("replay", help = "process events again"))),
        do_(py!(replaying.add_argument(
            "ids",
            nargs = "*",
            help = "the provider's ids of events; without any, all that have failed"
        ))),
        return_(parser)
    ])
}

fn run_def() -> FunctionDef {
    names!(settings, argv, arguments, database);
    async_def(run)
        .params([param(settings, Settings), param(argv, py!(Sequence[str]))])
        .returns(int)
        .body(block![
            docstring("Do what the arguments ask for, and return the exit code."),
            assign(arguments, py!(build_parser().parse_args(argv))),
            assign(database, py!(Database(settings))),
            try_(block![
                if_(
                    py!(arguments.command == "sync"),
                    [return_(py!(synchronize(settings, database, arguments.ids).await))]
                ),
                if_(
                    py!(arguments.command == "replay"),
                    [return_(py!(replay(database, arguments.ids).await))]
                ),
                return_(py!(list_failed(database).await))
            ])
            .finally([do_(py!(database.close().await))])
        ])
}

fn synchronize_def() -> FunctionDef {
    names!(settings, database, payer_ids, payer_id, provider, sync, failed);
    async_def(synchronize)
        .params([
            param(settings, Settings),
            param(database, Database),
            param(payer_ids, py!(Sequence[UUID])),
        ])
        .returns(int)
        .body(block![
            docstring("Bring payers up to date."),
            async_with_as(
                py!(connected_provider(settings)),
                provider,
                block![
                    assign(sync, py!(build_sync(settings, database, provider))),
                    if_(
                        py!(payer_ids),
                        block![assign(
                            failed,
                            py!(list!(
                                payer_id
                                for payer_id in payer_ids
                                if !is_refreshed(sync, payer_id).await
                            ))
                        )]
                    )
                    .else_([assign(failed, py!(reconcile(sync).await))])
                ]
            ),
            for_(payer_id, failed, [do_(py!(say(f!("not brought up to date: {}", payer_id))))]),
            return_(py!(if failed { 1 } else { 0 }))
        ])
}

fn list_failed_def() -> FunctionDef {
    names!(database, statement, session, events, event);
    async_def(list_failed).params([param(database, Database)]).returns(int).body(block![
        docstring("List the events that wait for a person, the oldest first."),
        assign(
            statement,
            py!(select(BillingEvent)
                .r#where(BillingEvent.status == BillingEventStatus.FAILED)
                .order_by(BillingEvent.created_at, BillingEvent.id))
        ),
        async_with_as(
            py!(database.session()),
            session,
            [assign(events, py!(session.scalars(statement).await.all()))]
        ),
        for_(
            event,
            events,
            [do_(py!(say(f!("{} {}: {}", event.event_id, event.r#type, event.error))))]
        ),
        return_(py!(if events { 1 } else { 0 }))
    ])
}

fn replay_def() -> FunctionDef {
    names!(database, event_ids, event_id, inbox, missing);
    async_def(replay)
        .params([param(database, Database), param(event_ids, py!(Sequence[str]))])
        .returns(int)
        .body(block![
            docstring("Give events to the workers again."),
            assign(inbox, py!(BillingInbox(database))),
            if_(
                py!(!event_ids),
                block![
                    do_(py!(say(f!("events to process again: {}", inbox.replay().await)))),
                    return_(0)
                ]
            ),
            assign(
                missing,
                py!(list!(
                    event_id for event_id in event_ids if inbox.replay(event_id).await == 0
                ))
            ),
            for_(event_id, missing, [do_(py!(say(f!("no such event: {}", event_id))))]),
            return_(py!(if missing { 1 } else { 0 }))
        ])
}

fn say_def() -> FunctionDef {
    names!(line);
    def(say).params([param(line, str)]).returns(none()).body(block![
        docstring("Write a line to the standard output."),
        do_(py!(sys.stdout.write(f!("{}\n", line))))
    ])
}

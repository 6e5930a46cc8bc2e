//! `backend/app/manage.py`: what a person does about the product from a shell.

use crate::app_main::create_app;
use crate::billing_main::replay;
use crate::core::logging::configure_logging;
use crate::core::passwords::PasswordHasher;
use crate::core::roles::UserRole;
use crate::core::sealing::{BrokenSealError, Sealer};
use crate::core::security::Signer;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::email::{Email, EmailSuppression};
use crate::models::job::{Job, JobStatus};
use crate::models::totp::TotpFactor;
use crate::models::user::User;
use crate::models::webhook::WebhookEndpoint;
use crate::python::builtins::{__name__, bool, dict, int, isinstance, len, str};
use crate::python::pydantic::ValidationError;
use crate::python::sqlalchemy::{AsyncSession, IntegrityError, delete, select};
use crate::python::standard::{
    ArgumentParser, Awaitable, Callable, Namespace, Sequence, UUID, asyncio, json, os, secrets,
    sys, uuid4,
};
use crate::schemas::auth::RegisterRequest;
use crate::services::file_sweeper::sweep_files;
use crate::services::job_context::JobContext;
use crate::services::job_control::{call_off, revive};
use crate::services::maintenance::{Nothing, prune};
use crate::services::organization_service::OrganizationService;
use crate::services::resources::Resources;
use crate::services::tenants::every_tenant;
use crate::services::trash::empty_trash;
use crate::services::trial_service::TrialService;
use crate::spec::Spec;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.manage": IS_THERE, PASSWORD_BYTES, COMMANDS, build_parser, main, run, create_owner, found,
        replay_webhook, list_dead_jobs, retry_jobs, cancel_jobs, allow_mail, rotate_keys, is_sealed_again,
        run_sweeper, say;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_trial = spec.billing.as_ref().is_some_and(|billing| billing.own_trial().is_some());
    module("app.manage").docstring("The product from a shell: `python -m app.manage --help`.").body(
        block![
            assign(IS_THERE, 3),
            assign(PASSWORD_BYTES, 18),
            main_def(),
            build_parser_def(spec.billing.is_some()),
            run_def(spec.tenancy.row_level_security),
            create_owner_def(),
            found_def(has_trial),
            spec.billing.is_some().then(replay_webhook_def),
            list_dead_jobs_def(),
            retry_jobs_def(),
            cancel_jobs_def(),
            allow_mail_def(),
            rotate_keys_def(spec),
            is_sealed_again_def(spec),
            run_sweeper_def(spec),
            say_def(),
            commands_of(spec.billing.is_some()),
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

fn build_parser_def(has_billing: bool) -> FunctionDef {
    names!(parser, commands, owner, replaying, allowing);
    let replaying_command = || {
        block![
            assign(
                replaying,
                py!(commands.add_parser("replay-webhook", help = "process events again"))
            ),
            do_(py!(replaying.add_argument(
                "ids",
                nargs = "*",
                help = "the provider's ids of events; without any, all that have failed"
            )))
        ]
    };
    def(build_parser).returns(ArgumentParser).body(block![
        docstring("Describe the command line."),
        assign(
            parser,
            py!(ArgumentParser(
                prog = "python -m app.manage",
                description = "Look after the product by hand."
            ))
        ),
        assign(commands, py!(parser.add_subparsers(dest = "command", required = true))),
        assign(
            owner,
            py!(commands.add_parser(
                "create-owner",
                help = "add an account that owns an organization; OWNER_PASSWORD is its password"
            ))
        ),
        do_(py!(owner.add_argument("email", help = "the address, which is believed"))),
        do_(py!(owner.add_argument("--organization", help = "the name of the organization"))),
        do_(py!(owner.add_argument(
            "--admin",
            action = "store_true",
            help = "let the account administrate the platform"
        ))),
        has_billing.then(replaying_command),
        do_(py!(commands.add_parser("dead-jobs", help = "list the jobs that have given up"))),
        id_command("retry-jobs", "have dead jobs tried again"),
        id_command("cancel-jobs", "set jobs aside that are dead, or that wait"),
        assign(
            allowing,
            py!(commands.add_parser(
                "allow-mail",
                help = "send mail again to an address that a mail server has refused"
            ))
        ),
        do_(py!(allowing.add_argument("address"))),
        do_(py!(commands.add_parser(
            "rotate-keys",
            help = "seal with SECRET_KEY what PREVIOUS_SECRET_KEYS have sealed"
        ))),
        do_(py!(
            commands.add_parser("run-sweeper", help = "delete what nobody will ask for again, now")
        )),
        do_(py!(commands.add_parser(
            "print-openapi",
            help = "describe the interface to the programs that call it"
        ))),
        return_(parser)
    ])
}

/// A command that takes the ids of jobs.
fn id_command(command: &str, help: &str) -> Stmt {
    names!(commands);
    do_(py!(commands.add_parser(command, help = help).add_argument(
        "ids",
        nargs = "+",
        r#type = UUID
    )))
}

fn run_def(row_level_security: bool) -> FunctionDef {
    names!(settings, argv, arguments, description, resources);
    async_def(run)
        .params([param(settings, Settings), param(argv, py!(Sequence[str]))])
        .returns(int)
        .body(block![
            docstring("Do what the arguments ask for, and return the exit code."),
            assign(arguments, py!(build_parser().parse_args(argv))),
            if_(
                py!(arguments.command == "print-openapi"),
                block![
                    assign(description, py!(create_app(settings).openapi())),
                    do_(py!(say(json.dumps(description, indent = 2)))),
                    return_(0)
                ]
            ),
            assign(resources, py!(Resources.build(settings))),
            try_(block![
                row_level_security.then(|| do_(py!(resources.database.check_role().await))),
                return_(py!(COMMANDS[arguments.command](resources, arguments).await))
            ])
            .finally([do_(py!(resources.database.close().await))])
        ])
}

/// `COMMANDS = {"create-owner": create_owner, …}`
fn commands_of(has_billing: bool) -> Stmt {
    let replaying = has_billing.then_some(("replay-webhook", replay_webhook));
    let commands = [("create-owner", create_owner)].into_iter().chain(replaying).chain([
        ("dead-jobs", list_dead_jobs),
        ("retry-jobs", retry_jobs),
        ("cancel-jobs", cancel_jobs),
        ("allow-mail", allow_mail),
        ("rotate-keys", rotate_keys),
        ("run-sweeper", run_sweeper),
    ]);
    ann_assign(
        COMMANDS,
        py!(dict[(str, Callable[([Resources, Namespace], Awaitable[int])])]),
        make::dict(commands),
    )
}

/// `async def …(resources: Resources, arguments: Namespace) -> int: …`
fn command(function: Import, arguments: Name) -> FunctionDef {
    async_def(function)
        .params([param("resources", Resources), param(arguments, Namespace)])
        .returns(int)
}

/// A command that has no arguments.
fn bare_command(function: Import) -> FunctionDef {
    command(function, name("_arguments"))
}

fn replay_webhook_def() -> FunctionDef {
    names!(resources, arguments);
    command(replay_webhook, arguments).body(block![
        docstring("Process events of the billing provider again."),
        return_(py!(replay(resources.database, arguments.ids).await))
    ])
}

fn create_owner_def() -> FunctionDef {
    names!(resources, arguments, chosen, password, payload, error, problem);
    names!(hasher, user, session);
    command(create_owner, arguments).body(block![
        docstring("Add an account with an organization; an address that is known stays."),
        assign(chosen, py!(os.environ.get("OWNER_PASSWORD"))),
        assign(password, py!(chosen || secrets.token_urlsafe(PASSWORD_BYTES))),
        try_([assign(payload, py!(RegisterRequest(email = arguments.email, password = password)))])
            .except_as(
                ValidationError,
                error,
                block![
                    for_(
                        problem,
                        py!(error.errors(include_input = false)),
                        [do_(py!(say(f!("{}: {}", problem["loc"][0], problem["msg"]))))]
                    ),
                    return_(1)
                ]
            ),
        assign(hasher, py!(PasswordHasher(resources.settings))),
        assign(
            user,
            py!(User(
                email = payload.email,
                password_hash = hasher.hash(payload.password).await,
                email_verified_at = utcnow(),
                role = if arguments.admin { UserRole.ADMIN } else { UserRole.USER }
            ))
        ),
        try_([async_with_as(
            py!(resources.database.session()),
            session,
            block![
                do_(py!(session.add(user))),
                do_(py!(session.flush().await)),
                do_(py!(found(resources.settings, session, user, arguments.organization).await)),
                do_(py!(session.commit().await))
            ]
        )])
        .except(
            IntegrityError,
            block![
                do_(py!(say(f!("{} has an account already", payload.email)))),
                return_(IS_THERE)
            ]
        ),
        do_(py!(say(f!("{} has an account and an organization", payload.email)))),
        if_(py!(chosen == None), [do_(py!(say(f!("its password: {}", password))))]),
        return_(0)
    ])
}

fn found_def(has_trial: bool) -> FunctionDef {
    names!(settings, session, user, organization, organizations);
    let service = if has_trial {
        py!(OrganizationService(session, TrialService(session, Signer(settings))))
    } else {
        py!(OrganizationService(session))
    };
    let settings_name = if has_trial { settings } else { name("_settings") };
    async_def(found)
        .params([
            param(settings_name, Settings),
            param(session, AsyncSession),
            param(user, User),
            param(organization, py!(str | None)),
        ])
        .returns(none())
        .body(block![
            docstring("Found the organization of a new owner."),
            assign(organizations, service),
            do_(py!(organizations
                .create(user, organization || user.email.partition("@")[0])
                .await))
        ])
}

fn list_dead_jobs_def() -> FunctionDef {
    names!(resources, session, dead, job, owner);
    bare_command(list_dead_jobs).body(block![
        docstring("List the jobs that have given up, of tenants and of the platform."),
        assign(
            dead,
            py!(select(Job).r#where(Job.status == JobStatus.DEAD).order_by(Job.created_at))
        ),
        async_with_as(
            py!(resources.database.session()),
            session,
            [for_(
                job,
                py!(session.scalars(dead).await),
                block![
                    assign(owner, py!(job.organization_id || "platform")),
                    do_(py!(say(f!("{} {} {}: {}", job.id, job.kind, owner, job.error))))
                ]
            )]
        ),
        return_(0)
    ])
}

/// A command that does something about each job that it is given.
fn jobs_command(function: Import, about: &str, done: Expr, said: &str) -> FunctionDef {
    names!(resources, arguments, session, left, job_id);
    command(function, arguments).body(block![
        docstring(about),
        ann_assign(left, int, 0),
        async_with_as(
            py!(resources.database.session()),
            session,
            block![
                for_(
                    job_id,
                    py!(arguments.ids),
                    [if_(
                        py!({ done } == None),
                        block![
                            do_(py!(say(f!("{} {}", job_id, said)))),
                            aug_assign(left, Operator::Add, 1)
                        ]
                    )]
                ),
                do_(py!(session.commit().await))
            ]
        ),
        return_(py!(if left { 1 } else { 0 }))
    ])
}

fn retry_jobs_def() -> FunctionDef {
    names!(session, job_id);
    let revived = py!(revive(session, job_id, dispatched_at = None).await);
    jobs_command(retry_jobs, "Have dead jobs tried again.", revived, "is no dead job")
}

fn cancel_jobs_def() -> FunctionDef {
    names!(session, job_id);
    let about = "Set jobs aside that are dead, or that do not run yet.";
    jobs_command(cancel_jobs, about, py!(call_off(session, job_id).await), "is no such job")
}

fn allow_mail_def() -> FunctionDef {
    names!(resources, arguments, session, address, allowed, lifted);
    command(allow_mail, arguments).body(block![
        docstring("Send mail again to an address that a mail server has refused for good."),
        ann_assign(address, str, py!(arguments.address.casefold())),
        assign(
            lifted,
            py!(delete(EmailSuppression)
                .r#where(EmailSuppression.address == address)
                .returning(EmailSuppression.id))
        ),
        async_with_as(
            py!(resources.database.session()),
            session,
            block![
                assign(allowed, py!(session.scalar(lifted).await)),
                do_(py!(session.commit().await))
            ]
        ),
        if_(
            py!(allowed == None),
            block![do_(py!(say(f!("{} was not refused", address)))), return_(1)]
        ),
        do_(py!(say(f!("{} is sent mail again", address)))),
        return_(0)
    ])
}

fn rotate_keys_def(spec: &Spec) -> FunctionDef {
    names!(resources, session, rows, row, row_id, is_done, tried, broken);
    names!(organization_id, endpoints);
    let locked = |rows: Expr| py!(session.scalars({ rows }.with_for_update()).await);
    let factors = locked(py!(select(TotpFactor)));
    let emails = locked(py!(select(Email).r#where(Email.sealed_message.is_not(None))));
    let all =
        if spec.auth.has_totp() { py!([*{ factors }, *{ emails }]) } else { py!([*{ emails }]) };
    let tries =
        |rows: Name| py!(list!((row.id, is_sealed_again(resources.sealer, row)) for row in rows));
    let has_webhooks = spec.webhooks.enabled;
    let of_tenant = || py!(session.scalars(select(WebhookEndpoint).with_for_update()).await.all());
    let of_tenants = || {
        for_(
            organization_id,
            py!(every_tenant(resources.database).await),
            [async_with_as(
                py!(resources.database.tenant_session(organization_id)),
                session,
                block![
                    assign(endpoints, of_tenant()),
                    do_(py!(tried.extend({ tries(endpoints) })))
                ],
            )],
        )
    };
    bare_command(rotate_keys).body(block![
        docstring(
            "Seal everything with the first key.\n\
             \n\
             What is only hashed cannot be: API keys, backup codes and open invitations that an\n\
             earlier key has hashed are good for as long as PREVIOUS_SECRET_KEYS has it."
        ),
        async_with_as(
            py!(resources.database.session()),
            session,
            block![assign(rows, all), assign(tried, tries(rows)), do_(py!(session.commit().await))]
        ),
        has_webhooks.then(of_tenants),
        assign(broken, py!(list!(row_id for (row_id, is_done) in tried if !is_done))),
        for_(row_id, broken, [do_(py!(say(f!("sealed with a key that is gone: {}", row_id))))]),
        do_(py!(say(f!("sealed again: {}", len(tried) - len(broken))))),
        return_(py!(if broken { 1 } else { 0 }))
    ])
}

fn is_sealed_again_def(spec: &Spec) -> FunctionDef {
    names!(sealer, row);
    let kinds = [
        spec.auth.has_totp().then_some(TotpFactor),
        spec.webhooks.enabled.then_some(WebhookEndpoint),
    ];
    let kind = kinds.into_iter().flatten().fold(Email.into_expr(), |all, kind| all.or(kind));
    let has_secrets = kinds != [None; 2];
    let again = |sealed: Expr| {
        let read = sealed.clone();
        assign(sealed, py!(sealer.seal(sealer.open({ read }))))
    };
    let message = if_(py!(row.sealed_message), [again(py!(row.sealed_message))]);
    let texts = match has_secrets {
        true => block![
            if_(py!(!isinstance(row, Email)), [again(py!(row.sealed_secret))])
                .elif(py!(row.sealed_message), [again(py!(row.sealed_message))]),
            spec.webhooks.enabled.then(|| if_(
                py!(isinstance(row, WebhookEndpoint) && row.sealed_previous_secret),
                [again(py!(row.sealed_previous_secret))]
            ))
        ],
        false => block![message],
    };
    def(is_sealed_again).params([param(sealer, Sealer), param(row, kind)]).returns(bool).body(
        block![
            docstring("Seal the texts of a row again, if one of our keys opens them."),
            try_(texts).except(BrokenSealError, [return_(false)]),
            return_(true)
        ],
    )
}

fn run_sweeper_def(spec: &Spec) -> FunctionDef {
    let (has_files, has_trash) = (spec.storage.is_on(), spec.has_soft_delete());
    names!(resources, context);
    bare_command(run_sweeper).body(block![
        docstring("Tidy up now, and not when the clock says so."),
        assign(context, py!(JobContext(resources, uuid4(), None, attempt = 1))),
        do_(py!(prune(context, Nothing()).await)),
        has_trash.then(|| do_(py!(empty_trash(context, Nothing()).await))),
        has_files.then(|| do_(py!(sweep_files(context, Nothing()).await))),
        do_(py!(say("swept"))),
        return_(0)
    ])
}

fn say_def() -> FunctionDef {
    names!(line);
    def(say).params([param(line, str)]).returns(none()).body(block![
        docstring("Write a line to the standard output."),
        do_(py!(sys.stdout.write(f!("{}\n", line))))
    ])
}

//! `backend/tests/test_trials.py`: a trial for each mailbox, and no second one.

use crate::python::builtins::{len, list, str};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::services::job_context::JobContext;
use crate::services::job_dispatcher::InlineDispatcher;
use crate::services::job_registry::{HANDLERS, SCHEDULES};
use crate::services::trial_reminder::REMIND_OF_TRIALS;
use crate::services::trial_service::unaliased;
use crate::tests::world::{Caller, World, first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_trials": trial_of, reminders;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_trials").docstring("A trial for each mailbox, and no second one.").body(
        block![
            test_the_mailbox_behind_an_address(),
            trial_of_def(),
            test_another_address_of_a_mailbox_has_no_trial(),
            test_a_new_account_has_no_new_trial(),
            reminders_def(),
            test_owners_hear_once_that_their_trial_ends(),
            test_nobody_hears_of_a_trial_that_is_far_off_or_over()
        ],
    )
}

fn test_the_mailbox_behind_an_address() -> FunctionDef {
    names!(email, mailbox);
    def("test_the_mailbox_behind_an_address")
        .decorator(py!(pytest.mark.parametrize(
            ("email", "mailbox"),
            [
                ("ada@example.com", "ada@example.com"),
                ("Ada+trial@Example.com", "ada@example.com"),
                ("a.d.a@example.com", "a.d.a@example.com"),
                ("a.d.a+2@gmail.com", "ada@gmail.com"),
                ("ada@googlemail.com", "ada@gmail.com"),
                ("ada@gmail.com.example.com", "ada@gmail.com.example.com")
            ]
        )))
        .params([param(email, str), param(mailbox, str)])
        .returns(none())
        .body([assert_(py!(unaliased(email) == mailbox))])
}

fn trial_of_def() -> FunctionDef {
    names!(caller, organization_id, path, status);
    async_def(trial_of).params([param(caller, Caller)]).returns(str).body(block![
        docstring("Return the status of the first organization of an account."),
        assign(organization_id, py!(caller.organization().await)),
        assign(path, py!(f!("/organizations/{}/billing/subscription", organization_id))),
        ann_assign(status, str, py!(caller.get(path).await.json()["status"])),
        return_(status)
    ])
}

fn test_another_address_of_a_mailbox_has_no_trial() -> FunctionDef {
    names!(world, ada, again, eve);
    world_test("test_another_address_of_a_mailbox_has_no_trial").body(block![
        sign_up(world, ada),
        assert_(py!(trial_of(ada).await == "trialing")),
        assign(again, py!(world.sign_up("ada+again@example.com").await)),
        assert_(py!(trial_of(again).await == "none")),
        assign(eve, py!(world.sign_up("eve@example.com").await)),
        assert_(py!(trial_of(eve).await == "trialing"))
    ])
}

fn test_a_new_account_has_no_new_trial() -> FunctionDef {
    names!(world, ada, gone, again);
    world_test("test_a_new_account_has_no_new_trial").body(block![
        sign_up(world, ada),
        assert_(py!(trial_of(ada).await == "trialing")),
        assign(gone, py!(ada.delete("/auth/me").await)),
        assert_that(py!(gone.status_code == 204), py!(gone.text)),
        assign(again, py!(world.sign_up("ada@example.com").await)),
        assert_(py!(trial_of(again).await == "none"))
    ])
}

fn reminders_def() -> FunctionDef {
    names!(world, dispatcher, context, subjects, mail);
    async_def(reminders).params([param(world, World)]).returns(py!(list[str])).body(block![
        docstring("Do the job of the night, and return the subjects of the mails about trials."),
        do_(py!(world.outbox.clear())),
        ann_assign(dispatcher, InlineDispatcher, py!(world.app.state.dispatcher)),
        assign(context, py!(JobContext(dispatcher.runner.resources, uuid4(), None, 1))),
        do_(py!(HANDLERS[REMIND_OF_TRIALS.name].run(context, dict!()).await)),
        do_(py!(dispatcher.drain().await)),
        assign(subjects, py!(list!(mail["Subject"] for mail in world.outbox))),
        return_(py!(list!(mail for mail in subjects if in_!("trial", mail))))
    ])
}

fn test_owners_hear_once_that_their_trial_ends() -> FunctionDef {
    names!(world, ada, organization_id, subjects);
    world_test("test_owners_hear_once_that_their_trial_ends").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        do_(py!(world.end_trial(organization_id, days = 2).await)),
        assign(subjects, py!(reminders(world).await)),
        assert_(py!(len(subjects) == 1)),
        assert_(py!(in_!("ends on", subjects[0]))),
        assert_(py!(reminders(world).await == [])),
        assert_(py!(in_!(REMIND_OF_TRIALS, list!(schedule.kind for schedule in SCHEDULES))))
    ])
}

fn test_nobody_hears_of_a_trial_that_is_far_off_or_over() -> FunctionDef {
    names!(world, ada, organization_id);
    world_test("test_nobody_hears_of_a_trial_that_is_far_off_or_over").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        do_(py!(world.end_trial(organization_id, days = 5).await)),
        assert_(py!(reminders(world).await == [])),
        do_(py!(world.end_trial(organization_id).await)),
        assert_(py!(reminders(world).await == []))
    ])
}

//! `backend/tests/test_trials.py`: a trial for each mailbox, and no second one.

use crate::python::builtins::str;
use crate::python::pytest::pytest;
use crate::services::trial_service::unaliased;
use crate::tests::world::{Caller, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_trials": trial_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_trials").docstring("A trial for each mailbox, and no second one.").body(
        block![
            test_the_mailbox_behind_an_address(),
            trial_of_def(),
            test_another_address_of_a_mailbox_has_no_trial(),
            test_a_new_account_has_no_new_trial()
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

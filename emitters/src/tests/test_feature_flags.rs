//! `backend/tests/test_feature_flags.py`: who has a flag, and who decides that.

use crate::core::feature_flags::{FLAGS, Flag, FlagRule, bucket, decide};
use crate::core::plans::PlanName;
use crate::models::feature_flag::FeatureFlag;
use crate::python::builtins::{bool, frozenset, int, iter, len, next, range, set, str};
use crate::python::httpx2::Response;
use crate::python::pytest::pytest;
use crate::python::standard::{UUID, sha256, uuid4};
use crate::spec::{Billing, Entity, Guard, Operation, Spec};
use crate::tests::casting::starting_plan;
use crate::tests::entity_rows::is_met;
use crate::tests::world::{Caller, first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core": feature_flags;
    "tests.test_feature_flags": FLAG, PAYERS, is_on, flag_of, set_flag;
}

/// The module; none where there are no flags.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let billing = spec.billing.as_ref().filter(|billing| !billing.flags.is_empty())?;
    names!(number);
    let docstring = "Feature flags: who has one, and who decides that.";
    Some(module("tests.test_feature_flags").docstring(docstring).body(block![
        assign(FLAG, py!(next(iter(Flag)))),
        assign(PAYERS, py!(list!(UUID(int = number) for number in range(1000)))),
        is_on_def(billing),
        flag_of_def(),
        set_flag_def(),
        test_who_has_a_flag(billing),
        test_a_rollout_grows(),
        test_a_payer_keeps_its_place(),
        test_the_platform_rolls_out_and_kills(),
        guarded_route(spec, billing).map(|(entity, operation, flag)| {
            test_a_flag_closes_its_routes(entity, operation, flag)
        })
    ]))
}

/// An operation of an entity behind a flag, where nothing else is in the way of an owner.
fn guarded_route<'s>(spec: &'s Spec, billing: &Billing) -> Option<(&'s Entity, Operation, Name)> {
    let (owner, plan) = (spec.organizations.owner(), starting_plan(billing));
    let find = |entity: &'s Entity| {
        Operation::ALL.into_iter().find_map(|operation| {
            let guards = entity.guards.of(operation);
            let flag = guards.iter().find_map(|guard| match guard {
                Guard::Flag(flag) => Some(*flag),
                _ => None,
            })?;
            let others = guards.iter().filter(|guard| !matches!(guard, Guard::Flag(_)));
            let is_open = entity.roles(operation).contains(owner)
                && others.into_iter().all(|guard| is_met(spec, guard, Some(plan), true));
            is_open.then_some((entity, operation, flag))
        })
    };
    spec.entities.iter().find_map(find)
}

fn is_on_def(billing: &Billing) -> FunctionDef {
    names!(payer_id, switch, killed, rollout, state);
    let plan = PlanName.attr(billing.free_plan().constant);
    def(is_on)
        .params([
            param(payer_id, UUID),
            star(),
            param(switch, py!(bool | None)).default(none()),
            param(killed, bool).default(false),
            param(rollout, py!(int | None)).default(none()),
        ])
        .returns(bool)
        .body(block![
            docstring("Tell whether a payer without a subscription has the flag."),
            assign(state, py!(FeatureFlag(name = FLAG, is_killed = killed, rollout = rollout))),
            return_(py!(decide(FLAG, payer_id, plan, state = state, switch = switch)))
        ])
}

fn flag_of_def() -> FunctionDef {
    names!(caller, organization_id, path, value);
    async_def(flag_of)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(bool)
        .body(block![
            docstring("Ask whether an organization has the flag."),
            assign(path, py!(f!("/organizations/{}/entitlements", organization_id))),
            ann_assign(value, bool, py!(caller.get(path).await.json()["flags"][FLAG])),
            return_(value)
        ])
}

fn set_flag_def() -> FunctionDef {
    names!(caller, flag, setting);
    async_def(set_flag)
        .params([param(caller, Caller), param(flag, str), kwargs(setting, py!(bool | int | None))])
        .returns(Response)
        .body(block![
            docstring("Decide how far a flag is out."),
            return_(py!(caller.send("PUT", f!("/entitlements/flags/{}", flag), setting).await))
        ])
}

fn test_who_has_a_flag(billing: &Billing) -> FunctionDef {
    names!(monkeypatch, payer_id);
    let plan = PlanName.attr(billing.free_plan().constant);
    let rule = |rule: Expr| do_(py!(monkeypatch.setitem(FLAGS, FLAG, rule)));
    def("test_who_has_a_flag")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(payer_id, py!(PAYERS[0])),
            rule(py!(FlagRule())),
            assert_(py!(!is_on(payer_id))),
            assert_(py!(is_on(payer_id, switch = true))),
            assert_(py!(is_on(payer_id, rollout = 100))),
            assert_(py!(!is_on(payer_id, switch = false, rollout = 100))),
            rule(py!(FlagRule(default = true))).paragraph(),
            assert_(py!(is_on(payer_id))),
            assert_(py!(!is_on(payer_id, switch = false))),
            assert_(py!(!is_on(payer_id, killed = true))),
            assert_(py!(!is_on(payer_id, killed = true, switch = true))),
            rule(py!(FlagRule(plans = frozenset(set!(plan))))).paragraph(),
            assert_(py!(is_on(payer_id))),
            rule(py!(FlagRule(plans = frozenset(set(PlanName) - set!(plan))))),
            assert_(py!(!is_on(payer_id)))
        ])
}

fn test_a_rollout_grows() -> FunctionDef {
    names!(monkeypatch, groups, group, rollout, payer_id, sizes);
    def("test_a_rollout_grows")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setattr(feature_flags, "bucket", bucket))),
            do_(py!(monkeypatch.setitem(FLAGS, FLAG, FlagRule(rollout = 50)))),
            assign(
                groups,
                py!(list!(
                    set!(payer_id for payer_id in PAYERS if is_on(payer_id, rollout = rollout))
                    for rollout in (0, 10, None, 100)
                ))
            ),
            assert_(py!(groups[0] <= groups[1])),
            assert_(py!(groups[1] <= groups[2])),
            assert_(py!(groups[2] <= groups[3])),
            assign(sizes, py!(list!(len(group) for group in groups))),
            assert_(py!((sizes[0], sizes[3]) == (0, len(PAYERS)))),
            assert_(py!(chain!(50, "<", sizes[1], "<", 150))),
            assert_(py!(chain!(400, "<", sizes[2], "<", 600)))
        ])
}

fn test_a_payer_keeps_its_place() -> FunctionDef {
    names!(payer_id, digest);
    def("test_a_payer_keeps_its_place").returns(none()).body(block![
        docstring("Another process, or another version of Python, finds the same place."),
        for_(
            payer_id,
            py!(PAYERS[..10]),
            block![
                assign(digest, py!(sha256(f!("{}/{}", FLAG.value, payer_id).encode()).hexdigest())),
                assert_(py!(bucket(FLAG, payer_id) == int(digest[..16], 16) % 100))
            ]
        )
    ])
}

fn test_the_platform_rolls_out_and_kills() -> FunctionDef {
    names!(world, ada, organization_id, payer_id, listed, grant);
    world_test("test_the_platform_rolls_out_and_kills").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assert_(py!(set_flag(ada, FLAG, is_killed = true).await.status_code == 403)),
        do_(py!(world.promote(ada).await)),
        assert_(py!(set_flag(ada, FLAG, rollout = 100).await.status_code == 200)),
        assert_(py!(flag_of(ada, organization_id).await)),
        assert_(py!(set_flag(ada, FLAG, is_killed = true).await.status_code == 200)).paragraph(),
        assert_(py!(!flag_of(ada, organization_id).await)),
        assign(payer_id, py!(world.payer_id(organization_id).await)).paragraph(),
        assign(grant, py!(f!("/entitlements/payers/{}/flags/{}", payer_id, FLAG))),
        do_(py!(ada
            .send("PUT", grant, dict!("is_on" => true, "reason" => "they asked for it"))
            .await)),
        assert_(py!(!flag_of(ada, organization_id).await)),
        assert_(py!(set_flag(ada, FLAG, rollout = 0).await.status_code == 200)),
        assert_(py!(flag_of(ada, organization_id).await)),
        assign(listed, py!(ada.get("/entitlements/flags").await.json())).paragraph(),
        assert_(py!((listed[0]["name"], listed[0]["rollout"]) == (FLAG, 0))),
        assert_(py!(set_flag(ada, "unknown", rollout = 0).await.status_code == 422))
    ])
}

fn test_a_flag_closes_its_routes(entity: &Entity, operation: Operation, flag: Name) -> FunctionDef {
    names!(world, ada, organization_id, rows, path);
    let flag = flag.as_str();
    let attempt = || match operation {
        Operation::List => py!(ada.get(rows).await),
        Operation::Create => py!(ada.post(rows, dict!()).await),
        Operation::Read => py!(ada.get(path).await),
        Operation::Update => py!(ada.patch(path, dict!()).await),
        Operation::Delete => py!(ada.delete(path).await),
    };
    let has_path = !matches!(operation, Operation::List | Operation::Create);
    let rows_of = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ]);
    let code = || {
        let answer = attempt();
        py!(answer.json().get("code"))
    };
    world_test("test_a_flag_closes_its_routes").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(rows, rows_of),
        has_path.then(|| assign(path, py!(f!("{}/{}", rows, uuid4())))),
        do_(py!(world.promote(ada).await)),
        do_(py!(set_flag(ada, flag, is_killed = true).await)),
        assert_({
            let code = code();
            py!(code == "flag_off")
        }),
        do_(py!(set_flag(ada, flag, rollout = 100).await)),
        assert_({
            let code = code();
            py!(code != "flag_off")
        })
    ])
}

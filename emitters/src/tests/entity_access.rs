//! Tests of an entity: the limit, the guards and the roles.

use crate::entity_names::framed;
use crate::python::builtins::{range, str};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::spec::{Billing, Counted, Guard, Limit, Operation, Plan, Role, Spec};
use crate::tests::casting::{has_room, lookup_key, paid_plans, starting_plan};
use crate::tests::entity::{Tested, ada_and_hers, test};
use crate::tests::entity_rows::{is_met, may_make, required, room, stands_alone};
use crate::tests::world::sign_up;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// More rows take long to make.
const MOST_ROWS: u32 = 20;

/// In the order in which the tests try them.
const OPERATIONS: [Operation; 5] =
    [Operation::List, Operation::Create, Operation::Read, Operation::Update, Operation::Delete];

/// The test of the limit that the first plan sets, where it can be reached.
#[must_use]
pub fn limit_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    let billing = tested.spec.billing.as_ref()?;
    let counted = Counted::Rows(Box::new(tested.names.clone()));
    let limit = billing.limits.iter().find(|limit| limit.counts == counted)?;
    let free = billing.free_plan();
    let allowed = free.limit(limit.name).filter(|allowed| *allowed <= MOST_ROWS)?;
    let owner = tested.spec.organizations.owner();
    let room = |names| room(tested.needs, names, owner, Some(free), false);
    let has_others = required(tested.entity).all(|other| room(other) > allowed);
    let is_open = tested
        .entity
        .guards
        .create
        .iter()
        .all(|guard| is_met(tested.spec, guard, Some(free), false));
    // As many as the plan allows, unless two rows cannot be there for another reason.
    let is_reached = room(tested.names) == allowed;
    (has_others && is_open && is_reached).then(|| reached(tested, billing, limit, allowed))
}

fn reached(tested: &Tested<'_>, billing: &Billing, limit: &Limit, allowed: u32) -> FunctionDef {
    names!(world, ada, organization_id, body, refused);
    let (rows_of, create) = (tested.rows_of, tested.create);
    let allows_more = |plan: &&Plan| plan.limit(limit.name).is_none_or(|most| most > allowed);
    let beyond = billing.plans.iter().filter(allows_more);
    let beyond = make::list(beyond.map(|plan| plan.name.as_str()));
    let fill = (allowed > 0)
        .then(|| for_(py!(_), py!(range(allowed)), [do_(py!(create(ada, organization_id).await))]));
    test(framed("test_plan_limits_", tested.names.plural, "")).body(block![
        sign_up(world, ada),
        unpaid_organization(),
        fill,
        tested.set_body(),
        assign(refused, py!(ada.post(rows_of(organization_id), body).await)).paragraph(),
        assert_(py!(refused.status_code == 403)).paragraph(),
        assert_(py!(refused.json()["code"] == "plan_limit_reached")),
        assert_(py!(refused.json()["upgrade"] == beyond))
    ])
}

fn unpaid_organization() -> Stmt {
    names!(world, ada, organization_id);
    assign(organization_id, py!(world.unpaid_organization(ada).await))
}

/// The test that routes are closed without a subscription, and open with one that has what they need.
#[must_use]
pub fn guard_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(world, ada, organization_id, body, path, answers);
    let billing = tested.spec.billing.as_ref()?;
    let rows = tested.rows;
    let refusals: Vec<(Operation, u32)> = OPERATIONS
        .into_iter()
        .filter_map(|one| {
            Some((one, refusal(tested.spec, tested.entity.guards.of(one), billing.free_plan())?))
        })
        .collect();
    let statuses: Vec<u32> = refusals.iter().map(|(_, status)| *status).collect();
    let has_body = stands_alone(tested.needs, tested.entity)
        && refusals.iter().any(|(operation, _)| *operation == Operation::Create);
    let has_path = refusals
        .iter()
        .any(|(operation, _)| !matches!(operation, Operation::List | Operation::Create));
    let expected = expected(&statuses)?;
    let tries = refusals.iter().map(|(operation, _)| attempt(tested, *operation, has_body));
    let opening = opening_plan(tested, billing).map(|plan| opened(tested, lookup_key(plan)));
    Some(test(guard_test_name(tested, &statuses)).body(block![
        sign_up(world, ada),
        unpaid_organization(),
        tested.set_rows(),
        has_body.then(|| tested.set_body()),
        has_path.then(|| assign(path, py!(f!("{}/{}", rows, uuid4())))),
        assign(answers, make::list(tries)).paragraph(),
        assert_(py!(list!(answer.status_code for answer in answers) == expected)),
        opening
    ]))
}

/// What a route answers under a plan without a subscription, if it is closed.
fn refusal(spec: &Spec, guards: &[Guard], plan: &Plan) -> Option<u32> {
    if guards.contains(&Guard::ActiveSubscription) {
        return Some(402);
    }
    (!guards.iter().all(|guard| is_met(spec, guard, Some(plan), false))).then_some(403)
}

/// `[402] * 5`
fn expected(statuses: &[u32]) -> Option<Expr> {
    let first = *statuses.first()?;
    let is_one = statuses.len() > 1 && statuses.iter().all(|status| *status == first);
    Some(if is_one { py!([first] * { statuses.len() }) } else { make::list(statuses.to_vec()) })
}

/// The test of the routes that ask for a fresh session.
#[must_use]
pub fn fresh_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(world, ada, organization_id, path, answers);
    let rows = tested.rows;
    let is_fresh = |one: &Operation| tested.entity.guards.of(*one).contains(&Guard::FreshSession);
    let operations: Vec<Operation> = OPERATIONS.into_iter().filter(is_fresh).collect();
    let has_path = operations.iter().any(|one| !matches!(one, Operation::List | Operation::Create));
    let tries = || make::list(operations.iter().map(|one| attempt(tested, *one, false)));
    let count = operations.len();
    let codes = || py!(list!(answer.json().get("code") for answer in answers));
    (count > 0).then(|| {
        test(name("test_needs_a_fresh_session")).body(block![
            ada_and_hers(),
            tested.set_rows(),
            has_path.then(|| assign(path, py!(f!("{}/{}", rows, uuid4())))),
            do_(py!(world.grow_stale().await)),
            assign(answers, tries()).paragraph(),
            assert_({
                let codes = codes();
                py!(codes == ["session_not_fresh"] * count)
            }),
            do_(py!(world.reauthenticate(ada).await)).paragraph(),
            assign(answers, tries()),
            assert_({
                let codes = codes();
                py!(not_in!("session_not_fresh", codes))
            })
        ])
    })
}

fn attempt(tested: &Tested<'_>, operation: Operation, has_body: bool) -> Expr {
    names!(ada, path, body);
    let rows = tested.rows;
    let sent = if has_body { body.into_expr() } else { py!(dict!()) };
    match operation {
        Operation::List => py!(ada.get(rows).await),
        Operation::Create => py!(ada.post(rows, sent).await),
        Operation::Read => py!(ada.get(path).await),
        Operation::Update => py!(ada.patch(path, dict!()).await),
        Operation::Delete => py!(ada.delete(path).await),
    }
}

/// `test_needs_a_subscription_with_reports`
fn guard_test_name(tested: &Tested<'_>, statuses: &[u32]) -> Name {
    let what = if statuses.contains(&402) { "subscription" } else { "plan" };
    let mut features: Vec<Name> = Vec::new();
    for guard in Operation::ALL.iter().flat_map(|one| tested.entity.guards.of(*one)) {
        match guard {
            Guard::Feature(feature) if !features.contains(feature) => features.push(*feature),
            _ => {}
        }
    }
    let test = name("test_needs_a");
    let features = features.into_iter().map(|feature| framed("", feature, ""));
    let with = features.enumerate().fold(framed("", test, &format!("_{what}")), |test, one| {
        let word = if one.0 == 0 { "with" } else { "and" };
        framed("", test, &format!("_{word}_{}", one.1))
    });
    framed("", with, "")
}

/// The first plan with which every route is open and a row can be made.
fn opening_plan<'s>(tested: &Tested<'s>, billing: &'s Billing) -> Option<&'s Plan> {
    let owner = tested.spec.organizations.owner();
    let opens = |plan: &Plan| {
        let guards = Operation::ALL.iter().flat_map(|one| tested.entity.guards.of(*one));
        guards.into_iter().all(|guard| is_met(tested.spec, guard, Some(plan), true))
            && room(tested.needs, tested.names, owner, Some(plan), true) > 0
    };
    paid_plans(billing).into_iter().find(|plan| opens(plan))
}

/// Every route, with a subscription that has what they need.
fn opened(tested: &Tested<'_>, lookup_key: &str) -> Vec<Stmt> {
    names!(world, ada, organization_id, path, answers);
    let (rows, row, create) = (tested.rows, tested.row, tested.create);
    let routes = [Operation::List, Operation::Read, Operation::Update, Operation::Delete];
    let tries = routes.map(|operation| attempt(tested, operation, false));
    block![
        do_(py!(world.subscribe(organization_id, lookup_key).await)).paragraph(),
        assign(row, py!(create(ada, organization_id).await)),
        assign(path, py!(f!("{}/{}", rows, row["id"]))),
        assign(answers, make::list(tries)),
        assert_(py!(list!(answer.status_code for answer in answers) == [200, 200, 200, 204]))
    ]
}

/// The tests of what members of each role may do.
#[must_use]
pub fn role_tests(tested: &Tested<'_>, most: u32) -> Vec<FunctionDef> {
    if !has_room(tested.spec, 2) {
        return Vec::new();
    }
    let entity = tested.entity;
    let roles = &tested.spec.organizations.roles[1..];
    // Who may not make what a row needs cannot make the row.
    let can_make = |role: &&Role| {
        let plan = tested.spec.billing.as_ref().map(starting_plan);
        may_make(tested.needs, entity, role, plan)
    };
    let writers: Vec<&Role> = roles.iter().filter(can_make).collect();
    let is_reader = |role: &&Role| entity.readers.contains(role) && !entity.writers.contains(role);
    let readers: Vec<&Role> = roles.iter().filter(is_reader).collect();
    let strangers: Vec<&Role> =
        roles.iter().filter(|role| !entity.readers.contains(role)).collect();
    let tests = [
        (!writers.is_empty()).then(|| writers_test(tested, &writers)),
        (!readers.is_empty() && most >= 2).then(|| readers_test(tested, &readers)),
        (!strangers.is_empty()).then(|| strangers_test(tested, &strangers)),
    ];
    tests.into_iter().flatten().collect()
}

/// A test with a member of each of the roles.
fn role_test(name: &'static str, roles: &[&Role]) -> FunctionDef {
    let roles = roles.iter().map(|role| role.name.as_str());
    test(name)
        .decorator(py!(pytest.mark.parametrize("role", [..roles])))
        .params([param("role", str)])
}

fn set_member() -> Stmt {
    names!(world, role, ada, organization_id, member);
    assign(member, py!(world.member(ada, organization_id, role).await))
}

fn writers_test(tested: &Tested<'_>, roles: &[&Role]) -> FunctionDef {
    names!(member, path);
    role_test("test_roles_that_may_write", roles).body(block![
        ada_and_hers(),
        set_member(),
        tested.set_row(member),
        tested.set_path(),
        assert_(py!(member.patch(path, dict!()).await.status_code == 200)).paragraph(),
        assert_(py!(member.delete(path).await.status_code == 204))
    ])
}

fn readers_test(tested: &Tested<'_>, roles: &[&Role]) -> FunctionDef {
    names!(ada, member, body, path, reads, writes);
    let (rows, row) = (tested.rows, tested.row);
    role_test("test_roles_that_may_only_read", roles).body(block![
        ada_and_hers(),
        set_member(),
        tested.set_rows(),
        tested.set_body(),
        tested.set_row(ada),
        assign(path, py!(f!("{}/{}", rows, row["id"]))),
        assign(reads, py!([member.get(rows).await, member.get(path).await])).paragraph(),
        assign(
            writes,
            py!([
                member.post(rows, body).await,
                member.patch(path, dict!()).await,
                member.delete(path).await
            ])
        ),
        assert_(py!(list!(answer.status_code for answer in reads) == [200, 200])).paragraph(),
        assert_(py!(list!(answer.status_code for answer in writes) == [403, 403, 403]))
    ])
}

fn strangers_test(tested: &Tested<'_>, roles: &[&Role]) -> FunctionDef {
    names!(ada, member, path, reads);
    let (rows, row) = (tested.rows, tested.row);
    role_test("test_roles_that_may_not_read", roles).body(block![
        ada_and_hers(),
        set_member(),
        tested.set_rows(),
        tested.set_row(ada),
        assign(path, py!(f!("{}/{}", rows, row["id"]))),
        assign(reads, py!([member.get(rows).await, member.get(path).await])).paragraph(),
        assert_(py!(list!(answer.status_code for answer in reads) == [403, 403])).paragraph()
    ])
}

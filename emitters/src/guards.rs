//! Guards: transforms over a function that is a route.
//!
//! A guard is an entry in the `dependencies` of the route's decorator. Applied once or twice, and in any
//! order, guards give the same tree, and nothing else of the tree changes.

use crate::core::access::serve_unpaid;
use crate::core::billing::{require_active_subscription, require_feature};
use crate::core::feature_flags::require_flag;
use crate::core::idempotency::{claim_key, claim_own_key};
use crate::core::org_rbac::{
    require_fresh_session, require_org_roles, require_permission, require_session,
};
use crate::core::rate_guard::require_rate;
use crate::core::rbac::require_user_roles;
use crate::python::fastapi::Depends;
use crate::spec::Spec;
use astgen_pyast::ast::ExprCall;
use astgen_pyast::ast::Keyword as KeywordNode;
use astgen_pyast::make::{FunctionDef, IntoExpr, list};
use astgen_pyast::{Annotation, Expr, Import, Keyword, print_expr, py};

/// The methods of an `APIRouter` that make a function a route.
const ROUTE_METHODS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// What provides a guard, in the order in which the guards of a route are checked: first what is open to
/// who has not paid, which all others ask; who the user is, then what their organization has paid for, and last whether the request was done before.
const PROVIDERS: [Import; 12] = [
    serve_unpaid,
    require_user_roles,
    require_org_roles,
    require_permission,
    require_session,
    require_fresh_session,
    require_rate,
    require_active_subscription,
    require_feature,
    require_flag,
    claim_key,
    claim_own_key,
];

/// Puts `provider`, such as `require_org_roles(Role.OWNER)`, before `route`. A route that has it already
/// stays as it is, and so does a function that is no route.
#[must_use]
pub fn guarded(mut route: FunctionDef, provider: &Expr) -> FunctionDef {
    if let Some(decorator) = route.decorators.iter_mut().find_map(route_call) {
        let dependency = py!(Depends(provider));
        let dependencies = dependencies(decorator);
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
            // Of one provider, the printed text decides, so that it is no matter which came first.
            dependencies.sort_by_cached_key(|one| place(one).map(|place| (place, print_expr(one))));
        }
    }
    route
}

/// Opens `route` also to organizations that have not paid, where anybody pays.
#[must_use]
pub fn served_unpaid(spec: &Spec, route: FunctionDef) -> FunctionDef {
    match spec.billing {
        Some(_) => guarded(route, &serve_unpaid.into_expr()),
        None => route,
    }
}

/// The call of a decorator like `@router.get("/", …)`.
fn route_call(decorator: &mut Expr) -> Option<&mut ExprCall<Annotation>> {
    let Expr::Call(call) = decorator else { return None };
    match &*call.func {
        Expr::Attribute(method) if ROUTE_METHODS.contains(&method.attr.as_str()) => Some(call),
        _ => None,
    }
}

/// The elements of `dependencies=[…]`, which is added where it is missing.
fn dependencies(call: &mut ExprCall<Annotation>) -> &mut Vec<Expr> {
    let is_dependencies = |keyword: &Keyword| keyword.arg.as_deref() == Some("dependencies");
    let place = call.keywords.iter().position(is_dependencies).unwrap_or_else(|| {
        call.keywords.push(KeywordNode {
            range: Annotation::default(),
            arg: Some("dependencies".into()),
            value: list([] as [Expr; 0]),
        });
        call.keywords.len() - 1
    });
    match &mut call.keywords[place].value {
        Expr::List(list) => &mut list.elts,
        _ => unreachable!("emitters write `dependencies` as a list"),
    }
}

/// Where a dependency stands: one that is no guard keeps its place before them.
fn place(dependency: &Expr) -> Option<usize> {
    let Expr::Call(depends) = dependency else { return None };
    let provider = match depends.args.first()? {
        Expr::Call(configured) => &*configured.func,
        provider => provider,
    };
    let Expr::Name(name) = provider else { return None };
    PROVIDERS.iter().position(|provider| name.range.import.as_deref() == Some(provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plans::Feature;
    use crate::core::roles::Role;
    use astgen_pyast::make::{IntoExpr, Operand, async_def, docstring, pass};
    use astgen_pyast::{Stmt, block, name, names, print};
    use proptest::prelude::*;

    fn route() -> FunctionDef {
        names!(router, audit);
        async_def(name("list_reports"))
            .decorator(py!(router.get("", dependencies = [Depends(audit)])))
            .body(block![docstring("List reports."), pass()])
    }

    fn guards() -> [Expr; 6] {
        [
            py!(require_org_roles(Role.OWNER)),
            py!(require_org_roles(Role.OWNER, Role.ADMIN)),
            require_fresh_session.into_expr(),
            require_active_subscription.into_expr(),
            py!(require_feature(Feature.REPORTS)),
            py!(require_feature(Feature.EXPORTS)),
        ]
    }

    fn printed(route: &FunctionDef) -> String {
        print(&[Stmt::from(route.clone())])
    }

    #[test]
    fn a_guard_is_an_entry_in_the_dependencies_of_the_route() {
        let route = guards().iter().rev().fold(route(), guarded);
        insta::assert_snapshot!(printed(&route), @r#"
        @router.get(
            "",
            dependencies=[
                Depends(audit),
                Depends(require_org_roles(Role.OWNER)),
                Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
                Depends(require_fresh_session),
                Depends(require_active_subscription),
                Depends(require_feature(Feature.EXPORTS)),
                Depends(require_feature(Feature.REPORTS)),
            ],
        )
        async def list_reports():
            """List reports."""
            pass
        "#);
    }

    #[test]
    fn a_function_that_is_no_route_stays_as_it_is() {
        let helper = async_def(name("helper")).decorator(name("cache").call([])).body(pass());
        assert_eq!(guarded(helper.clone(), &guards()[0]), helper);
    }

    proptest! {
        #![proptest_config(crate::test_config())]

        #[test]
        fn guards_are_idempotent_and_their_order_is_no_matter(
            order in prop::collection::vec(0..6_usize, 0..12),
            shuffled in Just(()).prop_perturb(|(), mut rng| rng.random::<u64>()),
        ) {
            let once = order.iter().fold(route(), |route, &guard| guarded(route, &guards()[guard]));
            let twice = order.iter().fold(once.clone(), |route, &guard| guarded(route, &guards()[guard]));
            prop_assert_eq!(&once, &twice);

            let mut other = order.clone();
            other.sort_by_key(|guard| (*guard as u64).wrapping_mul(shuffled | 1));
            let reordered = other.iter().fold(route(), |route, &guard| guarded(route, &guards()[guard]));
            prop_assert_eq!(&once, &reordered);
        }

        #[test]
        fn a_guard_changes_nothing_but_the_dependencies(guard in 0..6_usize) {
            let mut route_with = guarded(route(), &guards()[guard]);
            let Some(call) = route_with.decorators.iter_mut().find_map(route_call) else {
                unreachable!("the route stays a route")
            };
            let added = dependencies(call).pop();
            let guard = &guards()[guard];
            prop_assert_eq!(added, Some(py!(Depends(guard))));
            prop_assert_eq!(route_with, route());
        }
    }
}

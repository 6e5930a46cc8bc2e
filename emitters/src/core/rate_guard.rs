//! `backend/app/core/rate_guard.py`: how often a caller may ask for something.

use crate::core::org_rbac::{Principal, PrincipalDep};
use crate::core::rate_limit::{RateLimiter, RateLimiterDep, tell};
use crate::python::builtins::{int, str};
use crate::python::fastapi::{Request, Response};
use crate::python::limits::RateLimitItemPerSecond;
use crate::python::standard::{Awaitable, Callable};
use crate::spec::{Guard, Operation, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.rate_guard": require_rate;
}

/// The module; none where no route has a rate.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    is_used(spec).then(|| {
        module("app.core.rate_guard")
            .docstring("How often a caller may ask for something.")
            .body([require_rate_def(spec.organizations.api_keys)])
    })
}

/// Whether the spec limits the rate of a route.
#[must_use]
pub fn is_used(spec: &Spec) -> bool {
    let of_entities = spec.entities.iter().any(|entity| {
        let guards = Operation::ALL.into_iter().flat_map(|one| entity.guards.of(one));
        guards.into_iter().any(|guard| matches!(guard, Guard::RateLimit { .. }))
    });
    of_entities || spec.storage.is_on()
}

fn require_rate_def(has_keys: bool) -> FunctionDef {
    names!(count, seconds, rate, guard, principal);
    let caller = match has_keys {
        true => py!(principal.caller_id),
        false => py!(principal.membership.id),
    };
    let guard_type = py!(Callable[([Request, Response, Principal, RateLimiter], Awaitable[None])]);
    def(require_rate).params([param(count, int), param(seconds, int)]).returns(guard_type).body(
        block![
            docstring(match has_keys {
                true =>
                    "Guard a route: a member or key that asks more often in that time gets 429.",
                false =>
                    "Guard a route: a member who asks more often in that time is answered 429.",
            }),
            assign(rate, py!(RateLimitItemPerSecond(count, seconds))),
            {
                names!(request, response, limiter, route, headers);
                async_def(guard)
                    .params([
                        param(request, Request),
                        param(response, Response),
                        param(principal, PrincipalDep),
                        param(limiter, RateLimiterDep),
                    ])
                    .returns(none())
                    .body(block![
                        ann_assign(route, str, py!(request.scope["endpoint"].__name__)),
                        assign(headers, py!(limiter.count(rate, route, str(caller)).await)),
                        do_(py!(tell(request, response, headers)))
                    ])
            },
            return_(guard)
        ],
    )
}

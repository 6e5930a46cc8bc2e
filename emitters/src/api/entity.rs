//! `backend/app/api/<entities>.py`: the routes of an entity.

use crate::core::api_keys::keyed_router;
use crate::core::billing::{require_active_subscription, require_feature};
use crate::core::concurrency::{IF_MATCH_RESPONSES, IfMatch, RequiredIfMatch, set_etag};
use crate::core::feature_flags::{Flag, require_flag};
use crate::core::idempotency::{IdempotentRoute, claim_key};
use crate::core::org_rbac::require_fresh_session;
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::entity_scopes;
use crate::core::plans::{Feature, constant};
use crate::core::rate_guard::require_rate;
use crate::core::roles::required;
use crate::entity_names::{
    bulk_create_schema, bulk_schema, create_schema, joined, page_schema, query_schema, read_schema,
    region, service_dependency, update_schema,
};
use crate::guards::guarded;
use crate::python::fastapi::{Query, Response, status};
use crate::python::standard::{Annotated, UUID};
use crate::spec::{Entity, EntityNames, Guard, Operation, Spec};
use crate::wording::{indefinite, noun};
use astgen_pyast::prelude::*;

/// A route of an entity, and the operation whose roles and guards it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    List,
    Create,
    CreateMany,
    Read,
    Update,
    Delete,
    Restore,
}

impl Route {
    /// In the order of the router.
    const ALL: [Route; 7] = [
        Route::List,
        Route::Create,
        Route::CreateMany,
        Route::Read,
        Route::Update,
        Route::Delete,
        Route::Restore,
    ];

    fn is_of(self, entity: &Entity) -> bool {
        match self {
            Route::CreateMany => entity.bulk_create,
            Route::Restore => entity.soft_delete,
            Route::List | Route::Create | Route::Read | Route::Update | Route::Delete => true,
        }
    }

    fn operation(self) -> Operation {
        match self {
            Route::List => Operation::List,
            Route::Create | Route::CreateMany => Operation::Create,
            Route::Read => Operation::Read,
            Route::Update => Operation::Update,
            Route::Delete | Route::Restore => Operation::Delete,
        }
    }
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entity: &Entity) -> Module {
    names!(router);
    let names = &entity.names;
    let prefix = format!("/organizations/{{organization_id}}/{}", names.path);
    let routes = Route::ALL.into_iter().filter(|route| route.is_of(entity));
    module(names.api_module)
        .docstring(format!("The routes of {}.", noun(&names.plural_title)))
        .body(block![
            assign(
                router,
                keyed_router(
                    spec,
                    &prefix,
                    &names.path,
                    entity_scopes(names),
                    [kw("route_class", IdempotentRoute)]
                )
            ),
            routes.map(|one| route(entity, one)).collect::<Vec<_>>()
        ])
}

/// A route behind the guards of its operation, as a region.
fn route(entity: &Entity, route: Route) -> FunctionDef {
    let names = &entity.names;
    let plain = match route {
        Route::List => list_def(names),
        Route::Create => create_def(names),
        Route::CreateMany => create_many_def(names),
        Route::Read => read_def(names),
        Route::Update => update_def(entity),
        Route::Delete => delete_def(entity),
        Route::Restore => restore_def(names),
    };
    let operation = route.operation();
    let providers = entity.guards.of(operation).iter().filter_map(provider);
    let id = region(names.api_module, plain.name);
    let plain = match route {
        Route::Create | Route::CreateMany => guarded(plain, &claim_key.into_expr()),
        Route::List | Route::Read | Route::Update | Route::Delete | Route::Restore => plain,
    };
    let route = guarded(plain, &required(entity.roles(operation)));
    providers.fold(route, |route, provider| guarded(route, &provider)).region(id)
}

/// What provides a guard.
fn provider(guard: &Guard) -> Option<Expr> {
    match guard {
        Guard::ActiveSubscription => Some(require_active_subscription.into_expr()),
        Guard::Feature(feature) => {
            let feature = Feature.attr(constant(*feature));
            Some(py!(require_feature(feature)))
        }
        Guard::Flag(flag) => {
            let flag = Flag.attr(constant(*flag));
            Some(py!(require_flag(flag)))
        }
        // The service counts, in the transaction that adds.
        Guard::Limit(_) => None,
        Guard::FreshSession => Some(require_fresh_session.into_expr()),
        Guard::RateLimit { count, per } => {
            let seconds = per.as_secs();
            Some(py!(require_rate({ *count }, seconds)))
        }
    }
}

fn list_def(names: &EntityNames) -> FunctionDef {
    names!(router, query, page);
    let (rows, schema, parameters) = (names.plural, page_schema(names), query_schema(names));
    async_def(joined("list", names.plural))
        .decorator(py!(router.get("")))
        .params([
            param(query, py!(Annotated[(parameters, Query())])),
            param(page, PageRequestDep),
            param(rows, service_dependency(names)),
        ])
        .returns(schema)
        .body(block![
            docstring(format!(
                "List {}, newest first unless another order is asked for.",
                noun(&names.plural_title)
            )),
            return_(py!(schema.model_validate(rows.page(query, page).await)))
        ])
}

/// A route that answers with a row, and with its version in the header `ETag`.
fn row_route(names: &EntityNames, verb: &str, params: Vec<Param>, found: Expr) -> FunctionDef {
    names!(response);
    let (row, schema) = (names.name, read_schema(names));
    async_def(joined(verb, names.name))
        .params(params)
        .params([param(names.plural, service_dependency(names)), param(response, Response)])
        .returns(schema)
        .body(block![
            assign(row, found),
            do_(py!(set_etag(response, row))),
            return_(py!(schema.model_validate(row)))
        ])
}

fn create_def(names: &EntityNames) -> FunctionDef {
    names!(router, payload);
    let rows = names.plural;
    let params = vec![param(payload, create_schema(names))];
    documented(
        row_route(names, "create", params, py!(rows.create(payload).await))
            .decorator(py!(router.post("", status_code = status.HTTP_201_CREATED))),
        format!("Add {}.", one(names)),
    )
}

fn create_many_def(names: &EntityNames) -> FunctionDef {
    names!(router, payload);
    let (rows, schema) = (names.plural, bulk_schema(names));
    let created = py!(rows.create_many(payload.items).await);
    async_def(joined("create", names.plural))
        .decorator(py!(router.post("/bulk", status_code = status.HTTP_201_CREATED)))
        .params([param(payload, bulk_create_schema(names)), param(rows, service_dependency(names))])
        .returns(schema)
        .body(block![
            docstring(format!("Add {}, all of them or none.", noun(&names.plural_title))),
            return_(py!(schema.model_validate(dict!("items" => created))))
        ])
}

fn read_def(names: &EntityNames) -> FunctionDef {
    names!(router);
    let (rows, id, path) = (names.plural, names.id, row_path(names));
    documented(
        row_route(names, "read", vec![param(id, UUID)], py!(rows.get(id).await))
            .decorator(py!(router.get(path))),
        format!("Return {}.", one(names)),
    )
}

fn update_def(entity: &Entity) -> FunctionDef {
    names!(router, payload, if_match);
    let names = &entity.names;
    let (rows, id, path) = (names.plural, names.id, row_path(names));
    let params = vec![param(id, UUID), param(payload, update_schema(names))];
    let updated = row_route(names, "update", params, py!(rows.update(id, payload, if_match).await));
    documented(
        updated
            .params([if_match_param(entity)])
            .decorator(py!(router.patch(path, ..if_match_responses(entity)))),
        format!("Change {}; what the body leaves out stays as it is.", one(names)),
    )
}

fn delete_def(entity: &Entity) -> FunctionDef {
    names!(router, if_match);
    let names = &entity.names;
    let (rows, id, path) = (names.plural, names.id, row_path(names));
    let later = if entity.soft_delete { "; it can be restored" } else { "" };
    async_def(joined("delete", names.name))
        .decorator(py!(router.delete(
            path,
            status_code = status.HTTP_204_NO_CONTENT,
            ..if_match_responses(entity)
        )))
        .params([param(id, UUID), param(rows, service_dependency(names)), if_match_param(entity)])
        .returns(none())
        .body(block![
            docstring(format!("Remove {}{later}.", one(names))),
            do_(py!(rows.delete(id, if_match).await))
        ])
}

fn restore_def(names: &EntityNames) -> FunctionDef {
    names!(router);
    let (rows, id) = (names.plural, names.id);
    let path = format!("{}/restore", row_path(names));
    documented(
        row_route(names, "restore", vec![param(id, UUID)], py!(rows.restore(id).await))
            .decorator(py!(router.post(path))),
        format!("Bring back {}.", indefinite(&format!("deleted {}", noun(&names.title)))),
    )
}

/// The parameter `if_match`: the version that the caller has seen.
fn if_match_param(entity: &Entity) -> Param {
    names!(if_match);
    match entity.requires_if_match {
        true => param(if_match, RequiredIfMatch),
        false => param(if_match, IfMatch).default(none()),
    }
}

/// The keyword `responses`, where a change has to name its version.
fn if_match_responses(entity: &Entity) -> Option<Arg> {
    entity.requires_if_match.then(|| kw("responses", IF_MATCH_RESPONSES))
}

fn documented(mut route: FunctionDef, doc: String) -> FunctionDef {
    route.body.insert(0, docstring(doc));
    route
}

/// Starlette's own convertor leaves the paths beside it to other routes.
fn row_path(names: &EntityNames) -> String {
    format!("/{{{}:uuid}}", names.id)
}

fn one(names: &EntityNames) -> String {
    indefinite(&noun(&names.title))
}

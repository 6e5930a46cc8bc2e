//! `backend/app/api/<entities>.py`: the routes of an entity.

use crate::core::billing::{require_active_subscription, require_feature};
use crate::core::org_rbac::require_fresh_session;
use crate::core::pagination::PageRequestDep;
use crate::core::plans::{Feature, constant};
use crate::core::roles::required;
use crate::entity_names::{
    create_schema, joined, page_schema, read_schema, region, service_dependency, update_schema,
};
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::python::standard::UUID;
use crate::spec::{Entity, EntityNames, Guard, Operation, Spec};
use crate::wording::{indefinite, noun};
use astgen_pyast::prelude::*;

/// In the order of the router.
const OPERATIONS: [Operation; 5] =
    [Operation::List, Operation::Create, Operation::Read, Operation::Update, Operation::Delete];

/// The module.
#[must_use]
pub fn emit(_spec: &Spec, entity: &Entity) -> Module {
    names!(router);
    let names = &entity.names;
    let prefix = format!("/organizations/{{organization_id}}/{}", names.path);
    let tag = names.path.as_str();
    module(names.api_module)
        .docstring(format!("The routes of {}.", noun(&names.plural_title)))
        .body(block![
            assign(router, py!(APIRouter(prefix = prefix, tags = [tag]))),
            OPERATIONS.map(|operation| route(entity, operation)).to_vec()
        ])
}

/// A route behind the guards of its operation, as a region.
fn route(entity: &Entity, operation: Operation) -> FunctionDef {
    let names = &entity.names;
    let plain = match operation {
        Operation::List => list_def(names),
        Operation::Create => create_def(names),
        Operation::Read => read_def(names),
        Operation::Update => update_def(names),
        Operation::Delete => delete_def(names),
    };
    let providers = entity.guards.of(operation).iter().filter_map(provider);
    let id = region(names.api_module, plain.name);
    let route = guarded(plain, &required(entity.roles(operation)));
    providers.fold(route, |route, provider| guarded(route, &provider)).region(id)
}

/// What provides a guard.
///
/// # Panics
/// For guards that no spec that was read has.
fn provider(guard: &Guard) -> Option<Expr> {
    match guard {
        Guard::ActiveSubscription => Some(require_active_subscription.into_expr()),
        Guard::Feature(feature) => {
            let feature = Feature.attr(constant(*feature));
            Some(py!(require_feature(feature)))
        }
        // The service counts, in the transaction that adds.
        Guard::Limit(_) => None,
        Guard::FreshSession => Some(require_fresh_session.into_expr()),
        Guard::RateLimit { .. } => {
            unreachable!("the reader of the spec refuses this guard")
        }
    }
}

fn list_def(names: &EntityNames) -> FunctionDef {
    names!(router, page);
    let (rows, schema) = (names.plural, page_schema(names));
    async_def(joined("list", names.plural))
        .decorator(py!(router.get("")))
        .params([param(page, PageRequestDep), param(rows, service_dependency(names))])
        .returns(schema)
        .body(block![
            docstring(format!("List {}, newest first.", noun(&names.plural_title))),
            return_(py!(schema.model_validate(rows.page(page).await)))
        ])
}

fn create_def(names: &EntityNames) -> FunctionDef {
    names!(router, payload);
    let (rows, schema) = (names.plural, read_schema(names));
    async_def(joined("create", names.name))
        .decorator(py!(router.post("", status_code = status.HTTP_201_CREATED)))
        .params([param(payload, create_schema(names)), param(rows, service_dependency(names))])
        .returns(schema)
        .body(block![
            docstring(format!("Add {}.", one(names))),
            return_(py!(schema.model_validate(rows.create(payload).await)))
        ])
}

fn read_def(names: &EntityNames) -> FunctionDef {
    names!(router);
    let (rows, id, path, schema) = (names.plural, names.id, row_path(names), read_schema(names));
    async_def(joined("read", names.name))
        .decorator(py!(router.get(path)))
        .params([param(id, UUID), param(rows, service_dependency(names))])
        .returns(schema)
        .body(block![
            docstring(format!("Return {}.", one(names))),
            return_(py!(schema.model_validate(rows.get(id).await)))
        ])
}

fn update_def(names: &EntityNames) -> FunctionDef {
    names!(router, payload);
    let (rows, id, path, schema) = (names.plural, names.id, row_path(names), read_schema(names));
    async_def(joined("update", names.name))
        .decorator(py!(router.patch(path)))
        .params([
            param(id, UUID),
            param(payload, update_schema(names)),
            param(rows, service_dependency(names)),
        ])
        .returns(schema)
        .body(block![
            docstring(format!("Change {}; what the body leaves out stays as it is.", one(names))),
            return_(py!(schema.model_validate(rows.update(id, payload).await)))
        ])
}

fn delete_def(names: &EntityNames) -> FunctionDef {
    names!(router);
    let (rows, id, path) = (names.plural, names.id, row_path(names));
    async_def(joined("delete", names.name))
        .decorator(py!(router.delete(path, status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(id, UUID), param(rows, service_dependency(names))])
        .returns(none())
        .body(block![docstring(format!("Remove {}.", one(names))), do_(py!(rows.delete(id).await))])
}

fn row_path(names: &EntityNames) -> String {
    format!("/{{{}}}", names.id)
}

fn one(names: &EntityNames) -> String {
    indefinite(&noun(&names.title))
}

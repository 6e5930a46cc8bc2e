//! `backend/app/services/<entity>_service.py`: the rules for an entity.

use crate::core::billing::enforce_limit;
use crate::core::database::flush;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::plans::{Limit, constant};
use crate::entity_names::{create_schema, joined, model, update_schema};
use crate::python::builtins::{bool, setattr};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{func, select};
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::relations::{has_dependents, restricting};
use crate::spec::{Entity, EntityNames, Field, FieldKind, Operation, Spec};
use crate::wording::{alternatives, capitalized, indefinite, noun};
use astgen_pyast::prelude::*;

/// What the methods call other things; an entity of that name is called `row` in them.
const VARIABLES: [&str; 6] = ["lock", "name", "payload", "self", "used", "value"];

/// What the emitted methods have in common.
struct Service<'s> {
    entity: &'s Entity,
    names: &'s EntityNames,
    /// `project`, as sentences say it.
    noun: String,
    model: Import,
    /// The variable that holds a row.
    row: Name,
    /// Why the database may refuse to write a row.
    conflict: Option<String>,
    /// Why the database may refuse to delete a row.
    in_use: Option<String>,
    /// Whether rows of other entities are deleted with a row.
    has_dependents: bool,
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entity: &Entity) -> Module {
    names!(CONFLICT, IN_USE);
    let names = &entity.names;
    let service = &Service {
        entity,
        names,
        noun: noun(&names.title),
        model: model(names),
        row: if VARIABLES.contains(&names.name.as_str()) { name("row") } else { names.name },
        conflict: conflict(entity),
        in_use: in_use(names, &restricting(spec, names)),
        has_dependents: has_dependents(spec, names),
    };
    let class = names.service_class;
    module(names.service_module)
        .docstring(format!("{} of the bound tenant.", capitalized(&names.plural_title)))
        .body(block![
            service.conflict.as_deref().map(|conflict| assign(CONFLICT, conflict)),
            service.in_use.as_deref().map(|in_use| assign(IN_USE, in_use)),
            service_class(service),
            assign(names.service_dependency, py!(Annotated[(class, Depends(class))]))
        ])
}

fn conflict(entity: &Entity) -> Option<String> {
    let unique = entity.fields.iter().filter(|field| field.unique);
    let unique: Vec<String> = unique.map(|field| noun(&field.title)).collect();
    let targets = entity.references();
    let targets: Vec<String> = targets.iter().map(|names| noun(&names.title)).collect();
    let row = indefinite(&noun(&entity.names.title));
    let twice = format!("There is {row} with the same {} already", alternatives(&unique));
    let missing = format!("no such {}", alternatives(&targets));
    let (sentence, shorter) = match (unique.is_empty(), targets.is_empty()) {
        (true, true) => return None,
        (true, false) => {
            (format!("There is {missing}."), "A row that this one names is not there.")
        }
        (false, true) => (format!("{twice}."), "Another row has the same unique value already."),
        (false, false) => (
            format!("{twice}, or {missing}."),
            "A unique value is taken already, or a row that this one names is not there.",
        ),
    };
    Some(fitting(sentence, shorter))
}

fn in_use(names: &EntityNames, restricting: &[&EntityNames]) -> Option<String> {
    let plurals = restricting.iter().map(|names| noun(&names.plural_title));
    let plurals = alternatives(&plurals.collect::<Vec<_>>());
    let sentence = format!("{plurals} still refer to this {}.", noun(&names.title));
    let sentence = fitting(capitalized(&sentence), "Other rows still refer to this one.");
    (!restricting.is_empty()).then_some(sentence)
}

/// The sentence, if a line holds it.
fn fitting(sentence: String, shorter: &str) -> String {
    const WIDTH: usize = 82;
    if sentence.chars().count() <= WIDTH { sentence } else { shorter.to_owned() }
}

fn service_class(service: &Service<'_>) -> ClassDef {
    names!(session, principal);
    let names = service.names;
    class(names.service_class).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(format!("The rules for {}.", noun(&names.plural_title))),
        annotate(session, TenantSessionDep),
        service.entity.limit.map(|_| annotate(principal, PrincipalDep)),
        page_def(service),
        create_def(service),
        get_def(service),
        update_def(service),
        delete_def(service),
        service.entity.references().into_iter().map(require_def).collect::<Vec<_>>()
    ])
}

fn page_def(service: &Service<'_>) -> FunctionDef {
    names!(page);
    let model = service.model;
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[model]))
        .body(block![
            docstring(format!("List {}, newest first.", noun(&service.names.plural_title))),
            return_(py!(fetch_page(self.session, select(model), model, page).await))
        ])
}

fn create_def(service: &Service<'_>) -> FunctionDef {
    names!(payload);
    let (model, row) = (service.model, service.row);
    async_def("create")
        .params([untyped("self"), param(payload, create_schema(service.names))])
        .returns(model)
        .body(block![
            docstring(format!("Add {}.", indefinite(&service.noun))),
            service.entity.limit.map(|limit| count(limit, model)),
            find_targets(service, Operation::Create),
            assign(row, py!(model(**payload.model_dump()))),
            do_(py!(self.session.add(row))),
            write(service),
            return_(row)
        ])
}

/// Counts the rows against a limit of the plan.
fn count(limit: Name, model: Import) -> Vec<Stmt> {
    names!(used, organization);
    let limit = Limit.attr(constant(limit));
    block![
        assign(used, py!(select(func.count()).select_from(model))),
        assign(organization, py!(self.principal.organization)),
        do_(py!(enforce_limit(self.session, organization, limit, used).await))
    ]
}

/// Refuses references to rows that the tenant does not have.
fn find_targets(service: &Service<'_>, operation: Operation) -> Vec<Stmt> {
    service.entity.fields.iter().flat_map(|field| find_target(field, operation)).collect()
}

fn find_target(field: &Field, operation: Operation) -> Vec<Stmt> {
    names!(payload);
    let FieldKind::Reference(reference) = &field.kind else { return Vec::new() };
    let column = field.column.as_str();
    let target = &payload.attr(field.column);
    let require = py!(self).attr(joined("require", reference.to.name));
    let require = do_(await_(require.call([arg(target)])));
    if field.optional {
        return block![if_(py!(target != None), [require])];
    }
    match operation {
        Operation::Update => block![if_(py!(in_!(column, payload.model_fields_set)), [require])],
        _ => vec![require],
    }
}

/// Sends what changed to the database.
fn write(service: &Service<'_>) -> Stmt {
    names!(CONFLICT);
    match &service.conflict {
        Some(_) => do_(py!(flush(self.session, conflict = CONFLICT).await)),
        None => do_(py!(self.session.flush().await)),
    }
}

fn get_def(service: &Service<'_>) -> FunctionDef {
    names!(lock);
    let (model, row, id) = (service.model, service.row, service.names.id);
    let found = py!(self.session.get(model, id, with_for_update = lock).await);
    let missing = format!("There is no such {}.", service.noun);
    async_def("get")
        .params([untyped("self"), param(id, UUID), star(), param(lock, bool).default(false)])
        .returns(model)
        .body(block![
            docstring(format!(
                "Return {}, locked if asked, or answer 404.",
                indefinite(&service.noun)
            )),
            assign(row, found),
            if_(py!(row == None), [raise(py!(NotFoundError(missing)))]),
            return_(row)
        ])
}

fn update_def(service: &Service<'_>) -> FunctionDef {
    names!(payload, name, value);
    let (row, id) = (service.row, service.names.id);
    async_def("update")
        .params([untyped("self"), param(id, UUID), param(payload, update_schema(service.names))])
        .returns(service.model)
        .body(block![
            docstring("Change what the payload names."),
            assign(row, py!(self.get(id, lock = true).await)),
            find_targets(service, Operation::Update),
            for_(
                py!((name, value)),
                py!(payload.model_dump(exclude_unset = true).items()),
                [do_(py!(setattr(row, name, value)))]
            ),
            write(service),
            return_(row)
        ])
}

fn delete_def(service: &Service<'_>) -> FunctionDef {
    names!(IN_USE);
    let id = service.names.id;
    let others = if service.has_dependents { " and what belongs to it" } else { "" };
    // Without the flush, the commit after the route would fail.
    let refused = service.in_use.is_some();
    async_def("delete").params([untyped("self"), param(id, UUID)]).returns(none()).body(block![
        docstring(format!("Remove {}{others}.", indefinite(&service.noun))),
        do_(py!(self.session.delete(self.get(id, lock = true).await).await)),
        refused.then(|| do_(py!(flush(self.session, conflict = IN_USE).await)))
    ])
}

fn require_def(target: &EntityNames) -> FunctionDef {
    let (model, id, noun) = (model(target), target.id, noun(&target.title));
    let missing = format!("There is no such {noun}.");
    async_def(joined("require", target.name))
        .params([untyped("self"), param(id, UUID)])
        .returns(none())
        .body(block![
            docstring(format!(
                "Refuse a reference to {} that the tenant does not have.",
                indefinite(&noun)
            )),
            if_(
                py!(self.session.get(model, id).await == None),
                [raise(py!(ConflictError(missing, code = "reference_missing")))]
            )
        ])
}

//! `backend/app/services/<entity>_service.py`: the rules for an entity.

use crate::core::billing::consume_limit;
use crate::core::concurrency::require_match;
use crate::core::database::flush;
use crate::core::errors::{NotFoundError, raise_reference_missing};
use crate::core::filters::{at_least, at_most, equals, mentions, r#where};
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::payers::payer_for;
use crate::core::plans::{Limit, constant};
use crate::core::soft_delete::INCLUDE_DELETED;
use crate::entity_filters::{Filter, filters};
use crate::entity_names::{create_schema, joined, model, query_schema, update_schema};
use crate::python::builtins::{bool, int, len, list, setattr, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{func, select};
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::relations::{columns_pointing_at, has_dependents, restricting};
use crate::services::deletion::{hide, show};
use crate::services::file_reference::{file_of, require_file, rule, rule_name};
use crate::spec::{
    Billing, Entity, EntityNames, Field, FieldKind, OnDelete, Operation, Reference, Spec,
};
use crate::wording::{alternatives, capitalized, indefinite, noun};
use astgen_pyast::prelude::*;

/// What the methods call other things; an entity of that name is called `row` in them.
const VARIABLES: [&str; 13] = [
    "adding",
    "found",
    "if_match",
    "lock",
    "name",
    "page",
    "payload",
    "payloads",
    "query",
    "self",
    "statement",
    "used",
    "value",
];

/// What the emitted methods have in common.
struct Service<'s> {
    entity: &'s Entity,
    names: &'s EntityNames,
    /// `project`, as sentences say it.
    noun: String,
    model: Import,
    /// The variable that holds a row.
    row: Name,
    /// The limit of the plans that counts its rows.
    limit: Option<(Name, &'s Billing)>,
    /// Why the database may refuse to write a row.
    conflict: Option<String>,
    /// Why the database may refuse to delete a row.
    in_use: Option<String>,
    /// Whether rows of other entities are deleted with a row.
    has_dependents: bool,
    /// A variable that holds rows.
    rows: Name,
    /// Whether this one can be restored, and any row of the project can keep such a row from being deleted.
    can_be_in_use: bool,
    /// The spec.
    spec: &'s Spec,
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
        rows: if VARIABLES.contains(&names.plural.as_str()) { name("rows") } else { names.plural },
        can_be_in_use: entity.soft_delete && is_any_restorable_kept(spec),
        spec,
        limit: entity.limit.zip(spec.billing.as_ref()),
    };
    let class = names.service_class;
    let rules = entity.fields.iter().filter_map(|field| Some(rule(field, file_of(field)?)));
    module(names.service_module)
        .docstring(format!("{} of the bound tenant.", capitalized(&names.plural_title)))
        .body(block![
            service.conflict.as_deref().map(|conflict| assign(CONFLICT, conflict)),
            in_use_message(service).map(|in_use| assign(IN_USE, in_use)),
            rules.collect::<Vec<_>>(),
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

/// Why a row cannot be deleted; a restorable row needs an answer where any row of the project does.
fn in_use_message<'s>(service: &'s Service<'_>) -> Option<&'s str> {
    let general = service.can_be_in_use.then_some("Other rows still refer to this one.");
    service.in_use.as_deref().or(general)
}

fn is_any_restorable_kept(spec: &Spec) -> bool {
    let mut restorable = spec.entities.iter().filter(|entity| entity.soft_delete);
    restorable
        .any(|entity| columns_pointing_at(spec, &entity.names, OnDelete::Restrict).next().is_some())
}

/// The sentence, if a line holds it.
fn fitting(sentence: String, shorter: &str) -> String {
    const WIDTH: usize = 82;
    if sentence.chars().count() <= WIDTH { sentence } else { shorter.to_owned() }
}

fn service_class(service: &Service<'_>) -> ClassDef {
    names!(session, principal);
    let Service { names, entity, .. } = service;
    class(names.service_class).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(format!("The rules for {}.", noun(&names.plural_title))),
        annotate(session, TenantSessionDep),
        entity.limit.map(|_| annotate(principal, PrincipalDep)),
        page_def(service),
        create_def(service),
        entity.bulk_create.then(|| create_many_def(service)),
        get_def(service),
        update_def(service),
        delete_def(service),
        entity.soft_delete.then(|| restore_def(service)),
        service.limit.map(|(limit, billing)| enforce_limit_def(service, limit, billing)),
        targets(entity).into_iter().map(|target| require_def(service, target)).collect::<Vec<_>>()
    ])
}

fn page_def(service: &Service<'_>) -> FunctionDef {
    names!(query, page, statement);
    let Service { model, names, entity, .. } = *service;
    let plural = noun(&names.plural_title);
    let criteria: Vec<Expr> = filters(entity)
        .iter()
        .flat_map(|filter| criteria(model, filter))
        .chain(searched(service))
        .collect();
    let selected = match criteria.is_empty() {
        true => py!(select(model)),
        false => {
            let criteria = criteria.into_iter().map(arg);
            py!(r#where(select(model), ..criteria))
        }
    };
    async_def("page")
        .params([untyped("self"), param(query, query_schema(names)), param(page, PageRequest)])
        .returns(py!(Slice[model]))
        .body(block![
            docstring(format!("List the {plural} that a query asks for.")),
            assign(statement, selected),
            entity.soft_delete.then(|| if_(
                py!(query.deleted),
                block![
                    assign(statement, py!(statement.r#where(model.deleted_at.is_not(None)))),
                    assign(statement, py!(statement.execution_options(**INCLUDE_DELETED)))
                ]
            )),
            return_(py!(fetch_page(self.session, statement, model, page, query.sort).await))
        ])
}

/// What the parameters of a filter ask for.
fn criteria(model: Import, filter: &Filter<'_>) -> Vec<Expr> {
    names!(query);
    let column = &model.attr(filter.field().column);
    let functions: &[Import] = match filter {
        Filter::Equal(_) => &[equals],
        Filter::Range(_) => &[at_least, at_most],
    };
    let parameters = filter.parameters().into_iter().zip(functions);
    let criteria = parameters.map(|(parameter, function)| {
        let parameter = Name::parse(&parameter).unwrap_or(filter.field().column);
        let value = query.attr(parameter);
        py!(function(column, value))
    });
    criteria.collect()
}

fn searched(service: &Service<'_>) -> Option<Expr> {
    names!(query);
    let Service { model, entity, .. } = *service;
    let fields = entity.fields.iter().filter(|field| entity.search.contains(&field.name));
    let columns: Vec<Arg> = fields.map(|field| arg(model.attr(field.column))).collect();
    (!columns.is_empty()).then(|| py!(mentions(query.search, ..columns)))
}

fn create_def(service: &Service<'_>) -> FunctionDef {
    names!(payload);
    let (model, row) = (service.model, service.row);
    async_def("create")
        .params([untyped("self"), param(payload, create_schema(service.names))])
        .returns(model)
        .body(block![
            docstring(format!("Add {}.", indefinite(&service.noun))),
            service.entity.limit.map(|_| do_(py!(self.enforce_limit(adding = 1).await))),
            find_targets(service, Operation::Create),
            assign(row, py!(model(**payload.model_dump()))),
            do_(py!(self.session.add(row))),
            write(service),
            return_(row)
        ])
}

fn create_many_def(service: &Service<'_>) -> FunctionDef {
    names!(payloads, payload);
    let Service { model, rows, names, entity, .. } = *service;
    let schema = create_schema(names);
    let finds = find_targets(service, Operation::Create);
    async_def("create_many")
        .params([untyped("self"), param(payloads, py!(list[schema]))])
        .returns(py!(list[model]))
        .body(block![
            docstring(format!("Add {}, all of them or none.", noun(&names.plural_title))),
            entity.limit.map(|_| do_(py!(self.enforce_limit(adding = len(payloads)).await))),
            (!finds.is_empty()).then(|| for_(payload, payloads, finds)),
            assign(rows, py!(list!(model(**payload.model_dump()) for payload in payloads))),
            do_(py!(self.session.add_all(rows))),
            write(service),
            return_(rows)
        ])
}

/// Counts the rows against a limit of the plan.
fn enforce_limit_def(service: &Service<'_>, limit: Name, billing: &Billing) -> FunctionDef {
    names!(adding, used, payer);
    let model = service.model;
    let limit = Limit.attr(constant(limit));
    async_def("enforce_limit")
        .params([untyped("self"), star(), param(adding, int)])
        .returns(none())
        .body(block![
            docstring("Refuse to go past the limit of the plan."),
            assign(used, py!(select(func.count()).select_from(model))),
            assign(payer, payer_for(billing, py!(self.principal))),
            do_(py!(consume_limit(self.session, payer, limit, used, adding = adding).await))
        ])
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
    let require = match reference.file {
        Some(_) => {
            let rule = rule_name(field);
            do_(py!(require_file(self.session, target, rule).await))
        }
        None => require_row(reference, target),
    };
    if field.optional {
        return block![if_(py!(target != None), [require])];
    }
    match operation {
        Operation::Update => block![if_(py!(in_!(column, payload.model_fields_set)), [require])],
        _ => vec![require],
    }
}

/// `await self.require_project(payload.project_id)`
fn require_row(reference: &Reference, id: &Expr) -> Stmt {
    let require = py!(self).attr(joined("require", reference.to.name));
    do_(await_(require.call([arg(id)])))
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
    async_def("get")
        .params([untyped("self"), param(id, UUID), star(), param(lock, bool).default(false)])
        .returns(model)
        .body(block![
            docstring(format!(
                "Return {}, locked if asked, or answer 404.",
                indefinite(&service.noun)
            )),
            assign(row, found),
            refuse_missing(service),
            return_(row)
        ])
}

/// `if task is None: raise NotFoundError("There is no such task.")`
fn refuse_missing(service: &Service<'_>) -> If {
    let row = service.row;
    let missing = format!("There is no such {}.", service.noun);
    if_(py!(row == None), [raise(py!(NotFoundError(missing)))])
}

/// The parameter `if_match`, which is a text where the entity requires it.
fn if_match_param(service: &Service<'_>) -> Param {
    names!(if_match);
    let text = str.into_expr();
    let is_required = service.entity.requires_if_match;
    param(if_match, if is_required { text } else { text.or(none()) })
}

/// The row, locked, in the version that the caller has seen.
fn get_version(service: &Service<'_>) -> [Stmt; 2] {
    names!(if_match);
    let (row, id) = (service.row, service.names.id);
    [assign(row, py!(self.get(id, lock = true).await)), do_(py!(require_match(row, if_match)))]
}

fn update_def(service: &Service<'_>) -> FunctionDef {
    names!(payload, name, value);
    let (row, id) = (service.row, service.names.id);
    async_def("update")
        .params([
            untyped("self"),
            param(id, UUID),
            param(payload, update_schema(service.names)),
            if_match_param(service),
        ])
        .returns(service.model)
        .body(block![
            docstring("Change what the payload names."),
            // Rows are locked from the owner down, as they are when an owner is deleted.
            find_targets(service, Operation::Update),
            get_version(service),
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
    let (row, id) = (service.row, service.names.id);
    let others = if service.has_dependents { " and what belongs to it" } else { "" };
    let later = if service.entity.soft_delete { ", until it is restored" } else { "" };
    let removal = match service.entity.soft_delete {
        true => {
            let reason = service.can_be_in_use.then(|| kw("in_use", IN_USE));
            block![do_(py!(hide(self.session, row, ..reason).await))]
        }
        false => block![
            do_(py!(self.session.delete(row).await)),
            // Without the flush, the commit after the route would fail.
            service
                .in_use
                .is_some()
                .then(|| do_(py!(flush(self.session, conflict = IN_USE).await)))
        ],
    };
    async_def("delete")
        .params([untyped("self"), param(id, UUID), if_match_param(service)])
        .returns(none())
        .body(block![
            docstring(format!("Remove {}{others}{later}.", indefinite(&service.noun))),
            get_version(service),
            removal
        ])
}

fn restore_def(service: &Service<'_>) -> FunctionDef {
    names!(statement, CONFLICT);
    let Service { model, row, names, entity, .. } = *service;
    let id = names.id;
    let with = if service.has_dependents { " with what was deleted with it" } else { "" };
    let locked = py!(select(model)
        .r#where(model.id == id)
        .with_for_update()
        .execution_options(**INCLUDE_DELETED));
    let conflict = match &service.conflict {
        Some(_) => CONFLICT.into_expr(),
        None => string("It cannot be restored."),
    };
    async_def("restore").params([untyped("self"), param(id, UUID)]).returns(model).body(block![
        docstring(format!(
            "Bring {} back{with}.\n\nOne that is not deleted stays as it is.",
            indefinite(&format!("deleted {}", service.noun))
        )),
        assign(statement, locked),
        assign(row, py!(self.session.scalar(statement).await)),
        refuse_missing(service),
        if_(py!(row.deleted_at == None), [return_(row)]),
        find_targets_of_row(service),
        // Before the first write: what is written down of it locks the payer too, and less than this.
        entity.limit.map(|_| do_(py!(self.enforce_limit(adding = 1).await))),
        do_(py!(show(self.session, row, conflict = conflict).await)),
        return_(row)
    ])
}

/// Refuses to restore a row that would point at a deleted one; a file is not deleted meanwhile.
fn find_targets_of_row(service: &Service<'_>) -> Vec<Stmt> {
    let row = service.row;
    let finds = service.entity.fields.iter().flat_map(|field| {
        let FieldKind::Reference(reference) = &field.kind else { return Vec::new() };
        if reference.file.is_some() {
            return Vec::new();
        }
        let target = &row.attr(field.column);
        let require = require_row(reference, target);
        match field.optional {
            true => block![if_(py!(target != None), [require])],
            false => vec![require],
        }
    });
    finds.collect()
}

/// The entities that one points at.
fn targets(entity: &Entity) -> Vec<&EntityNames> {
    let mut targets = entity.references();
    let files = entity.fields.iter().find_map(|field| match &field.kind {
        FieldKind::Reference(reference) => reference.file.as_ref().map(|_| &*reference.to),
        _ => None,
    });
    targets.retain(|target| Some(*target) != files);
    targets
}

fn require_def(service: &Service<'_>, target: &EntityNames) -> FunctionDef {
    names!(found);
    let (model, id, noun) = (model(target), target.id, noun(&target.title));
    // A row that is only hidden keeps no other from pointing at it.
    let lock = service.spec.entity(target).is_some_and(|target| target.soft_delete);
    let lock = lock.then(|| kw("with_for_update", py!(dict!("read" => true))));
    async_def(joined("require", target.name))
        .params([untyped("self"), param(id, UUID)])
        .returns(none())
        .body(block![
            docstring(format!(
                "Refuse a reference to {} that the tenant does not have.",
                indefinite(&noun)
            )),
            assign(found, py!(self.session.get(model, id, ..lock).await)),
            if_(py!(found == None), [raise_reference_missing(&noun)])
        ])
}

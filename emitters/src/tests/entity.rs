//! `backend/tests/entity.py`: what the tests know of an entity.

use crate::python::builtins::{bool, dict, int, list, object, str, tuple};
use crate::python::standard::{Awaitable, Callable, Sequence, dataclass, field};
use crate::tests::entities::{Entities, Fact};
use crate::tests::factories::Row;
use crate::tests::world::Caller;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.entity": Factory, Values, Reference, Entity;
}

/// The module; none where no entity is tested.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    let refers = entities.know(Fact::References);
    entities.are_tested().then(|| {
        module("tests.entity").docstring("What the tests know of an entity.").body(block![
            assign(Factory, py!(Callable[([Caller, str], Awaitable[Row])])),
            assign(Values, py!(Sequence[tuple[(str, object)]])),
            refers.then(|| reference_class(entities)),
            entity_class(entities)
        ])
    })
}

fn reference_class(entities: &Entities<'_>) -> ClassDef {
    names!(column, path, create, on_delete, is_freed, comes_back, wrong_file);
    class(Reference).decorator(py!(dataclass(frozen = true, kw_only = true, eq = false))).body(
        block![
            docstring("A column that refers to rows of another entity, or to files."),
            annotate(column, str),
            annotate(path, str),
            annotate(create, Factory),
            annotate(on_delete, str).comment("What the row does then."),
            ann_assign(is_freed, bool, true)
                .comment("Whether a row that is deleted needs it no more."),
            ann_assign(comes_back, bool, false)
                .comment("Whether it can be restored, and the row with it."),
            entities.know(Fact::WrongFiles).then(|| {
                ann_assign(wrong_file, py!(Factory | None), none())
                    .comment("A file of a type that the column does not take.")
            })
        ],
    )
}

fn entity_class(entities: &Entities<'_>) -> ClassDef {
    names!(path, body, create, room);
    let facts = Fact::ALL.into_iter().filter(|fact| entities.know(*fact));
    let facts = facts.filter_map(declared);
    class(Entity).decorator(py!(dataclass(frozen = true, kw_only = true, eq = false))).body(block![
        docstring("An entity, as its routes show it to the founder of an organization."),
        annotate(path, str),
        annotate(body, Factory),
        annotate(create, Factory),
        ann_assign(room, int, 3).comment("How many rows they can add, of three."),
        facts.collect::<Vec<_>>(),
        rows_def(),
        path_of_def()
    ])
}

/// The attribute for a fact, and what it is where nothing is said.
fn declared(fact: Fact) -> Option<Stmt> {
    let attribute = fact.attribute();
    let columns = || ann_assign(attribute, py!(Sequence[str]), py!(()));
    let mapping = || ann_assign(attribute, Row, py!(field(default_factory = Row)));
    let flag = || ann_assign(attribute, bool, false);
    let declared = match fact {
        Fact::Required => columns().comment("What has to be said of a new row."),
        Fact::Defaults => mapping().comment("What is so when nobody says it."),
        Fact::Invalid => ann_assign(attribute, Values, py!(())),
        Fact::Changes => ann_assign(attribute, Values, py!(())),
        Fact::Filters => {
            let filter = py!(tuple[(str, object, dict[(str, str)])]);
            ann_assign(attribute, py!(Sequence[filter]), py!(()))
                .comment("A column, a value that no other row has, and the query for it.")
        }
        Fact::OwnFilters => {
            let filter = py!(tuple[(str, Sequence[str])]);
            ann_assign(attribute, py!(Sequence[filter]), py!(()))
                .comment("A column that differs in each row, and the parameters.")
        }
        Fact::Searched => columns().comment("A column that searches look into."),
        Fact::Sorts => columns().comment("What its lists are sorted by."),
        Fact::Comparable => columns().comment("Those whose values sort in JSON too."),
        Fact::Different => mapping().comment("Other values of those columns."),
        Fact::Empty => mapping().comment("Those columns without a value."),
        Fact::NeedsVersion => flag().comment("Whether a change names its version."),
        Fact::IsRestorable => flag(),
        Fact::TakesMany => flag().comment("Whether one request adds several rows."),
        Fact::Clashes => columns().comment("A column by which a row can be refused."),
        Fact::Unique => columns(),
        Fact::References => ann_assign(attribute, py!(Sequence[Reference]), py!(())),
        Fact::WrongFiles => return None,
        Fact::PlanLimits => {
            let limit = py!(tuple[(int, list[str])]);
            ann_assign(attribute, py!(Sequence[limit]), py!(()))
                .comment("The most rows of the free plan, and the plans with more.")
        }
        Fact::Closed => {
            let refusal = py!(tuple[(str, int)]);
            ann_assign(attribute, py!(Sequence[refusal]), py!(()))
                .comment("What is refused without a subscription, and how.")
        }
        Fact::OpenedBy => columns().comment("A price that opens it."),
        Fact::StandsAlone => flag().comment("Whether a row can be made of nothing else."),
        Fact::Fresh => columns().comment("What asks for a fresh session."),
        Fact::Writers | Fact::Readers | Fact::Strangers => columns(),
    };
    Some(declared)
}

fn rows_def() -> FunctionDef {
    names!(organization_id);
    def("rows").params([untyped("self"), param(organization_id, str)]).returns(str).body(block![
        docstring("Return the path of the rows of an organization."),
        return_(py!(f!("/organizations/{}/{}", organization_id, self.path)))
    ])
}

fn path_of_def() -> FunctionDef {
    names!(organization_id, row);
    def("path_of")
        .params([untyped("self"), param(organization_id, str), param(row, Row)])
        .returns(str)
        .body(block![
            docstring("Return the path of a row of an organization."),
            return_(py!(f!("{}/{}", self.rows(organization_id), row["id"])))
        ])
}

//! `backend/tests/border.py`: two tenants, and a row on each side of the border between them.

use crate::core::database::Database;
use crate::core::tenancy::bind_tenant;
use crate::core::tenant_statements::TenancyError;
use crate::models::package::Organization;
use crate::python::builtins::tuple;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::AsyncSession;
use crate::python::standard::{UUID, dataclass};
use crate::spec::Spec;
use crate::tests::subject::{Subject, subject};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.border": Border, settle, settle_both;
}

/// The fixture.
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const border: Name = name("border");

/// The module; none where no entity is plain enough to be made without others.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let subject = &subject(spec)?;
    let docstring = "Two tenants, and a row on each side of the border between them.";
    Some(module("tests.border").docstring(docstring).body(block![
        border_class(subject),
        settle_both_def(subject),
        settle_def(subject)
    ]))
}

/// `async def test_…(border: Border) -> None: …`
pub fn border_test(test: &'static str) -> FunctionDef {
    async_def(test).params([param(border, Border)]).returns(none())
}

/// `async with await border.session() as session: …`
pub fn on_our_side(body: impl Statements) -> With {
    async_with_as(py!(border.session().await), name("session"), body)
}

/// `async with border.database.session() as session: …`, bound to their side.
pub fn on_their_side(body: impl Statements) -> With {
    names!(session);
    let bind = do_(py!(bind_tenant(session, border.theirs).await));
    async_with_as(py!(border.database.session()), session, block![bind, body])
}

/// `with pytest.raises(TenancyError): …`
pub fn refused(value: impl IntoExpr) -> With {
    with(py!(pytest.raises(TenancyError)), [do_(value)])
}

fn border_class(subject: &Subject<'_>) -> ClassDef {
    names!(database, ours, theirs, session);
    let session_def = async_def("session").params([untyped("self")]).returns(AsyncSession);
    class(Border).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(subject.both()),
        annotate(database, Database),
        annotate(ours, UUID),
        annotate(theirs, UUID),
        annotate(subject.our_row, UUID),
        annotate(subject.their_row, UUID),
        session_def.body(block![
            docstring("Open a session that is bound to our side."),
            assign(session, py!(self.database.session())),
            do_(py!(bind_tenant(session, self.ours).await)),
            return_(session)
        ])
    ])
}

fn settle_def(subject: &Subject<'_>) -> FunctionDef {
    names!(database, organization, session);
    let row = subject.row;
    async_def(settle).params([param(database, Database)]).returns(py!(tuple[(UUID, UUID)])).body(
        block![
            docstring(format!("Found an organization with one {}.", subject.noun)),
            assign(organization, py!(Organization(name = "a tenant"))),
            async_with_as(
                py!(database.session()),
                session,
                block![
                    do_(py!(session.add(organization))),
                    do_(py!(session.flush().await)),
                    do_(py!(bind_tenant(session, organization.id).await)),
                    assign(row, subject.made(subject.a_row(false))),
                    do_(py!(session.add(row))),
                    do_(py!(session.commit().await)),
                    return_(py!((organization.id, row.id)))
                ]
            )
        ],
    )
}

fn settle_both_def(subject: &Subject<'_>) -> FunctionDef {
    names!(database, ours, theirs);
    let Subject { our_row, their_row, .. } = *subject;
    async_def(settle_both).params([param(database, Database)]).returns(Border).body(block![
        docstring("Found two organizations."),
        assign(py!((ours, our_row)), py!(settle(database).await)),
        assign(py!((theirs, their_row)), py!(settle(database).await)),
        return_(py!(Border(database, ours, theirs, our_row, their_row)))
    ])
}

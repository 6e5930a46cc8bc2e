//! `backend/tests/test_conventions.py`: what the code must not do, found in its syntax trees.

use crate::core::plans::limits_members;
use crate::python::builtins::{__file__, isinstance, list, set, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::text;
use crate::python::standard::{Path, ast};
use crate::spec::{Billing, Payer, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;
use astgen_pyast::{print, print_expr};

vocabulary! {
    "tests.test_conventions": APP, ATTRIBUTES, FUNCTIONS, GUARDS, GATES, ways_around, names_in;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_conventions")
        .docstring("What the code must not do, found in its syntax trees.")
        .body(block![
            assign(APP, py!(Path(__file__).parent.parent / "app")),
            assign(
                ATTRIBUTES,
                py!(set!(
                    "__table__",
                    "connection",
                    "connection_callable",
                    "exec_driver_sql",
                    "from_statement",
                    "get_bind",
                    "raw_connection"
                ))
            )
            .comment("What leads around the criterion of a tenant."),
            assign(FUNCTIONS, py!(set!("literal_column", "text"))),
            assign(
                GUARDS,
                py!(set!("core/database.py", "core/tenancy.py", "core/tenant_statements.py"))
            ),
            assign(GATES, gates(spec))
                .comment("Where memberships are read: everything else asks for a `Principal`."),
            ways_around_def(),
            names_in_def(),
            test_no_code_leads_around_the_tenant(),
            test_a_way_around_is_found(),
            test_memberships_are_read_in_few_places()
        ])
}

/// The modules that may name `Membership`.
fn gates(spec: &Spec) -> Expr {
    let seats = spec.billing.as_ref().is_some_and(limits_members);
    let paid = spec.billing.as_ref().is_some_and(Billing::has_seats);
    let chosen = [
        (spec.organizations.api_keys, "services/api_key_service.py"),
        (spec.has_payer(Payer::Organization), "services/billing_post.py"),
        (spec.has_payer(Payer::User), "core/payers.py"),
        (seats, "services/billing_usage.py"),
        (paid, "services/billing_seats.py"),
        (spec.webhooks.enabled, "services/webhook_delivery.py"),
    ];
    let fixed = [
        "core/org_rbac.py",
        "services/invitation_reply_service.py",
        "services/invitation_service.py",
        "services/member_service.py",
        "services/organization_service.py",
    ];
    let chosen = chosen.into_iter().filter(|(is_there, _)| *is_there).map(|(_, file)| file);
    make::set(fixed.into_iter().chain(chosen))
}

fn names_in_def() -> FunctionDef {
    names!(source, node);
    def(names_in).params([param(source, str)]).returns(py!(set[str])).body(block![
        docstring("Collect the names that a module uses."),
        return_(py!(
            set!(node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
        ))
    ])
}

fn test_memberships_are_read_in_few_places() -> FunctionDef {
    names!(path, file);
    let is_checked = py!(not_in!(file, GATES) && !file.startswith("models/"));
    def("test_memberships_are_read_in_few_places").returns(none()).body(block![
        for_(
            path,
            py!(APP.rglob("*.py")),
            block![
                assign(file, py!(path.relative_to(APP).as_posix())),
                if_(
                    is_checked,
                    [assert_that(py!(not_in!("Membership", names_in(path.read_text()))), file)]
                )
            ],
        ),
        for_(
            file,
            py!(GATES),
            [assert_that(py!(in_!("Membership", names_in((APP / file).read_text()))), file)]
        )
    ])
}

fn ways_around_def() -> FunctionDef {
    names!(source, found, node, alias);
    let is_attribute = py!(isinstance(node, ast.Attribute) && in_!(node.attr, ATTRIBUTES));
    let is_import =
        py!(isinstance(node, ast.ImportFrom) && (node.module || "").startswith("sqlalchemy"));
    let imported =
        py!(generator!(alias.name for alias in node.names if in_!(alias.name, FUNCTIONS)));
    def(ways_around).params([param(source, str)]).returns(py!(list[str])).body(block![
        docstring("Find what leads around the criterion of a tenant."),
        ann_assign(found, py!(list[str]), py!([])),
        for_(
            node,
            py!(ast.walk(ast.parse(source))),
            if_(is_attribute, [do_(py!(found.append(node.attr)))])
                .elif(is_import, [do_(py!(found.extend(imported)))])
        ),
        return_(found)
    ])
}

fn test_no_code_leads_around_the_tenant() -> FunctionDef {
    names!(path, file);
    let is_checked = py!(not_in!(file, GUARDS) && !file.startswith("models/"));
    def("test_no_code_leads_around_the_tenant").returns(none()).body([for_(
        path,
        py!(APP.rglob("*.py")),
        block![
            assign(file, py!(path.relative_to(APP).as_posix())),
            if_(is_checked, [assert_that(py!(ways_around(path.read_text()) == []), file)])
        ],
    )])
}

fn test_a_way_around_is_found() -> FunctionDef {
    names!(source, session, model);
    let import = print(&[import_stmt(text)]);
    let sources = [
        print_expr(&py!(session.connection())),
        print_expr(&py!(model.__table__)),
        import.trim_end().to_owned(),
    ];
    def("test_a_way_around_is_found")
        .decorator(py!(pytest.mark.parametrize("source", [..sources])))
        .params([param(source, str)])
        .returns(none())
        .body([assert_(ways_around.call([arg(source)]))])
}

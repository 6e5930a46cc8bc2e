//! `backend/migrations/script.py.mako`: what `alembic revision` makes a revision from. Alembic wants
//! Mako here. What is Python in it is a tree that is printed; between stand holes, whose expressions
//! are Python again.

use crate::python::builtins::repr;
use crate::python::sqlalchemy::{op, sa};
use crate::{Content, Generated};
use astgen_pyast::prelude::*;
use astgen_pyast::{print, print_expr};

/// A part of the template.
#[expect(clippy::large_enum_variant, reason = "a template has a dozen parts")]
enum Part {
    /// Statements that are the same in every revision.
    Python(Vec<Stmt>),
    /// Statements that the revision has: what an expression is when the template is filled in.
    Statements(Expr),
    /// `name = …`, where the value is what an expression is when the template is filled in.
    Assignment(Name, Expr),
    /// A function whose statements are what an expression is when the template is filled in.
    Function(Vec<Stmt>, Expr),
    /// An empty line.
    Blank,
}

/// The file.
#[must_use]
pub fn emit() -> Generated {
    Generated {
        path: "backend/migrations/script.py.mako".to_owned(),
        content: Content::Text(template().iter().map(text).collect()),
    }
}

fn template() -> Vec<Part> {
    names!(message, imports, up_revision, upgrade, upgrades, downgrade, downgrades);
    names!(revision, down_revision, branch_labels, depends_on);
    let title = format!("{}.", hole(&message.into_expr()));
    let function = |name: Name, sentence: &str, statements: Name| {
        let def = def(name).returns(none()).body([docstring(sentence)]);
        Part::Function(block![def], py!(if statements { statements } else { "pass" }))
    };
    let same = |name: Name| Part::Assignment(name, py!(repr(name)));
    vec![
        Part::Python(vec![docstring(title)]),
        Part::Blank,
        Part::Python(vec![import_stmt(sa), import_stmt(op)]),
        Part::Statements(py!(if imports { imports } else { "" })),
        Part::Blank,
        Part::Assignment(revision, py!(repr(up_revision))),
        same(down_revision),
        same(branch_labels),
        same(depends_on),
        Part::Blank,
        Part::Blank,
        function(upgrade, "Apply the change.", upgrades),
        Part::Blank,
        Part::Blank,
        function(downgrade, "Take the change back.", downgrades),
    ]
}

fn text(part: &Part) -> String {
    match part {
        Part::Python(statements) => print(statements),
        Part::Statements(expr) => format!("{}\n", hole(expr)),
        Part::Assignment(name, expr) => format!("{name} = {}\n", hole(expr)),
        Part::Function(def, expr) => format!("{}    {}\n", print(def), hole(expr)),
        Part::Blank => "\n".to_owned(),
    }
}

fn hole(expr: &Expr) -> String {
    format!("${{{}}}", print_expr(expr))
}

//! A module: what a generated Python file is made of.

use crate::imports;
use crate::make::{Statements, docstring};
use crate::print::print;
use crate::{Expr, Import, Stmt};
use rustpython_ast as ast;

/// One Python file. Its import block is computed from what the body uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Dotted name: a name that this module defines itself needs no import in it.
    pub name: &'static str,
    /// What the module is for.
    pub docstring: Option<String>,
    /// Root packages that the import block groups last, as the project's own.
    pub first_party: Vec<&'static str>,
    /// Whether nothing resolves this module's annotations at run time; then it starts with
    /// `from __future__ import annotations`, and names used in annotations only are imported under
    /// `if TYPE_CHECKING:`. Never for what FastAPI, Pydantic or SQLAlchemy look at.
    pub deferred_annotations: bool,
    /// Names that this module passes on: imported, and listed in `__all__`.
    pub exports: Vec<Import>,
    /// Statements after the docstring and the imports.
    pub body: Vec<Stmt>,
}

/// An empty module.
///
/// ```
/// use astgen_pyast::{make::pass, module, print_module};
/// let empty = module("app.empty").docstring("Nothing.").body([pass()]);
/// assert_eq!(print_module(&empty), "\"\"\"Nothing.\"\"\"\n\npass\n");
/// ```
#[must_use]
pub fn module(name: &'static str) -> Module {
    let root = name.split('.').next().unwrap_or(name);
    Module {
        name,
        docstring: None,
        first_party: vec![root],
        deferred_annotations: false,
        exports: Vec::new(),
        body: Vec::new(),
    }
}

impl Module {
    /// Sets the docstring.
    ///
    /// ```
    /// use astgen_pyast::{module, print_module};
    /// assert_eq!(print_module(&module("app").docstring("The app.")), "\"\"\"The app.\"\"\"\n");
    /// ```
    #[must_use]
    pub fn docstring(mut self, text: impl Into<String>) -> Module {
        self.docstring = Some(text.into());
        self
    }

    /// Further root packages of the project.
    ///
    /// ```
    /// use astgen_pyast::{import, make::expr_stmt, module, print_module};
    /// let names = [import("sqlalchemy", "select"), import("app.db", "Session")];
    /// let test = module("tests.test_x").first_party(["app"]).body(names.map(expr_stmt));
    /// let block = "from sqlalchemy import select\n\nfrom app.db import Session\n";
    /// assert!(print_module(&test).starts_with(block));
    /// ```
    #[must_use]
    pub fn first_party(mut self, packages: impl IntoIterator<Item = &'static str>) -> Module {
        self.first_party.extend(packages);
        self
    }

    /// Nothing resolves the annotations of this module at run time.
    ///
    /// ```
    /// use astgen_pyast::{block, import, make::{def, param}, module, name, print_module};
    /// let path = param(name("path"), import("pathlib", "Path"));
    /// let module = module("app").body(block![def(name("f")).params([path])]);
    /// assert!(print_module(&module).starts_with("from pathlib import Path\n"));
    /// let deferred = print_module(&module.deferred_annotations());
    /// assert!(deferred.contains("if TYPE_CHECKING:\n    from pathlib import Path\n"));
    /// ```
    #[must_use]
    pub fn deferred_annotations(mut self) -> Module {
        self.deferred_annotations = true;
        self
    }

    /// Passes on names of other modules, in `__all__`.
    ///
    /// ```
    /// use astgen_pyast::{import, module, print_module};
    /// let package = module("app.models").exports([import("app.models.user", "User")]);
    /// let text = "from app.models.user import User\n\n__all__ = [\"User\"]\n";
    /// assert_eq!(print_module(&package), text);
    /// ```
    #[must_use]
    pub fn exports(mut self, names: impl IntoIterator<Item = Import>) -> Module {
        self.exports.extend(names);
        self
    }

    /// Further statements.
    ///
    /// ```
    /// use astgen_pyast::{make::assign, module, name, print_module};
    /// let module = module("app").body([assign(name("x"), 1)]).body([assign(name("y"), 2)]);
    /// assert_eq!(print_module(&module), "x = 1\ny = 2\n");
    /// ```
    #[must_use]
    pub fn body(mut self, body: impl Statements) -> Module {
        body.append_to(&mut self.body);
        self
    }

    /// The whole file as statements: docstring, computed imports, body.
    ///
    /// ```
    /// use astgen_pyast::{import, make::assign, module, name, print};
    /// let tree = module("app.x").body([assign(name("now"), import("time", "time"))]).into_statements();
    /// assert_eq!(print(&tree), "from time import time\n\nnow = time\n");
    /// ```
    #[must_use]
    pub fn into_statements(mut self) -> Vec<Stmt> {
        let docstring = self.docstring.take().map(docstring);
        let all = imports::all(&self.exports);
        let (imports, body) = imports::resolve(self);
        let head = docstring.into_iter().chain(imports).chain(all);
        let mut statements: Vec<Stmt> = head.chain(body).collect();
        indent_docstrings(&mut statements, 0);
        statements
    }
}

/// Emitters write docstrings as `inspect.cleandoc` gives them back (PEP 257); in the file, the lines after
/// the first stand as deep as the body they belong to, and the text of several lines ends on one of its own.
fn indent_docstrings(body: &mut [Stmt], depth: usize) {
    if let Some(Stmt::Expr(ast::StmtExpr { value, .. })) = body.first_mut()
        && let Expr::Constant(ast::ExprConstant { value: ast::Constant::Str(text), .. }) =
            &mut **value
        && text.contains('\n')
    {
        let indent = " ".repeat(4 * depth);
        let lines = text.lines().enumerate().map(|(number, line)| match (number, line) {
            (0, line) => line.to_owned(),
            (_, "") => String::new(),
            (_, line) => format!("{indent}{line}"),
        });
        *text = lines.collect::<Vec<_>>().join("\n") + "\n" + &indent;
    }
    for stmt in body {
        match stmt {
            Stmt::FunctionDef(def) => indent_docstrings(&mut def.body, depth + 1),
            Stmt::AsyncFunctionDef(def) => indent_docstrings(&mut def.body, depth + 1),
            Stmt::ClassDef(def) => indent_docstrings(&mut def.body, depth + 1),
            _ => (),
        }
    }
}

/// The text of a generated file.
///
/// ```
/// use astgen_pyast::{make::assign, module, name, print_module};
/// assert_eq!(print_module(&module("app.x").body([assign(name("x"), 1)])), "x = 1\n");
/// ```
#[must_use]
pub fn print_module(module: &Module) -> String {
    print(&module.clone().into_statements())
}

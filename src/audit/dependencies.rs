//! What FastAPI runs before a route: its dependencies, theirs, and so on.

use super::modules::{Definition, Modules};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt};
use ruff_text_size::Ranged;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// A dependency: what provides it, with its arguments, every name followed to where it is defined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// `app.core.org_rbac.require_org_roles`
    pub provider: String,
    /// `app.core.roles.Role.OWNER`, …; empty for a provider that is not configured.
    pub arguments: Vec<String>,
}

impl fmt::Display for Dependency {
    /// As one would write it: `require_org_roles(Role.OWNER)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |name: &str, count: usize| {
            let parts: Vec<&str> = name.rsplit('.').take(count).collect();
            parts.into_iter().rev().collect::<Vec<_>>().join(".")
        };
        write!(f, "{}", last(&self.provider, 1))?;
        if !self.arguments.is_empty() {
            let arguments: Vec<String> = self.arguments.iter().map(|it| last(it, 2)).collect();
            write!(f, "({})", arguments.join(", "))?;
        }
        Ok(())
    }
}

/// Dependencies and theirs: everything that runs.
pub struct Closure<'p, 'a> {
    modules: &'p Modules<'a>,
    /// What runs.
    pub all: BTreeSet<Dependency>,
}

impl<'p, 'a> Closure<'p, 'a> {
    /// Nothing runs.
    pub fn new(modules: &'p Modules<'a>) -> Closure<'p, 'a> {
        Closure { modules, all: BTreeSet::new() }
    }

    /// The elements of `dependencies=[…]`.
    pub fn add_list(&mut self, module: &str, list: &Expr) {
        let elements = match list {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            Expr::Name(name) => {
                let qualified = self.modules.qualified(module, &name.id);
                if let Some((module, Definition::Value(value))) =
                    self.modules.definition(&qualified)
                    && !value.is_name_expr()
                {
                    self.add_list(module, value);
                }
                return;
            }
            _ => return,
        };
        elements.iter().for_each(|element| self.add_value(module, element));
    }

    /// `Depends(…)`, or a name that stands for it.
    fn add_value(&mut self, module: &str, value: &Expr) {
        match value {
            Expr::Call(call) if is_named(&call.func, &["Depends", "Security"]) => {
                if let Some(provider) = call.arguments.args.first() {
                    self.add_provider(module, provider);
                }
            }
            Expr::Name(_) | Expr::Attribute(_) => {
                let Some(name) = dotted(value) else { return };
                let qualified = self.modules.qualified(module, &name);
                if let Some((module, Definition::Value(found))) =
                    self.modules.definition(&qualified)
                    && !std::ptr::eq(found, value)
                {
                    self.add_value(module, found);
                }
            }
            Expr::Subscript(_) => self.add_annotation(module, value),
            _ => (),
        }
    }

    /// The dependencies of a function's parameters.
    pub fn add_parameters(&mut self, module: &str, parameters: &Parameters) {
        for parameter in parameters {
            if let Some(default) = parameter.default() {
                self.add_value(module, default);
            }
            if let Some(annotation) = parameter.annotation() {
                self.add_annotation(module, annotation);
            }
        }
    }

    /// `Annotated[X, Depends(…)]`, or a name that stands for it.
    fn add_annotation(&mut self, module: &str, annotation: &Expr) {
        match annotation {
            Expr::Subscript(it) if is_named(&it.value, &["Annotated"]) => {
                let Expr::Tuple(parts) = &*it.slice else { return };
                if let Some(inner) = parts.elts.first() {
                    self.add_annotation(module, inner);
                }
                for part in parts.elts.iter().skip(1) {
                    match part {
                        // `Depends()` alone calls the annotated class.
                        Expr::Call(call)
                            if is_named(&call.func, &["Depends"]) && call.arguments.is_empty() =>
                        {
                            self.add_provider(module, &parts.elts[0]);
                        }
                        part => self.add_value(module, part),
                    }
                }
            }
            Expr::Name(_) | Expr::Attribute(_) => {
                let Some(name) = dotted(annotation) else { return };
                let qualified = self.modules.qualified(module, &name);
                if let Some((module, Definition::Value(value))) =
                    self.modules.definition(&qualified)
                    && !std::ptr::eq(value, annotation)
                {
                    self.add_annotation(module, value);
                }
            }
            _ => (),
        }
    }

    fn add_provider(&mut self, module: &str, provider: &Expr) {
        let (function, arguments) = match provider {
            Expr::Call(call) => (&*call.func, self.arguments(module, call)),
            provider => (provider, Vec::new()),
        };
        let Some(name) = dotted(function) else { return };
        let qualified = self.modules.qualified(module, &name);
        match self.modules.definition(&qualified) {
            // `owners = require_org_roles(Role.OWNER)`, then `Depends(owners)`.
            Some((module, Definition::Value(value))) if arguments.is_empty() => {
                if !std::ptr::eq(value, provider) {
                    self.add_provider(module, value);
                }
            }
            found => {
                let dependency = Dependency { provider: qualified, arguments };
                if self.all.insert(dependency) {
                    self.add_definition(found);
                }
            }
        }
    }

    /// What a provider depends on itself; that of a function which returns the provider, inside of it.
    fn add_definition(&mut self, found: Option<(&str, Definition<'_>)>) {
        match found {
            Some((module, Definition::Function(def))) => {
                self.add_parameters(module, &def.parameters);
                for inner in def.body.iter().filter_map(Stmt::as_function_def_stmt) {
                    self.add_parameters(module, &inner.parameters);
                }
            }
            Some((module, Definition::Class(class))) => {
                for stmt in &class.body {
                    match stmt {
                        Stmt::FunctionDef(def) if def.name.as_str() == "__init__" => {
                            self.add_parameters(module, &def.parameters);
                        }
                        // The fields of a dataclass are its parameters.
                        Stmt::AnnAssign(field) => self.add_annotation(module, &field.annotation),
                        _ => (),
                    }
                }
            }
            Some((_, Definition::Value(_))) | None => (),
        }
    }

    fn arguments(&self, module: &str, call: &ExprCall) -> Vec<String> {
        let text = |argument: &Expr| match dotted(argument) {
            Some(name) => self.modules.qualified(module, &name),
            None => {
                let source = self.modules.all.get(module).map_or("", |it| it.syntax.text);
                source[argument.range()].split_whitespace().collect::<Vec<_>>().concat()
            }
        };
        let positional = call.arguments.args.iter().map(text);
        let named = call.arguments.keywords.iter().map(|keyword| {
            let name = keyword.arg.as_ref().map_or("**", |name| name.as_str());
            format!("{name}={}", text(&keyword.value))
        });
        positional.chain(named).collect()
    }
}

/// Whether a provider can refuse a request: it, or a function in it, raises something.
pub fn can_refuse(modules: &Modules<'_>, provider: &str) -> bool {
    match modules.definition(provider) {
        Some((_, Definition::Function(def))) => raises(&def.body),
        _ => false,
    }
}

fn raises(body: &[Stmt]) -> bool {
    struct Raises(bool);
    impl<'a> Visitor<'a> for Raises {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            self.0 |= stmt.is_raise_stmt();
            visitor::walk_stmt(self, stmt);
        }
    }
    let mut found = Raises(false);
    found.visit_body(body);
    found.0
}

/// `a.b.c` as it is written.
pub fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(it) => Some(format!("{}.{}", dotted(&it.value)?, it.attr)),
        _ => None,
    }
}

/// Whether the last part of a name is one of these.
pub fn is_named(expr: &Expr, names: &[&str]) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(it) => it.attr.as_str(),
        _ => return false,
    };
    names.contains(&name)
}

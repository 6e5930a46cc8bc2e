//! The modules of a project, as far as names must be followed through them.

use crate::merge::python::{Syntax, syntax};
use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};
use std::collections::{BTreeMap, HashMap};

/// A project's modules by their dotted names.
pub struct Modules<'a> {
    /// The modules.
    pub all: BTreeMap<String, Module<'a>>,
}

/// A parsed module.
pub struct Module<'a> {
    /// Where it is, relative to the project.
    pub path: &'a str,
    /// Its syntax.
    pub syntax: Syntax<'a>,
    /// What its imports bind: the module and, for a `from` import, the name in it.
    imports: HashMap<String, (String, Option<String>)>,
}

/// What a name stands for, once it is followed.
#[derive(Clone, Copy)]
pub enum Definition<'m> {
    /// A function.
    Function(&'m StmtFunctionDef),
    /// A class.
    Class(&'m StmtClassDef),
    /// What is assigned to it.
    Value(&'m Expr),
}

/// A file that is no Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it is, relative to the project.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl<'a> Modules<'a> {
    /// Parses the modules of a project: paths below the folder that Python runs in, and texts.
    pub fn parse(files: &'a [(String, String)]) -> (Modules<'a>, Vec<Unreadable>) {
        let mut all = BTreeMap::new();
        let mut unreadable = Vec::new();
        for (path, text) in files {
            match syntax(text) {
                Ok(syntax) => {
                    let name = dotted(path);
                    let imports = imports(&name, path.ends_with("__init__.py"), &syntax);
                    all.insert(name, Module { path, syntax, imports });
                }
                Err(error) => {
                    unreadable.push(Unreadable { path: path.clone(), reason: error.to_string() })
                }
            }
        }
        (Modules { all }, unreadable)
    }

    /// Follows a dotted name as far as the project goes: `depends.Role.OWNER` in a module becomes
    /// `app.core.roles.Role.OWNER`.
    pub fn qualified(&self, module: &str, name: &str) -> String {
        let (mut module, mut name) = (module.to_owned(), name.to_owned());
        // A chain of imports that is longer is a circle.
        for _ in 0..16 {
            let (first, rest) = name.split_once('.').map_or((&*name, None), |(a, b)| (a, Some(b)));
            let Some(known) = self.all.get(&module) else { break };
            let Some((source, imported)) = known.imports.get(first) else { break };
            let parts = imported.as_deref().into_iter().chain(rest);
            let followed = parts.collect::<Vec<_>>().join(".");
            let (next, left) = self.submodule(source.clone(), followed);
            if (next.as_str(), left.as_str()) == (module.as_str(), name.as_str()) {
                break;
            }
            (module, name) = (next, left);
            if name.is_empty() {
                return module;
            }
        }
        format!("{module}.{name}")
    }

    /// `from app.api import reports` then `reports.router`: the name goes on in the submodule.
    fn submodule(&self, mut module: String, mut name: String) -> (String, String) {
        loop {
            let (first, rest) = name.split_once('.').map_or((&*name, ""), |(a, b)| (a, b));
            let deeper = format!("{module}.{first}");
            if first.is_empty() || !self.all.contains_key(&deeper) {
                return (module, name);
            }
            name = rest.to_owned();
            module = deeper;
        }
    }

    /// The definition of a qualified name, and the module that it is in.
    pub fn definition(&self, qualified: &str) -> Option<(&str, Definition<'_>)> {
        let (module, name) = qualified.rsplit_once('.')?;
        let (module, known) = self.all.get_key_value(module)?;
        let found = known.syntax.body().iter().rev().find_map(|stmt| definition(stmt, name))?;
        Some((module.as_str(), found))
    }

    /// A definition by its last name alone, where one module only has it: it may have moved.
    pub fn moved(&self, name: &str) -> Option<String> {
        let mut found = self.all.iter().filter(|(_, module)| {
            module.syntax.body().iter().any(|stmt| definition(stmt, name).is_some())
        });
        let (module, _) = found.next()?;
        found.next().is_none().then(|| format!("{module}.{name}"))
    }
}

fn definition<'m>(stmt: &'m Stmt, name: &str) -> Option<Definition<'m>> {
    match stmt {
        Stmt::FunctionDef(def) if def.name.as_str() == name => Some(Definition::Function(def)),
        Stmt::ClassDef(class) if class.name.as_str() == name => Some(Definition::Class(class)),
        Stmt::Assign(assign) => {
            let is_it = |target: &Expr| target.as_name_expr().is_some_and(|it| it.id == name);
            assign.targets.iter().any(is_it).then_some(Definition::Value(&assign.value))
        }
        Stmt::AnnAssign(assign) => {
            let is_it = assign.target.as_name_expr().is_some_and(|it| it.id == name);
            assign.value.as_deref().filter(|_| is_it).map(Definition::Value)
        }
        Stmt::TypeAlias(alias) => {
            let is_it = alias.name.as_name_expr().is_some_and(|it| it.id == name);
            is_it.then_some(Definition::Value(&alias.value))
        }
        // What is defined conditionally counts: `try: … except ImportError: …`.
        Stmt::If(it) => it.body.iter().find_map(|stmt| definition(stmt, name)),
        Stmt::Try(it) => it.body.iter().find_map(|stmt| definition(stmt, name)),
        _ => None,
    }
}

/// `app/api/reports.py` is `app.api.reports`.
fn dotted(path: &str) -> String {
    let path = path.strip_suffix(".py").unwrap_or(path);
    path.strip_suffix("/__init__").unwrap_or(path).replace('/', ".")
}

fn imports(
    module: &str,
    is_package: bool,
    syntax: &Syntax<'_>,
) -> HashMap<String, (String, Option<String>)> {
    let mut imports = HashMap::new();
    let mut bodies = vec![syntax.body()];
    while let Some(body) = bodies.pop() {
        for stmt in body {
            match stmt {
                Stmt::Import(import) => {
                    for alias in &import.names {
                        let first = alias.name.split('.').next().unwrap_or(&alias.name);
                        let (bound, source) = match &alias.asname {
                            Some(asname) => (asname.to_string(), alias.name.to_string()),
                            None => (first.to_owned(), first.to_owned()),
                        };
                        imports.insert(bound, (source, None));
                    }
                }
                Stmt::ImportFrom(import) => {
                    let named = import.module.as_ref().map_or("", |name| name.as_str());
                    let source = absolute(module, is_package, import.level as usize, named);
                    for alias in &import.names {
                        let bound = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
                        imports.insert(bound, (source.clone(), Some(alias.name.to_string())));
                    }
                }
                Stmt::If(it) => bodies.push(&it.body),
                Stmt::Try(it) => bodies.push(&it.body),
                _ => (),
            }
        }
    }
    imports
}

/// `from ..core import x` in `app.api.reports` is from `app.core`.
fn absolute(module: &str, is_package: bool, level: usize, named: &str) -> String {
    if level == 0 {
        return named.to_owned();
    }
    let mut parts: Vec<&str> = module.split('.').collect();
    parts.truncate((parts.len() + usize::from(is_package)).saturating_sub(level));
    parts.extend((!named.is_empty()).then_some(named));
    parts.join(".")
}

//! The import block of a module, computed from the names its tree uses.

use crate::annotation::{Annotation, Trivia};
use crate::make::{Statements, if_, import_stmt};
use crate::name::{Import, Name, import};
use crate::stdlib;
use crate::walk::{Node, children, parameters};
use crate::{Expr, Stmt};
use rustpython_ast as ast;
use rustpython_ast::fold::Fold;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Modules whose names are free to import at run time, whatever they are used for.
const ALWAYS_AT_RUN_TIME: [&str; 2] = ["typing", "typing_extensions"];
/// Decorators that leave the annotations of a function alone.
const PASSIVE_DECORATORS: [&str; 6] = [
    "asynccontextmanager",
    "classmethod",
    "contextmanager",
    "override",
    "property",
    "staticmethod",
];

/// The import statements for `body`, and `body` with clashing names replaced by their aliases.
pub(crate) fn resolve(
    module: &str,
    first_party: &[&str],
    deferred_annotations: bool,
    body: Vec<Stmt>,
) -> (Vec<Stmt>, Vec<Stmt>) {
    let mut uses = Uses { deferred_annotations, ..Uses::default() };
    body.iter().for_each(|stmt| uses.statement(stmt, Scope::Module));
    uses.imports.retain(|import, _| import.module != module || import.name.is_none());
    let (aliases, body) = rename_clashes(&uses, body);

    let future = deferred_annotations.then(|| import("__future__", "annotations"));
    let (mut runtime, mut typing_only) = (Vec::from_iter(future), Vec::new());
    for (import, at_run_time) in uses.imports {
        let import = aliases.get(&import).copied().unwrap_or(import);
        if at_run_time || ALWAYS_AT_RUN_TIME.contains(&import.module) {
            runtime.push(import);
        } else {
            typing_only.push(import);
        }
    }
    if typing_only.is_empty() {
        return (block(runtime, first_party), body);
    }
    const TYPE_CHECKING: Import = import("typing", "TYPE_CHECKING");
    runtime.push(TYPE_CHECKING);
    let mut statements = block(runtime, first_party);
    let test = Expr::Name(ast::ExprName {
        range: Annotation::default(),
        id: TYPE_CHECKING.binding().as_str().into(),
        ctx: ast::ExprContext::Load,
    });
    let mut guarded = Vec::new();
    if_(test, block(typing_only, first_party)).append_to(&mut guarded);
    guarded.iter_mut().for_each(start_paragraph);
    statements.extend(guarded);
    (statements, body)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scope {
    Module,
    Class,
    Function,
}

#[derive(Default)]
struct Uses {
    deferred_annotations: bool,
    /// Every import of the tree, and whether a use of it is evaluated at run time.
    imports: BTreeMap<Import, bool>,
    /// Every name that the tree itself binds or uses without importing it.
    taken: HashSet<String>,
}

impl Uses {
    fn statement(&mut self, stmt: &Stmt, scope: Scope) {
        match stmt {
            Stmt::FunctionDef(def) => {
                self.taken.insert(def.name.to_string());
                self.function(&def.decorator_list, &def.args, def.returns.as_deref(), &def.body);
            }
            Stmt::AsyncFunctionDef(def) => {
                self.taken.insert(def.name.to_string());
                self.function(&def.decorator_list, &def.args, def.returns.as_deref(), &def.body);
            }
            Stmt::ClassDef(def) => {
                self.taken.insert(def.name.to_string());
                def.decorator_list.iter().chain(&def.bases).for_each(|expr| self.expr(expr, true));
                def.keywords.iter().for_each(|keyword| self.expr(&keyword.value, true));
                def.body.iter().for_each(|stmt| self.statement(stmt, Scope::Class));
            }
            Stmt::AnnAssign(stmt) => {
                // PEP 526: the annotation of a simple name in a function is never evaluated.
                let deferred = match scope {
                    Scope::Function => stmt.simple,
                    Scope::Module => self.deferred_annotations,
                    Scope::Class => false,
                };
                self.expr(&stmt.target, true);
                self.expr(&stmt.annotation, !deferred);
                stmt.value.iter().for_each(|value| self.expr(value, true));
            }
            _ => children(Node::Stmt(stmt), &mut |child| self.node(child, scope, true)),
        }
    }

    fn function(
        &mut self,
        decorators: &[Expr],
        args: &crate::Arguments,
        returns: Option<&Expr>,
        body: &[Stmt],
    ) {
        let at_run_time = !self.deferred_annotations || !decorators.iter().all(is_passive);
        decorators.iter().for_each(|expr| self.expr(expr, true));
        parameters(args, &mut |node| match node {
            Node::Arg(arg) => {
                self.taken.insert(arg.arg.to_string());
                arg.annotation.iter().for_each(|annotation| self.expr(annotation, at_run_time));
            }
            default => self.node(default, Scope::Function, true),
        });
        returns.into_iter().for_each(|returns| self.expr(returns, at_run_time));
        body.iter().for_each(|stmt| self.statement(stmt, Scope::Function));
    }

    fn expr(&mut self, expr: &Expr, at_run_time: bool) {
        self.node(Node::Expr(expr), Scope::Module, at_run_time);
    }

    fn node(&mut self, node: Node<'_, Annotation>, scope: Scope, at_run_time: bool) {
        match node {
            Node::Stmt(stmt) => return self.statement(stmt, scope),
            Node::Expr(Expr::Name(name)) => match name.range.import {
                Some(import) => *self.imports.entry(import).or_default() |= at_run_time,
                None => {
                    self.taken.insert(name.id.to_string());
                }
            },
            Node::Arg(arg) => {
                self.taken.insert(arg.arg.to_string());
            }
            Node::ExceptHandler(ast::ExceptHandler::ExceptHandler(handler)) => {
                self.taken.extend(handler.name.as_ref().map(ToString::to_string));
            }
            Node::Alias(alias) => {
                self.taken.insert(alias.asname.as_ref().unwrap_or(&alias.name).to_string());
            }
            _ => (),
        }
        children(node, &mut |child| self.node(child, scope, at_run_time));
    }
}

fn is_passive(decorator: &Expr) -> bool {
    matches!(decorator, Expr::Name(name) if PASSIVE_DECORATORS.contains(&name.id.as_str()))
}

/// Gives every import whose name the module itself uses, or that two imports share, a name of its own.
fn rename_clashes(uses: &Uses, body: Vec<Stmt>) -> (HashMap<Import, Import>, Vec<Stmt>) {
    let mut taken = uses.taken.clone();
    let mut aliases = HashMap::new();
    for import in uses.imports.keys() {
        if taken.insert(import.binding().to_string()) {
            continue;
        }
        let package = import.module.rsplit('.').next().unwrap_or(import.module);
        let mut alias = format!("{package}_{}", import.binding());
        while !taken.insert(alias.clone()) {
            alias.push('_');
        }
        // The parts are identifiers, so the whole is one.
        if let Ok(alias) = Name::parse(&alias) {
            aliases.insert(*import, import.named(alias));
        }
    }
    if aliases.is_empty() {
        return (aliases, body);
    }
    let mut rename = Rename { aliases: &aliases };
    let renamed = body.into_iter().map(|stmt| {
        let Ok(stmt) = rename.fold_stmt(stmt);
        stmt
    });
    let renamed = renamed.collect();
    (aliases, renamed)
}

struct Rename<'a> {
    aliases: &'a HashMap<Import, Import>,
}

impl Fold<Annotation> for Rename<'_> {
    type TargetU = Annotation;
    type Error = std::convert::Infallible;
    type UserContext = ();

    fn will_map_user(&mut self, _: &Annotation) {}

    fn map_user(&mut self, user: Annotation, (): ()) -> Result<Annotation, Self::Error> {
        Ok(user)
    }

    fn fold_expr_name(
        &mut self,
        mut node: ast::ExprName<Annotation>,
    ) -> Result<ast::ExprName<Annotation>, Self::Error> {
        if let Some(alias) = node.range.import.and_then(|import| self.aliases.get(&import)) {
            node.id = alias.binding().as_str().into();
        }
        Ok(node)
    }
}

/// Sorted and grouped the way ruff's isort rules leave it: future, standard library, third party,
/// the project's own; in a group `import x` before `from x import y`.
fn block(imports: Vec<Import>, first_party: &[&str]) -> Vec<Stmt> {
    let mut groups: BTreeMap<(Group, bool, String), Vec<Import>> = BTreeMap::new();
    for import in imports {
        let is_from = import.name.is_some();
        // An aliased name stands in a statement of its own.
        let own = import.alias.map_or(String::new(), |_| member_key(import).1);
        let key = format!("{}\0{own}", import.module.to_lowercase());
        groups.entry((group(import.module, first_party), is_from, key)).or_default().push(import);
    }
    let mut statements: Vec<Stmt> = Vec::new();
    let mut last = None;
    for ((group, ..), mut imports) in groups {
        imports.sort_by_key(|import| member_key(*import));
        let mut stmt = merged(&imports);
        if last.is_some_and(|last| last != group) {
            start_paragraph(&mut stmt);
        }
        last = Some(group);
        statements.push(stmt);
    }
    statements
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Future,
    StandardLibrary,
    ThirdParty,
    FirstParty,
}

fn group(module: &str, first_party: &[&str]) -> Group {
    let root = module.split('.').next().unwrap_or(module);
    if root == "__future__" {
        Group::Future
    } else if first_party.contains(&root) {
        Group::FirstParty
    } else if stdlib::MODULES.binary_search(&root).is_ok() {
        Group::StandardLibrary
    } else {
        Group::ThirdParty
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MemberKind {
    Constant,
    Class,
    Variable,
}

/// Constants, then classes, then the rest, each without regard to case.
fn member_key(import: Import) -> (MemberKind, String, &'static str) {
    let text = import.name.map_or(import.module, Name::as_str);
    let is_upper = !text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    let kind = if text.len() > 1 && is_upper {
        MemberKind::Constant
    } else if text.starts_with(char::is_uppercase) {
        MemberKind::Class
    } else {
        MemberKind::Variable
    };
    (kind, text.to_lowercase(), text)
}

/// One statement for imports from the same module.
fn merged(imports: &[Import]) -> Stmt {
    let mut statements = imports.iter().map(|import| import_stmt(*import));
    let first = statements.next().unwrap_or_else(crate::make::pass);
    statements.fold(first, |mut all, next| {
        match (&mut all, next) {
            (Stmt::ImportFrom(all), Stmt::ImportFrom(next)) => all.names.extend(next.names),
            (Stmt::Import(all), Stmt::Import(next)) => all.names.extend(next.names),
            _ => (),
        }
        all
    })
}

fn start_paragraph(stmt: &mut Stmt) {
    use crate::make::Commented;
    let trivia: &mut Trivia = stmt.annotation_mut().trivia.get_or_insert_default();
    trivia.blank_line = true;
}

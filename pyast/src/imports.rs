//! The import block of a module, computed from the names its tree uses.

use crate::annotation::{Annotation, Trivia};
use crate::make::{Statements, assign, if_, import_stmt, list};
use crate::module::Module;
use crate::name::{Import, Name, import, name};
use crate::natural::Natural;
use crate::stdlib;
use crate::walk::{Node, children, parameters};
use crate::{Expr, Pattern, Stmt};
use foldhash::{HashMap, HashSet};
use rustpython_ast as ast;
use rustpython_ast::fold::Fold;
use std::borrow::Cow;
use std::collections::BTreeMap;

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
pub(crate) fn resolve(module: Module) -> (Vec<Stmt>, Vec<Stmt>) {
    let Module { name: module, docstring: _, first_party, deferred_annotations, exports, body } =
        module;
    let first_party = &first_party;
    let mut uses = Uses { deferred_annotations, scopes: vec![Scope::default()], ..Uses::default() };
    body.iter().for_each(|stmt| uses.statement(stmt));
    let mut imports = uses.imports();
    imports.extend(exports.into_iter().map(|import| (import, true)));
    // A name that this module defines itself needs no import in it.
    imports.retain(|import, _| import.module != module || import.name.is_none());
    let aliases = aliases(&uses, imports.keys());
    let body = rename(&aliases, body);

    let future = deferred_annotations.then(|| import("__future__", "annotations"));
    let (mut runtime, mut typing_only) = (Vec::from_iter(future), Vec::new());
    for (import, at_run_time) in imports {
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

/// What a run of statements belongs to (Python scopes by function and class): the names that it binds and uses. Both are
/// known at its end only, for Python lets a function use what is bound below it.
#[derive(Default)]
struct Scope<'a> {
    is_class: bool,
    bound: HashSet<&'a str>,
    /// In the scope itself, and whether a use is evaluated at run time.
    used: HashMap<Used<'a>, bool>,
    /// In functions and classes in it that do not bind the name.
    used_inside: HashMap<Used<'a>, bool>,
}

/// What a name stands for where it is used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Used<'a> {
    Import(&'a Import),
    /// What the module binds, or Python.
    Other(&'a str),
}

#[derive(Default)]
struct Uses<'a> {
    deferred_annotations: bool,
    /// From the module inwards.
    scopes: Vec<Scope<'a>>,
    /// Imports that something else of the same name hides where they are used.
    hidden: HashMap<&'a Import, bool>,
}

impl<'a> Uses<'a> {
    /// Every import of the tree, and whether a use of it is evaluated at run time.
    fn imports(&self) -> BTreeMap<Import, bool> {
        let mut imports: BTreeMap<Import, bool> = BTreeMap::new();
        let scopes = self.scopes.iter();
        let used = scopes.flat_map(|module| module.used.iter().chain(&module.used_inside));
        let used = used.filter_map(|(one, at_run_time)| match one {
            Used::Import(import) => Some((*import, *at_run_time)),
            Used::Other(_) => None,
        });
        let hidden = self.hidden.iter().map(|(import, at_run_time)| (*import, *at_run_time));
        for (import, at_run_time) in used.chain(hidden) {
            *imports.entry(*import).or_default() |= at_run_time;
        }
        imports
    }

    /// Walks through the body of a function or class, which hides what it binds.
    fn inside(&mut self, scope: Scope<'a>, body: impl FnOnce(&mut Self)) {
        self.scopes.push(scope);
        body(self);
        let Some(Scope { is_class, bound, used, used_inside }) = self.scopes.pop() else { return };
        // The names of a class are seen in its own body only, not in its methods.
        let is_hiding = |name: &str, is_own: bool| (is_own || !is_class) && bound.contains(name);
        let used = used.into_iter().map(|one| (one, true));
        let used = used.chain(used_inside.into_iter().map(|one| (one, false)));
        let Some(outer) = self.scopes.last_mut() else { return };
        for ((one, at_run_time), is_own) in used {
            match one {
                Used::Import(import) if is_hiding(import.binding().as_str(), is_own) => {
                    *self.hidden.entry(import).or_default() |= at_run_time;
                }
                Used::Other(name) if is_hiding(name, is_own) => (),
                _ => *outer.used_inside.entry(one).or_default() |= at_run_time,
            }
        }
    }

    fn bind(&mut self, name: &'a str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.bound.insert(name);
        }
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                self.bind(&def.name);
                self.function(&def.decorator_list, &def.args, def.returns.as_deref(), &def.body);
            }
            Stmt::AsyncFunctionDef(def) => {
                self.bind(&def.name);
                self.function(&def.decorator_list, &def.args, def.returns.as_deref(), &def.body);
            }
            Stmt::ClassDef(def) => {
                self.bind(&def.name);
                def.decorator_list.iter().chain(&def.bases).for_each(|expr| self.expr(expr, true));
                def.keywords.iter().for_each(|keyword| self.expr(&keyword.value, true));
                let scope = Scope { is_class: true, ..Scope::default() };
                self.inside(scope, |uses| def.body.iter().for_each(|stmt| uses.statement(stmt)));
            }
            Stmt::AnnAssign(stmt) => {
                // PEP 526: the annotation of a simple name in a function is never evaluated.
                let deferred = match self.scopes.as_slice() {
                    [_module] => self.deferred_annotations,
                    [.., scope] => !scope.is_class && stmt.simple,
                    [] => false,
                };
                self.expr(&stmt.target, true);
                self.expr(&stmt.annotation, !deferred);
                stmt.value.iter().for_each(|value| self.expr(value, true));
            }
            _ => children(Node::Stmt(stmt), &mut |child| self.node(child, true)),
        }
    }

    fn function(
        &mut self,
        decorators: &'a [Expr],
        args: &'a crate::Arguments,
        returns: Option<&'a Expr>,
        body: &'a [Stmt],
    ) {
        let at_run_time = !self.deferred_annotations || !decorators.iter().all(is_passive);
        let mut scope = Scope::default();
        decorators.iter().for_each(|expr| self.expr(expr, true));
        parameters(args, &mut |node| match node {
            Node::Arg(arg) => {
                scope.bound.insert(&arg.arg);
                arg.annotation.iter().for_each(|annotation| self.expr(annotation, at_run_time));
            }
            default => self.node(default, true),
        });
        returns.into_iter().for_each(|returns| self.expr(returns, at_run_time));
        self.inside(scope, |uses| body.iter().for_each(|stmt| uses.statement(stmt)));
    }

    fn expr(&mut self, expr: &'a Expr, at_run_time: bool) {
        self.node(Node::Expr(expr), at_run_time);
    }

    fn node(&mut self, node: Node<'a, Annotation>, at_run_time: bool) {
        match node {
            Node::Stmt(stmt) => return self.statement(stmt),
            Node::Expr(Expr::Name(name)) => {
                let used = match name.range.import.as_deref() {
                    Some(import) => Used::Import(import),
                    None => Used::Other(&name.id),
                };
                if let Some(scope) = self.scopes.last_mut() {
                    *scope.used.entry(used).or_default() |= at_run_time;
                }
                if name.ctx != ast::ExprContext::Load {
                    self.bind(&name.id);
                }
                return;
            }
            Node::Expr(Expr::Lambda(lambda)) => {
                // The body of a lambda and its parameters: a scope without statements.
                let mut scope = Scope::default();
                parameters(&lambda.args, &mut |node| match node {
                    Node::Arg(arg) => {
                        scope.bound.insert(arg.arg.as_str());
                    }
                    default => self.node(default, at_run_time),
                });
                return self.inside(scope, |uses| uses.expr(&lambda.body, at_run_time));
            }
            Node::ExceptHandler(ast::ExceptHandler::ExceptHandler(handler)) => {
                handler.name.iter().for_each(|name| self.bind(name));
            }
            Node::Alias(alias) => self.bind(alias.asname.as_ref().unwrap_or(&alias.name)),
            Node::Pattern(Pattern::MatchAs(ast::PatternMatchAs { name: Some(name), .. })) => {
                self.bind(name);
            }
            Node::Pattern(Pattern::MatchStar(ast::PatternMatchStar {
                name: Some(name), ..
            })) => {
                self.bind(name);
            }
            _ => (),
        }
        children(node, &mut |child| self.node(child, at_run_time));
    }
}

fn is_passive(decorator: &Expr) -> bool {
    matches!(decorator, Expr::Name(name) if PASSIVE_DECORATORS.contains(&name.id.as_str()))
}

/// Gives every import whose name the module itself uses, or that two imports share, a name of its own.
fn aliases<'a>(
    uses: &Uses<'_>,
    imports: impl Iterator<Item = &'a Import>,
) -> HashMap<Import, Import> {
    let mut taken: HashSet<Cow<'_, str>> = HashSet::default();
    for module in &uses.scopes {
        taken.extend(module.bound.iter().copied().map(Cow::Borrowed));
        // What is used without being bound or imported is Python's own.
        let used = module.used.keys().chain(module.used_inside.keys());
        taken.extend(used.filter_map(|one| match one {
            Used::Other(name) => Some(Cow::Borrowed(*name)),
            Used::Import(_) => None,
        }));
    }
    let mut aliases = HashMap::default();
    for import in imports {
        let is_hidden = uses.hidden.contains_key(import);
        if taken.insert(Cow::Owned(import.binding().to_string())) && !is_hidden {
            continue;
        }
        let package = import.module.rsplit('.').next().unwrap_or(import.module);
        let mut alias = format!("{package}_{}", import.binding());
        while !taken.insert(Cow::Owned(alias.clone())) {
            alias.push('_');
        }
        // The parts are identifiers, so the whole is one.
        if let Ok(alias) = Name::parse(&alias) {
            aliases.insert(*import, import.named(alias));
        }
    }
    aliases
}

fn rename(aliases: &HashMap<Import, Import>, body: Vec<Stmt>) -> Vec<Stmt> {
    if aliases.is_empty() {
        return body;
    }
    let mut rename = Rename { aliases };
    let renamed = body.into_iter().map(|stmt| {
        let Ok(stmt) = rename.fold_stmt(stmt);
        stmt
    });
    renamed.collect()
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
        if let Some(alias) =
            node.range.import.as_deref().and_then(|import| self.aliases.get(import))
        {
            node.id = alias.binding().as_str().into();
        }
        Ok(node)
    }
}

/// Sorted and grouped the way ruff's isort rules leave it: future, standard library, third party,
/// the project's own; in a group `import x` before `from x import y`.
fn block(imports: Vec<Import>, first_party: &[&str]) -> Vec<Stmt> {
    let mut groups: BTreeMap<(Group, bool, String, Option<Import>), Vec<Import>> = BTreeMap::new();
    for import in imports {
        let is_from = import.name.is_some();
        // An aliased name stands in a statement of its own.
        let own = import.alias.map(|_| import);
        let key = (group(import.module, first_party), is_from, import.module.to_lowercase(), own);
        groups.entry(key).or_default().push(import);
    }
    let mut blocks: Vec<(Group, bool, Vec<Import>)> = Vec::new();
    for ((group, is_from, ..), mut imports) in groups {
        imports.sort_by_cached_key(|import| member_key(*import));
        blocks.push((group, is_from, imports));
    }
    // Of one module, the statement whose first name comes first.
    blocks.sort_by_cached_key(|(group, is_from, imports)| {
        let first = imports.first().map(|import| {
            let alias = import.alias.map(|alias| Natural(alias.to_string()));
            (Natural(import.module.to_lowercase()), member_key(*import), alias)
        });
        (*group, *is_from, first)
    });
    let mut statements: Vec<Stmt> = Vec::new();
    let mut last = None;
    for (group, _, imports) in blocks {
        let mut stmt = merged(&imports);
        if last.is_some_and(|last| last != group) {
            start_paragraph(&mut stmt);
        }
        last = Some(group);
        statements.push(stmt);
    }
    statements
}

/// `__all__ = […]` for the names that a module passes on, sorted as ruff sorts them.
pub(crate) fn all(exports: &[Import]) -> Option<Stmt> {
    let mut exports = exports.to_vec();
    exports.sort_by_cached_key(|import| member_key(*import));
    let names = exports.iter().map(|import| import.binding().as_str());
    (!exports.is_empty()).then(|| assign(name("__all__"), list(names)))
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
fn member_key(import: Import) -> (MemberKind, Natural, Natural) {
    let text = import.name.map_or(import.module, Name::as_str);
    let is_upper = !text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    let kind = if text.len() > 1 && is_upper {
        MemberKind::Constant
    } else if text.starts_with(char::is_uppercase) {
        MemberKind::Class
    } else {
        MemberKind::Variable
    };
    (kind, Natural(text.to_lowercase()), Natural(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::{import, print_module};

    const DATE: Import = import("datetime", "date");
    const SELECT: Import = import("sqlalchemy", "select");
    const USER: Import = import("app.models.user", "User");

    #[track_caller]
    fn check(module: Module, expected: &str) {
        assert_eq!(print_module(&module), expected);
    }

    #[test]
    fn imports_are_grouped_and_sorted() {
        let names =
            [USER, SELECT, import("sqlalchemy", "Select"), import("sqlalchemy", "DDL"), DATE];
        let used = names.map(do_);
        let text = "from datetime import date\n\nfrom sqlalchemy import DDL, Select, select\n\n\
                    from app.models.user import User\n\n\
                    User\nselect\nSelect\nDDL\ndate\n";
        check(module("app.x").body(used), text);
    }

    #[test]
    fn an_aliased_name_stands_where_its_own_name_would() {
        const TYPES: &str = "app.models.types";
        let types =
            [import(TYPES, "UTCDateTime"), import(TYPES, "ExactDecimal"), import(TYPES, "encode")];
        let own = ["ExactDecimal", "encode"].map(|own| assign(name(own), 1));
        let text = "from app.models.types import ExactDecimal as types_ExactDecimal\n\
                    from app.models.types import UTCDateTime\n\
                    from app.models.types import encode as types_encode\n\n\
                    UTCDateTime\ntypes_ExactDecimal\ntypes_encode\nExactDecimal = 1\nencode = 1\n";
        check(module("app.x").body(types.map(do_)).body(own), text);
    }

    #[test]
    fn a_name_of_the_module_itself_needs_no_import() {
        check(module("app.models.user").body([do_(USER)]), "User\n");
    }

    #[test]
    fn a_field_does_not_hide_the_type_of_the_next_one() {
        names!(date, due);
        let model = class(name("Model")).body(block![annotate(date, DATE), annotate(due, DATE)]);
        let text = "from datetime import date as datetime_date\n\n\n\
                    class Model:\n    date: datetime_date\n    due: datetime_date\n";
        check(module("app.x").body(model), text);
    }

    #[test]
    fn a_method_does_not_hide_an_import_in_another_method() {
        let select = def("select").body([return_(py!(SELECT()))]);
        let text = "from sqlalchemy import select\n\n\n\
                    class Query:\n    def select():\n        return select()\n";
        check(module("app.x").body(class(name("Query")).body(select)), text);
    }

    #[test]
    fn a_local_variable_hides_an_import_in_its_function_only() {
        names!(select);
        let hiding = def(name("f")).body(block![assign(select, 1), return_(SELECT)]);
        let text = "from sqlalchemy import select as sqlalchemy_select\n\n\n\
                    def f():\n    select = 1\n    return sqlalchemy_select\n";
        check(module("app.x").body(hiding), text);
        let apart = block![def(name("f")).body([assign(select, 1)]), do_(SELECT)];
        let text = "from sqlalchemy import select\n\n\ndef f():\n    select = 1\n\n\nselect\n";
        check(module("app.x").body(apart), text);
    }

    #[test]
    fn two_imports_of_one_name_get_two_names() {
        let other = import("app.select", "select");
        let text = "from sqlalchemy import select as sqlalchemy_select\n\n\
                    from app.select import select\n\nselect(sqlalchemy_select)\n";
        check(module("app.x").body([do_(py!(other(SELECT)))]), text);
    }

    #[test]
    fn annotations_alone_are_imported_for_type_checking_where_that_is_safe() {
        names!(user, day);
        let f = def(name("f"))
            .params([param(user, USER).default(none())])
            .body(block![annotate(day, DATE), pass()]);
        let eager = "from typing import TYPE_CHECKING\n\nfrom app.models.user import User\n\n\
                     if TYPE_CHECKING:\n    from datetime import date\n\n\n\
                     def f(user: User = None):\n    day: date\n    pass\n";
        check(module("app.x").body(f.clone()), eager);
        let deferred = "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n\
                        if TYPE_CHECKING:\n    from datetime import date\n\n    \
                        from app.models.user import User\n\n\n\
                        def f(user: User = None):\n    day: date\n    pass\n";
        check(module("app.x").deferred_annotations().body(f), deferred);
    }

    #[test]
    fn a_decorated_function_keeps_its_annotations_at_run_time() {
        names!(router, user);
        let route = def(name("f")).decorator(py!(router.get("/"))).params([param(user, USER)]);
        let text = "from __future__ import annotations\n\nfrom app.models.user import User\n\n\n\
                    @router.get(\"/\")\ndef f(user: User):\n    pass\n";
        check(module("app.x").deferred_annotations().body(route), text);
    }
}

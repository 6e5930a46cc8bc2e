//! The routes of a project, and what runs before each.

use super::dependencies::{Closure, Dependency, dotted, is_named};
use super::modules::{Definition, Modules};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;
use std::collections::{BTreeMap, BTreeSet};

/// A function that answers requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The file, relative to the folder that Python runs in.
    pub path: String,
    /// The line of its name, from 1.
    pub line: usize,
    /// The name of the function, with its module.
    pub function: String,
    /// The region that it makes up, if its markers are there.
    pub region: Option<String>,
    /// `GET /organizations/{organization_id}/reports`, with the prefix of its own router.
    pub requests: BTreeSet<String>,
    /// What runs before it.
    pub dependencies: BTreeSet<Dependency>,
    /// What its body says, layout aside: a moved route is found by it.
    pub body: String,
}

const METHODS: [&str; 8] =
    ["delete", "get", "head", "options", "patch", "post", "put", "websocket"];

/// All routes of a project, in the order of their files.
pub fn routes(modules: &Modules<'_>) -> Vec<Route> {
    let included = inclusions(modules);
    let mut routes = Vec::new();
    for (name, module) in &modules.all {
        let mut reader = Reader { modules, module: name, included: &included, routes: Vec::new() };
        reader.visit_body(module.syntax.body());
        routes.extend(reader.routes);
    }
    routes
}

/// For each router, what the calls that include it put before all of its routes: only what all of them do.
type Included = BTreeMap<String, BTreeSet<Dependency>>;

fn inclusions(modules: &Modules<'_>) -> Included {
    struct Includes<'m> {
        calls: Vec<&'m ExprCall>,
    }
    impl<'m> Visitor<'m> for Includes<'m> {
        fn visit_expr(&mut self, expr: &'m Expr) {
            if let Expr::Call(call) = expr
                && is_named(&call.func, &["include_router"])
            {
                self.calls.push(call);
            }
            visitor::walk_expr(self, expr);
        }
    }
    let mut included = Included::new();
    for (name, module) in &modules.all {
        let mut includes = Includes { calls: Vec::new() };
        includes.visit_body(module.syntax.body());
        for call in includes.calls {
            let router = call.arguments.args.first().and_then(dotted);
            let Some(router) = router.map(|router| modules.qualified(name, &router)) else {
                continue;
            };
            let mut closure = Closure::new(modules);
            if let Some(list) = call.arguments.find_keyword("dependencies") {
                closure.add_list(name, &list.value);
            }
            match included.get_mut(&router) {
                Some(known) => known.retain(|it| closure.all.contains(it)),
                None => {
                    included.insert(router, closure.all);
                }
            }
        }
    }
    included
}

struct Reader<'p, 'a> {
    modules: &'p Modules<'a>,
    module: &'p str,
    included: &'p Included,
    routes: Vec<Route>,
}

impl<'m> Visitor<'m> for Reader<'_, '_> {
    fn visit_stmt(&mut self, stmt: &'m Stmt) {
        if let Stmt::FunctionDef(def) = stmt {
            self.function(def);
        }
        visitor::walk_stmt(self, stmt);
    }
}

impl Reader<'_, '_> {
    fn function(&mut self, def: &StmtFunctionDef) {
        let calls: Vec<&ExprCall> = def
            .decorator_list
            .iter()
            .filter_map(|decorator| decorator.expression.as_call_expr())
            .filter(|call| is_route(call))
            .collect();
        if calls.is_empty() {
            return;
        }
        let mut requests = BTreeSet::new();
        // A function that two decorators make a route is as open as the more open of the two.
        let mut before: Option<BTreeSet<Dependency>> = None;
        for call in calls {
            requests.extend(self.requests(call));
            let all = self.dependencies(call);
            before = Some(match before {
                Some(known) => known.intersection(&all).cloned().collect(),
                None => all,
            });
        }
        let mut closure = Closure::new(self.modules);
        closure.add_parameters(self.module, &def.parameters);
        closure.all.extend(before.unwrap_or_default());
        let Some(module) = self.modules.all.get(self.module) else { return };
        let text = module.syntax.text;
        let start = def.range().start().to_usize();
        self.routes.push(Route {
            path: module.path.to_owned(),
            line: 1 + text[..def.name.range.start().to_usize()].matches('\n').count(),
            function: format!("{}.{}", self.module, def.name),
            region: region(&text[..start]),
            requests,
            dependencies: closure.all,
            body: body(text, def),
        });
    }

    fn requests(&self, call: &ExprCall) -> Vec<String> {
        let path = call.arguments.find_argument_value("path", 0);
        let path = path.and_then(|it| it.as_string_literal_expr());
        let path = path.map_or("?", |it| it.value.to_str());
        let prefix = self.router(call).and_then(|(_, router)| {
            let prefix = router.arguments.find_keyword("prefix")?;
            Some(prefix.value.as_string_literal_expr()?.value.to_str().to_owned())
        });
        let prefix = prefix.unwrap_or_default();
        methods(call).into_iter().map(|method| format!("{method} {prefix}{path}")).collect()
    }

    /// What the decorator, its router and the inclusion of the router put before a route.
    fn dependencies(&self, call: &ExprCall) -> BTreeSet<Dependency> {
        let mut closure = Closure::new(self.modules);
        if let Some(list) = call.arguments.find_keyword("dependencies") {
            closure.add_list(self.module, &list.value);
        }
        if let Some((module, router)) = self.router(call)
            && let Some(list) = router.arguments.find_keyword("dependencies")
        {
            closure.add_list(module, &list.value);
        }
        if let Expr::Attribute(method) = &*call.func
            && let Some(router) = dotted(&method.value)
        {
            let router = self.modules.qualified(self.module, &router);
            closure.all.extend(self.included.get(&router).into_iter().flatten().cloned());
        }
        closure.all
    }

    /// The call that made the router of a decorator: `APIRouter(…)`.
    fn router(&self, call: &ExprCall) -> Option<(&str, &ExprCall)> {
        let Expr::Attribute(method) = &*call.func else { return None };
        let name = self.modules.qualified(self.module, &dotted(&method.value)?);
        match self.modules.definition(&name)? {
            (module, Definition::Value(Expr::Call(router))) => Some((module, router)),
            _ => None,
        }
    }
}

fn is_route(call: &ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else { return false };
    let name = method.attr.as_str();
    METHODS.contains(&name) && call.arguments.find_argument_value("path", 0).is_some()
        || matches!(name, "api_route" | "route")
}

fn methods(call: &ExprCall) -> Vec<String> {
    let Expr::Attribute(method) = &*call.func else { return Vec::new() };
    match method.attr.as_str() {
        "api_route" | "route" => {
            let list = call.arguments.find_keyword("methods").map(|keyword| &keyword.value);
            let elements = match list {
                Some(Expr::List(list)) => &list.elts[..],
                Some(Expr::Tuple(tuple)) => &tuple.elts[..],
                _ => return vec!["GET".to_owned()],
            };
            let literals = elements.iter().filter_map(|it| it.as_string_literal_expr());
            literals.map(|it| it.value.to_str().to_uppercase()).collect()
        }
        method => vec![method.to_uppercase()],
    }
}

/// The id in the marker above a function.
fn region(above: &str) -> Option<String> {
    let lines = above.lines().rev().take_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#')
    });
    let mut markers = lines.filter_map(|line| line.trim_start().strip_prefix("# astgen:begin "));
    Some(markers.next()?.split(' ').next()?.to_owned())
}

fn body(text: &str, def: &StmtFunctionDef) -> String {
    let (Some(first), Some(last)) = (def.body.first(), def.body.last()) else {
        return String::new();
    };
    let range = first.range().start().to_usize()..last.range().end().to_usize();
    text[range].split_whitespace().collect::<Vec<_>>().join(" ")
}

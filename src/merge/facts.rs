//! What a module defines and what it uses: what a merge must not lose, double or leave undefined.
//!
//! Names are resolved by Python's own scoping rules (language reference, "Naming and binding"), without
//! following control flow: a name is defined in a scope when anything in it binds the name.

use super::python::Syntax;
use foldhash::{HashMap, HashSet};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    self as ast, Comprehension, Expr, ExprContext, Parameters, Pattern, Stmt, TypeParam, TypeParams,
};
use ruff_python_parser::parse_expression;
use ruff_text_size::{Ranged, TextRange};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Functions and classes by their qualified names, and what their classes and the module assign: how many
    /// there are of each, overloads and property setters aside.
    pub definitions: BTreeMap<String, Definition>,
    /// What is used and not defined: names, and attributes of `self` by their classes. Each with a place.
    pub unresolved: BTreeMap<String, usize>,
    /// Names that run before what binds them. Each with a place.
    pub early: BTreeMap<String, usize>,
    /// What is imported, and as what, with the definition that it is in.
    pub imports: BTreeMap<String, Import>,
    /// Names that two imports bind to different things.
    pub ambiguous: BTreeMap<String, usize>,
    /// What FastAPI is told to run before a function: its qualified name and the source of the dependency.
    pub guards: BTreeMap<(String, String), usize>,
    /// Parameters and dataclass fields without a default behind one with it, and doubled keys of dictionaries.
    pub malformed: BTreeMap<String, usize>,
}

/// An import of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// How often it is there.
    pub count: usize,
    /// Where the last one is, in bytes.
    pub place: usize,
}

/// A definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: DefinitionKind,
    /// How often it is there.
    pub count: usize,
    /// Where the last one is, in bytes.
    pub place: usize,
}

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A function.
    Function,
    /// A class.
    Class,
    /// A variable of a module or a field of a class.
    Variable,
}

/// Finds out what a module defines and uses.
pub fn facts(syntax: &Syntax<'_>) -> Facts {
    let mut reader = Reader {
        text: syntax.text,
        facts: Facts::default(),
        scopes: vec![Scope::new(ScopeKind::Module)],
        path: Vec::new(),
        is_deferred: false,
        has_future_annotations: syntax.has_future_annotations(),
        sources: HashMap::default(),
        conditional: 0,
    };
    reader.visit_body(syntax.body());
    if let Some(module) = reader.scopes.pop() {
        reader.close_module(module);
    }
    reader.facts
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Class,
    Function,
}

#[derive(Debug)]
struct Scope<'a> {
    kind: ScopeKind,
    /// What it binds, and where first.
    bound: HashMap<&'a str, usize>,
    /// What is used in it and in what is in it.
    used: Vec<Use<'a>>,
    /// `global` and `nonlocal`.
    elsewhere: HashSet<&'a str>,
    /// Attributes of `self` that its methods assign, and those they use.
    own: HashSet<&'a str>,
    wanted: Vec<(&'a str, usize)>,
}

#[derive(Debug)]
struct Use<'a> {
    /// Owned where it is part of a string.
    name: Cow<'a, str>,
    place: usize,
    /// It runs later, when a function is called: the names of a class around are not seen then.
    is_deferred: bool,
}

impl Scope<'_> {
    fn new(kind: ScopeKind) -> Self {
        Scope {
            kind,
            bound: HashMap::default(),
            used: Vec::new(),
            elsewhere: HashSet::default(),
            own: HashSet::default(),
            wanted: Vec::new(),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    facts: Facts,
    scopes: Vec<Scope<'a>>,
    /// The definitions around.
    path: Vec<&'a str>,
    /// What is read now runs when a function is called.
    is_deferred: bool,
    has_future_annotations: bool,
    /// What each imported name comes from, in the scope of the module.
    sources: HashMap<&'a str, String>,
    /// How many `if` and `try` are around: there, a name may be bound twice.
    conditional: usize,
}

fn start(range: TextRange) -> usize {
    range.start().to_usize()
}

impl<'a> Reader<'a> {
    fn scope(&mut self) -> &mut Scope<'a> {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::new(ScopeKind::Module));
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    fn bind(&mut self, name: &'a str, place: usize) {
        self.scope().bound.entry(name).or_insert(place);
    }

    fn qualified(&self, name: &str) -> String {
        self.path.iter().copied().chain([name]).collect::<Vec<&str>>().join(".")
    }

    fn define(&mut self, name: &str, kind: DefinitionKind, place: usize) {
        let name = self.qualified(name);
        let known =
            self.facts.definitions.entry(name).or_insert(Definition { kind, count: 0, place });
        known.count += 1;
        known.place = place;
        known.kind = kind;
    }

    /// Closes a scope: what it does not bind is for the scope around to find.
    fn close(&mut self) {
        let Some(scope) = self.scopes.pop() else { return };
        if scope.kind == ScopeKind::Class {
            self.close_class(&scope);
        }
        for used in scope.used {
            let is_seen = scope.kind != ScopeKind::Class || !used.is_deferred;
            let is_here =
                scope.bound.contains_key(&*used.name) && !scope.elsewhere.contains(&*used.name);
            if !(is_seen && is_here) {
                let is_deferred = used.is_deferred || scope.kind == ScopeKind::Function;
                self.scope().used.push(Use { is_deferred, ..used });
            }
        }
        if scope.kind == ScopeKind::Function {
            // Methods tell their class about `self`; functions in methods do too.
            let outer = self.scope();
            outer.own.extend(scope.own);
            outer.wanted.extend(scope.wanted);
        }
    }

    fn close_class(&mut self, scope: &Scope<'a>) {
        let class = self.path.join(".");
        for (name, place) in &scope.wanted {
            if !scope.own.contains(name) && !scope.bound.contains_key(name) {
                self.facts.unresolved.entry(format!("{class}.{name}")).or_insert(*place);
            }
        }
    }

    fn close_module(&mut self, scope: Scope<'a>) {
        for used in scope.used {
            match scope.bound.get(&*used.name) {
                None => {
                    self.facts.unresolved.entry(used.name.into_owned()).or_insert(used.place);
                }
                Some(bound) if !used.is_deferred && *bound > used.place => {
                    self.facts.early.entry(used.name.into_owned()).or_insert(used.place);
                }
                Some(_) => (),
            }
        }
    }

    fn function(&mut self, def: &'a ast::StmtFunctionDef) {
        let name = def.name.as_str();
        let place = start(def.name.range);
        self.bind(name, place);
        if !is_variant(&def.decorator_list) {
            self.define(name, DefinitionKind::Function, place);
        }
        for decorator in &def.decorator_list {
            self.visit_decorator(decorator);
        }
        self.guards(def);
        self.path.push(name);
        self.scopes.push(Scope::new(ScopeKind::Function));
        // Type parameters have a scope of their own; that of the function serves as well.
        if let Some(parameters) = &def.type_params {
            self.visit_type_params(parameters);
        }
        self.bind_parameters(&def.parameters);
        self.required_after_default(&def.parameters);
        let was_conditional = std::mem::take(&mut self.conditional);
        let was_deferred = std::mem::replace(&mut self.is_deferred, true);
        self.visit_body(&def.body);
        self.is_deferred = was_deferred;
        self.conditional = was_conditional;
        self.close();
        self.path.pop();
        self.headers(&def.parameters, def.returns.as_deref(), def.type_params.as_deref());
    }

    /// Defaults run where the function is defined; annotations too, unless they are strings.
    fn headers(
        &mut self,
        parameters: &'a Parameters,
        returns: Option<&'a Expr>,
        type_parameters: Option<&'a TypeParams>,
    ) {
        let generic: HashSet<&str> =
            type_parameters.iter().flat_map(|all| all.iter()).map(type_parameter).collect();
        let before = self.scope().used.len();
        for parameter in parameters {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
            if let Some(annotation) = parameter.annotation() {
                self.visit_annotation(annotation);
            }
        }
        if let Some(returns) = returns {
            self.visit_annotation(returns);
        }
        let mut index = 0;
        self.scope().used.retain(|used| {
            index += 1;
            index <= before || !generic.contains(&*used.name)
        });
    }

    fn bind_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str(), start(parameter.name().range));
        }
    }

    fn required_after_default(&mut self, parameters: &Parameters) {
        let mut has_default = false;
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args) {
            if parameter.default.is_some() {
                has_default = true;
            } else if has_default {
                let name = self.path.join(".");
                let place = start(parameter.range());
                let name = format!("`{}` of `{name}`", parameter.parameter.name);
                self.facts
                    .malformed
                    .insert(format!("{name} has no default behind one that has"), place);
            }
        }
    }

    fn guards(&mut self, def: &'a ast::StmtFunctionDef) {
        let name = self.qualified(def.name.as_str());
        let mut guards = GuardReader { text: self.text, found: Vec::new() };
        for decorator in &def.decorator_list {
            guards.visit_decorator(decorator);
        }
        guards.visit_parameters(&def.parameters);
        for (guard, place) in guards.found {
            self.facts.guards.insert((name.clone(), guard), place);
        }
    }

    fn class(&mut self, class: &'a ast::StmtClassDef) {
        let name = class.name.as_str();
        let place = start(class.name.range);
        self.bind(name, place);
        self.define(name, DefinitionKind::Class, place);
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        self.path.push(name);
        self.scopes.push(Scope::new(ScopeKind::Class));
        if let Some(parameters) = &class.type_params {
            self.visit_type_params(parameters);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        let was_conditional = std::mem::take(&mut self.conditional);
        self.visit_body(&class.body);
        self.conditional = was_conditional;
        if is_dataclass(&class.decorator_list) {
            self.fields_without_default(class);
        }
        self.close();
        self.path.pop();
    }

    fn fields_without_default(&mut self, class: &ast::StmtClassDef) {
        let mut has_default = false;
        for field in class.body.iter().filter_map(Stmt::as_ann_assign_stmt) {
            if field.value.is_some() {
                has_default = true;
            } else if has_default {
                let place = start(field.range);
                let source = &self.text[field.target.range()];
                let fault =
                    format!("`{source}` of `{}` has no default behind one that has", class.name);
                self.facts.malformed.insert(fault, place);
            }
        }
    }

    fn import(&mut self, bound: &'a str, source: String, place: usize) {
        self.bind(bound, place);
        let name = self.qualified(&format!("{source} as {bound}"));
        let import = self.facts.imports.entry(name).or_insert(Import { count: 0, place });
        // In a function, an import here and one there are each for the lines below it.
        import.count = if self.scopes.len() == 1 { import.count + 1 } else { 1 };
        import.place = place;
        let is_top = self.scopes.len() == 1 && self.conditional == 0;
        let known = is_top.then(|| self.sources.insert(bound, source.clone())).flatten();
        if known.is_some_and(|known| known != source) {
            self.facts.ambiguous.insert(bound.to_owned(), place);
        }
    }

    fn assigned(&mut self, target: &Expr) {
        let is_declared = match self.scope().kind {
            ScopeKind::Module | ScopeKind::Class => self.conditional == 0,
            ScopeKind::Function => false,
        };
        if let (true, Expr::Name(name)) = (is_declared, target) {
            self.define(name.id.as_str(), DefinitionKind::Variable, start(name.range));
        }
    }

    /// `__all__` uses the names that it lists.
    fn exported(&mut self, targets: &[Expr], value: &'a Expr) {
        let is_all = |target: &Expr| matches!(target, Expr::Name(name) if name.id == "__all__");
        let elements = match value {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            _ => return,
        };
        if targets.iter().any(is_all) {
            for name in elements.iter().filter_map(Expr::as_string_literal_expr) {
                let (name, place) = (Cow::Borrowed(name.value.to_str()), start(name.range));
                self.scope().used.push(Use { name, place, is_deferred: true });
            }
        }
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], elements: &[&'a Expr]) {
        self.scopes.push(Scope::new(ScopeKind::Function));
        for generator in generators {
            self.visit_comprehension(generator);
        }
        for element in elements {
            self.visit_expr(element);
        }
        let Some(scope) = self.scopes.pop() else { return };
        // It runs at once; what it uses and does not bind is used here. A walrus binds here too.
        let here = self.scope();
        let free = scope.used.into_iter().filter(|used| !scope.bound.contains_key(&*used.name));
        here.used.extend(free);
        here.wanted.extend(scope.wanted);
        here.own.extend(scope.own);
    }

    fn doubled_keys(&mut self, dict: &ast::ExprDict) {
        let mut seen = BTreeSet::new();
        for key in dict.items.iter().filter_map(|item| item.key.as_ref()) {
            let source = &self.text[key.range()];
            if key.is_literal_expr() && !seen.insert(source) {
                self.facts
                    .malformed
                    .insert(format!("the key {source} is there twice"), start(key.range()));
            }
        }
    }

    fn conditionally(&mut self, stmt: &'a Stmt) {
        self.conditional += 1;
        visitor::walk_stmt(self, stmt);
        self.conditional -= 1;
    }
}

fn type_parameter(parameter: &TypeParam) -> &str {
    match parameter {
        TypeParam::TypeVar(it) => it.name.as_str(),
        TypeParam::ParamSpec(it) => it.name.as_str(),
        TypeParam::TypeVarTuple(it) => it.name.as_str(),
    }
}

/// Whether a function shares its name by right.
fn is_variant(decorators: &[ast::Decorator]) -> bool {
    decorators.iter().any(|decorator| {
        let expression = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            expression => expression,
        };
        match expression {
            Expr::Attribute(it) => {
                matches!(
                    it.attr.as_str(),
                    "setter" | "getter" | "deleter" | "overload" | "register"
                )
            }
            Expr::Name(it) => it.id == "overload",
            _ => false,
        }
    })
}

fn is_dataclass(decorators: &[ast::Decorator]) -> bool {
    decorators.iter().any(|decorator| match &decorator.expression {
        Expr::Name(name) => name.id == "dataclass",
        Expr::Attribute(it) => it.attr.as_str() == "dataclass",
        Expr::Call(call) => {
            let is_keyword_only = call.arguments.find_keyword("kw_only").is_some();
            let is_named = match &*call.func {
                Expr::Name(name) => name.id == "dataclass",
                Expr::Attribute(it) => it.attr.as_str() == "dataclass",
                _ => false,
            };
            is_named && !is_keyword_only
        }
        _ => false,
    })
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Import(import) => {
                for alias in &import.names {
                    let first = alias.name.split('.').next().unwrap_or(&alias.name);
                    let (bound, source) = match &alias.asname {
                        Some(asname) => (asname.as_str(), alias.name.to_string()),
                        None => (first, first.to_owned()),
                    };
                    self.import(bound, source, start(alias.range));
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", ast::Identifier::as_str);
                let dots = ".".repeat(import.level as usize);
                for alias in &import.names {
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.import(
                        bound,
                        format!("{dots}{module} {}", alias.name),
                        start(alias.range),
                    );
                }
            }
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.assigned(target));
                self.exported(&assign.targets, &assign.value);
                visitor::walk_stmt(self, stmt);
            }
            Stmt::AnnAssign(assign) => {
                self.assigned(&assign.target);
                visitor::walk_stmt(self, stmt);
            }
            Stmt::TypeAlias(alias) => {
                self.assigned(&alias.name);
                visitor::walk_stmt(self, stmt);
            }
            Stmt::Global(it) => {
                let names = it.names.iter().map(ast::Identifier::as_str);
                // The module has it, once a function assigned it.
                let place = start(it.range);
                for name in names.clone() {
                    self.scopes[0].bound.entry(name).or_insert(place);
                }
                self.scope().elsewhere.extend(names);
            }
            Stmt::Nonlocal(it) => {
                let names = it.names.iter().map(ast::Identifier::as_str);
                self.scope().elsewhere.extend(names);
            }
            Stmt::If(_) | Stmt::Try(_) | Stmt::Match(_) | Stmt::For(_) | Stmt::While(_) => {
                self.conditionally(stmt);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let is_lazy = self.has_future_annotations || self.scope().kind == ScopeKind::Function;
        let was_deferred = self.is_deferred;
        self.is_deferred |= is_lazy;
        self.visit_expr(annotation);
        self.is_deferred = was_deferred;
        let mut quoted = QuotedNames::default();
        quoted.visit_expr(annotation);
        let uses = quoted.found.into_iter();
        self.scope().used.extend(uses.map(|(name, place)| {
            let name = Cow::Owned(name);
            Use { name, place, is_deferred: true }
        }));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let (text, place) = (name.id.as_str(), start(name.range));
                match name.ctx {
                    ExprContext::Store | ExprContext::Del => self.bind(text, place),
                    _ => {
                        let (name, is_deferred) = (Cow::Borrowed(text), self.is_deferred);
                        self.scope().used.push(Use { name, place, is_deferred });
                    }
                }
            }
            Expr::Attribute(attribute) => {
                if let Expr::Name(owner) = &*attribute.value
                    && (owner.id == "self" || owner.id == "cls")
                {
                    let (name, place) = (attribute.attr.as_str(), start(attribute.attr.range));
                    if attribute.ctx == ExprContext::Load {
                        self.scope().wanted.push((name, place));
                    } else {
                        self.scope().own.insert(name);
                    }
                }
                visitor::walk_expr(self, expr);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.headers(parameters, None, None);
                }
                self.scopes.push(Scope::new(ScopeKind::Function));
                if let Some(parameters) = &lambda.parameters {
                    self.bind_parameters(parameters);
                }
                let was_deferred = std::mem::replace(&mut self.is_deferred, true);
                self.visit_expr(&lambda.body);
                self.is_deferred = was_deferred;
                self.close();
            }
            Expr::ListComp(it) => self.comprehension(&it.generators, &[&it.elt]),
            Expr::SetComp(it) => self.comprehension(&it.generators, &[&it.elt]),
            Expr::Generator(it) => self.comprehension(&it.generators, &[&it.elt]),
            Expr::DictComp(_) => {
                self.scopes.push(Scope::new(ScopeKind::Function));
                visitor::walk_expr(self, expr);
                let Some(scope) = self.scopes.pop() else { return };
                let free =
                    scope.used.into_iter().filter(|used| !scope.bound.contains_key(&*used.name));
                self.scope().used.extend(free);
            }
            Expr::Named(named) => {
                // A walrus binds in the function around, whatever comprehension it is in.
                if let Expr::Name(name) = &*named.target {
                    for scope in &mut self.scopes {
                        scope.bound.entry(name.id.as_str()).or_insert(start(name.range));
                    }
                }
                self.visit_expr(&named.value);
            }
            Expr::Dict(dict) => {
                self.doubled_keys(dict);
                visitor::walk_expr(self, expr);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(it) = handler;
        if let Some(name) = &it.name {
            self.bind(name, start(name.range));
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.bind(type_parameter(parameter), start(parameter.range()));
        visitor::walk_type_param(self, parameter);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(it) => it.name.as_ref(),
            Pattern::MatchStar(it) => it.name.as_ref(),
            Pattern::MatchMapping(it) => it.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name, start(name.range));
        }
        visitor::walk_pattern(self, pattern);
    }
}

/// Finds the names in strings of an annotation: in `"list[User]"`, and not in `Literal["user"]`.
#[derive(Default)]
struct QuotedNames {
    found: Vec<(String, usize)>,
}

impl<'a> Visitor<'a> for QuotedNames {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::StringLiteral(string) => {
                let place = start(string.range);
                if let Ok(parsed) = parse_expression(string.value.to_str()) {
                    let mut names = Names::default();
                    names.visit_expr(parsed.expr());
                    self.found.extend(names.found.into_iter().map(|name| (name, place)));
                }
            }
            Expr::Subscript(it) if is_of_values(&it.value) => (),
            _ => visitor::walk_expr(self, expr),
        }
    }
}

/// Whether the strings in its brackets are values, or are followed by values.
fn is_of_values(generic: &Expr) -> bool {
    let name = match generic {
        Expr::Name(name) => &name.id,
        Expr::Attribute(attribute) => &attribute.attr.id,
        _ => return false,
    };
    name == "Literal" || name == "Annotated"
}

#[derive(Default)]
struct Names {
    found: Vec<String>,
}

impl<'a> Visitor<'a> for Names {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.found.push(name.id.to_string()),
            Expr::Subscript(it) if is_of_values(&it.value) => self.visit_expr(&it.value),
            _ => visitor::walk_expr(self, expr),
        }
    }
}

/// Finds `Depends(…)` and `Security(…)`.
struct GuardReader<'a> {
    text: &'a str,
    found: Vec<(String, usize)>,
}

impl<'a> Visitor<'a> for GuardReader<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Expr::Name(name) = &*call.func
            && (name.id == "Depends" || name.id == "Security")
        {
            let source = self.text[call.range()].split_whitespace().collect::<Vec<_>>().concat();
            self.found.push((source.replace(",)", ")"), start(call.range())));
        }
        visitor::walk_expr(self, expr);
    }
}

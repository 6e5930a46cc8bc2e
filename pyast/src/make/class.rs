//! Class definitions.

use super::expr::split_arguments;
use super::{Arg, Identifier, IntoExpr, Statements, arg};
use crate::annotation::Annotation;
use crate::name::Name;
use crate::{Expr, Stmt};
use rustpython_ast as ast;

/// A `class` statement.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassDef {
    /// Comments and region.
    pub annotation: Annotation,
    /// Its name.
    pub name: Name,
    /// Decorators, outermost first.
    pub decorators: Vec<Expr>,
    /// Base classes and keywords.
    pub arguments: Vec<Arg>,
    /// The statements; an empty body prints as `pass`.
    pub body: Vec<Stmt>,
}

/// `class name: …`
///
/// ```
/// use astgen_pyast::{block, make::{class, pass}, name, print};
/// let user = class(name("User")).base(name("Base")).body([pass()]);
/// assert_eq!(print(&block![user]), "class User(Base):\n    pass\n");
/// ```
#[must_use]
pub fn class(name: impl Identifier) -> ClassDef {
    ClassDef {
        annotation: Annotation::default(),
        name: name.identifier(),
        decorators: Vec::new(),
        arguments: Vec::new(),
        body: Vec::new(),
    }
}

impl ClassDef {
    /// `@decorator`, below the ones already there.
    ///
    /// ```
    /// use astgen_pyast::{block, make::class, name, print};
    /// let point = class(name("Point")).decorator(name("dataclass"));
    /// assert_eq!(print(&block![point]), "@dataclass\nclass Point:\n    pass\n");
    /// ```
    #[must_use]
    pub fn decorator(mut self, decorator: impl IntoExpr) -> ClassDef {
        self.decorators.push(decorator.into_expr());
        self
    }

    /// A further base class.
    ///
    /// ```
    /// use astgen_pyast::{block, make::class, name, print};
    /// let role = class(name("Role")).base(name("str")).base(name("Enum"));
    /// assert_eq!(print(&block![role]), "class Role(str, Enum):\n    pass\n");
    /// ```
    #[must_use]
    pub fn base(mut self, base: impl IntoExpr) -> ClassDef {
        self.arguments.push(arg(base));
        self
    }

    /// A keyword of the class statement: `class Name(Base, keyword=value)`.
    ///
    /// ```
    /// use astgen_pyast::{block, make::class, name, print};
    /// let model = class(name("Model")).keyword(name("table"), true);
    /// assert_eq!(print(&block![model]), "class Model(table=True):\n    pass\n");
    /// ```
    #[must_use]
    pub fn keyword(mut self, name: impl Identifier, value: impl IntoExpr) -> ClassDef {
        self.arguments.push(super::keyword(name, value));
        self
    }

    /// Further statements.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{assign, class}, name, print};
    /// let role = class(name("Role")).body([assign(name("OWNER"), "owner")]);
    /// assert_eq!(print(&block![role]), "class Role:\n    OWNER = \"owner\"\n");
    /// ```
    #[must_use]
    pub fn body(mut self, body: impl Statements) -> ClassDef {
        body.append_to(&mut self.body);
        self
    }
}

impl Statements for ClassDef {
    fn append_to(self, statements: &mut Vec<Stmt>) {
        statements.push(self.into());
    }
}

impl From<ClassDef> for Stmt {
    fn from(def: ClassDef) -> Stmt {
        let ClassDef { annotation, name, decorators, arguments, mut body } = def;
        if body.is_empty() {
            body.push(super::pass());
        }
        let (bases, keywords) = split_arguments(arguments);
        Stmt::ClassDef(ast::StmtClassDef {
            range: annotation,
            name: name.as_str().into(),
            bases,
            keywords,
            body,
            decorator_list: decorators,
            type_params: Vec::new(),
        })
    }
}

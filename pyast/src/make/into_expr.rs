//! What can stand where Python's grammar wants an expression.

use super::expr::{attribute, boolean, call, compare, integer, name_expr, string, subscript};
use super::{Arg, Identifier};
use crate::Expr;
use crate::name::{Import, Name};
use num_bigint::BigInt;
use rustpython_ast::CmpOp;

/// A value that is, or makes, one expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Python expression",
    label = "not an expression",
    note = "an expression is an `Expr`, a `Name`, an `Import`, a string, a number or a bool; inside `py!`, \
            `{{ rust code }}` makes one"
)]
pub trait IntoExpr {
    /// The expression.
    ///
    /// ```
    /// use astgen_pyast::{make::IntoExpr, print_expr};
    /// assert_eq!(print_expr(&"it's".into_expr()), "\"it's\"");
    /// ```
    fn into_expr(self) -> Expr;
}

impl IntoExpr for Expr {
    fn into_expr(self) -> Expr {
        self
    }
}

impl<T: IntoExpr + Clone> IntoExpr for &T {
    fn into_expr(self) -> Expr {
        self.clone().into_expr()
    }
}

impl IntoExpr for Name {
    fn into_expr(self) -> Expr {
        name_expr(self, None)
    }
}

impl IntoExpr for Import {
    fn into_expr(self) -> Expr {
        name_expr(self.binding(), Some(self))
    }
}

impl IntoExpr for &str {
    fn into_expr(self) -> Expr {
        string(self)
    }
}

impl IntoExpr for String {
    fn into_expr(self) -> Expr {
        string(self)
    }
}

impl IntoExpr for bool {
    fn into_expr(self) -> Expr {
        boolean(self)
    }
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        impl IntoExpr for $kind {
            fn into_expr(self) -> Expr {
                integer(BigInt::from(self))
            }
        }
    )*};
}

integers!(i32, i64, u16, u32, u64, usize);

impl IntoExpr for BigInt {
    fn into_expr(self) -> Expr {
        integer(self)
    }
}

/// What an expression can be followed by, where `py!` does not reach: names known from the spec only.
pub trait Operand: IntoExpr + Sized {
    /// `self.name`
    ///
    /// ```
    /// use astgen_pyast::{make::Operand, name, print_expr};
    /// assert_eq!(print_expr(&name("user").attr("email")), "user.email");
    /// ```
    fn attr(self, name: impl Identifier) -> Expr {
        attribute(self, name)
    }

    /// `self(…)`
    ///
    /// ```
    /// use astgen_pyast::{make::{Operand, kw}, name, print_expr};
    /// assert_eq!(print_expr(&name("User").call([kw("id", 1)])), "User(id=1)");
    /// ```
    fn call(self, args: impl IntoIterator<Item = Arg>) -> Expr {
        call(self, args)
    }

    /// `self[index]`
    ///
    /// ```
    /// use astgen_pyast::{make::Operand, name, print_expr};
    /// assert_eq!(print_expr(&name("Mapped").index(name("str"))), "Mapped[str]");
    /// ```
    fn index(self, index: impl IntoExpr) -> Expr {
        subscript(self, index)
    }

    /// `self == right`
    ///
    /// ```
    /// use astgen_pyast::{make::Operand, name, print_expr};
    /// assert_eq!(print_expr(&name("n").eq(1)), "n == 1");
    /// ```
    fn eq(self, right: impl IntoExpr) -> Expr {
        compare(self, CmpOp::Eq, right)
    }

    /// `self | right`
    ///
    /// ```
    /// use astgen_pyast::{make::{Operand, none}, name, print_expr};
    /// assert_eq!(print_expr(&name("str").or(none())), "str | None");
    /// ```
    fn or(self, right: impl IntoExpr) -> Expr {
        super::bin_op(self, rustpython_ast::Operator::BitOr, right)
    }
}

impl<T: IntoExpr> Operand for T {}

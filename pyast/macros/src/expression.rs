//! One Rust expression to the constructor calls that make the Python one.

use crate::{arguments, inner_macro};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, Lit, Pat, Result, Stmt, UnOp};

/// The tokens that build `expr`.
pub fn expression(expr: &Expr) -> Result<TokenStream> {
    Ok(match expr {
        Expr::Lit(literal) => return self::literal(&literal.lit),
        Expr::Path(path) => return name(path),
        Expr::Paren(paren) => return expression(&paren.expr),
        Expr::Group(group) => return expression(&group.expr),
        Expr::Field(field) => {
            let value = expression(&field.base)?;
            let syn::Member::Named(attribute) = &field.member else {
                return Err(Error::new(field.member.span(), "a Python attribute is a name"));
            };
            let attribute = attribute.unraw().to_string();
            quote!(::astgen_pyast::make::attribute(#value, #attribute))
        }
        Expr::MethodCall(call) => {
            let (value, method) = (expression(&call.receiver)?, call.method.unraw().to_string());
            let args = arguments::arguments(&call.args)?;
            quote!(::astgen_pyast::make::call(::astgen_pyast::make::attribute(#value, #method), #args))
        }
        Expr::Call(call) => {
            let (func, args) = (expression(&call.func)?, arguments::arguments(&call.args)?);
            quote!(::astgen_pyast::make::call(#func, #args))
        }
        Expr::Await(await_) => {
            let value = expression(&await_.base)?;
            quote!(::astgen_pyast::make::await_(#value))
        }
        Expr::Index(index) => {
            let (value, index) = (expression(&index.expr)?, self::index(&index.index)?);
            quote!(::astgen_pyast::make::subscript(#value, #index))
        }
        Expr::Unary(unary) => return self::unary(unary),
        Expr::Binary(binary) => return self::binary(binary),
        Expr::Array(array) => {
            let elements = arguments::elements(&array.elems)?;
            quote!(::astgen_pyast::make::list(#elements))
        }
        Expr::Tuple(tuple) => {
            let elements = arguments::elements(&tuple.elems)?;
            quote!(::astgen_pyast::make::tuple(#elements))
        }
        Expr::If(conditional) => {
            let test = expression(&conditional.cond)?;
            let body = sole_expression(&conditional.then_branch)?;
            let Some((_, orelse)) = &conditional.else_branch else {
                return Err(Error::new(
                    conditional.span(),
                    "a conditional expression needs an `else`",
                ));
            };
            let orelse = match &**orelse {
                // `_` is an ordinary name in Python.
                Expr::Infer(_) => {
                    quote!(::astgen_pyast::make::IntoExpr::into_expr(::astgen_pyast::name("_")))
                }
                Expr::Block(block) => sole_expression(&block.block)?,
                orelse => expression(orelse)?,
            };
            quote!(::astgen_pyast::make::if_exp(#test, #body, #orelse))
        }
        Expr::Closure(closure) => {
            let body = expression(&closure.body)?;
            let params = closure.inputs.iter().map(parameter).collect::<Result<Vec<_>>>()?;
            let bindings = params.iter().flatten().map(binding);
            let names = params.iter().map(|param| match param {
                Some(name) => quote!(#name),
                None => quote!(::astgen_pyast::name("_")),
            });
            quote!({ #(#bindings)* ::astgen_pyast::make::lambda([#(#names),*], #body) })
        }
        // `_` is an ordinary name in Python.
        Expr::Infer(_) => {
            quote!(::astgen_pyast::make::IntoExpr::into_expr(::astgen_pyast::name("_")))
        }
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Expr(rust, None)] => quote!(::astgen_pyast::make::IntoExpr::into_expr(#rust)),
            _ => quote!(::astgen_pyast::make::IntoExpr::into_expr(#block)),
        },
        Expr::Macro(call) => return inner_macro::expand(&call.mac),
        _ => {
            return Err(Error::new(
                expr.span(),
                "no Python expression is written like this in `py!`",
            ));
        }
    })
}

/// `let name = name("name");`
pub fn binding(name: &syn::Ident) -> TokenStream {
    let text = name.unraw().to_string();
    quote!(let #name: ::astgen_pyast::Name = const { ::astgen_pyast::name(#text) };)
}

/// A parameter's name; `None` for `_`.
fn parameter(pattern: &Pat) -> Result<Option<syn::Ident>> {
    match pattern {
        Pat::Ident(name) => Ok(Some(name.ident.clone())),
        Pat::Wild(_) => Ok(None),
        _ => Err(Error::new(pattern.span(), "a lambda takes plain names")),
    }
}

fn sole_expression(block: &syn::Block) -> Result<TokenStream> {
    match block.stmts.as_slice() {
        [Stmt::Expr(expr, None)] => expression(expr),
        [Stmt::Macro(call)] if call.semi_token.is_none() => inner_macro::expand(&call.mac),
        _ => Err(Error::new(block.span(), "a branch of a conditional is one expression")),
    }
}

fn literal(literal: &Lit) -> Result<TokenStream> {
    Ok(match literal {
        Lit::Str(text) => quote!(::astgen_pyast::make::string(#text)),
        Lit::ByteStr(bytes) => quote!(::astgen_pyast::make::bytes(#bytes)),
        Lit::Int(number) => {
            let number = syn::LitInt::new(&format!("{}u64", number.base10_digits()), number.span());
            quote!(::astgen_pyast::make::integer(#number))
        }
        Lit::Float(number) => quote!(::astgen_pyast::make::float(#number)),
        Lit::Bool(value) => quote!(::astgen_pyast::make::IntoExpr::into_expr(#value)),
        _ => return Err(Error::new(literal.span(), "Python has no such literal")),
    })
}

fn name(path: &syn::ExprPath) -> Result<TokenStream> {
    let span = path.span();
    Ok(match path.path.get_ident().map(ToString::to_string).as_deref() {
        Some("None") => quote!(::astgen_pyast::make::none()),
        // `self` and `super` are ordinary names in Python, and no bindings in Rust.
        Some(word @ ("self" | "super")) => {
            let word = syn::LitStr::new(word, span);
            quote!(::astgen_pyast::make::IntoExpr::into_expr(::astgen_pyast::name(#word)))
        }
        _ => quote!(::astgen_pyast::make::IntoExpr::into_expr(&#path)),
    })
}

fn is_none(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("None"))
}

fn index(index: &Expr) -> Result<TokenStream> {
    let Expr::Range(range) = index else {
        return expression(index);
    };
    let bound = |bound: &Option<Box<Expr>>| match bound {
        Some(bound) => expression(bound).map(|bound| quote!(::core::option::Option::Some(#bound))),
        None => Ok(quote!(::core::option::Option::None)),
    };
    let (lower, upper) = (bound(&range.start)?, bound(&range.end)?);
    Ok(quote!(::astgen_pyast::make::slice(#lower, #upper, ::core::option::Option::None)))
}

fn unary(unary: &syn::ExprUnary) -> Result<TokenStream> {
    let operand = expression(&unary.expr)?;
    match unary.op {
        UnOp::Not(_) => Ok(quote!(::astgen_pyast::make::not(#operand))),
        UnOp::Neg(_) => {
            Ok(quote!(::astgen_pyast::make::unary(::astgen_pyast::ast::UnaryOp::USub, #operand)))
        }
        UnOp::Deref(_) => Ok(quote!(::astgen_pyast::make::starred(#operand))),
        _ => Err(Error::new(unary.span(), "Python has no such operator")),
    }
}

fn binary(binary: &syn::ExprBinary) -> Result<TokenStream> {
    if let Some(op) = bool_operator(&binary.op) {
        let mut values = Vec::new();
        flatten(&binary.left, &binary.op, &mut values)?;
        values.push(expression(&binary.right)?);
        let op = format_ident!("{op}");
        return Ok(
            quote!(::astgen_pyast::make::bool_op(::astgen_pyast::ast::BoolOp::#op, [#(#values),*])),
        );
    }
    let (left, right) = (expression(&binary.left)?, expression(&binary.right)?);
    if let Some(op) = comparison(&binary.op, is_none(&binary.right)) {
        let op = format_ident!("{op}");
        return Ok(
            quote!(::astgen_pyast::make::compare(#left, ::astgen_pyast::ast::CmpOp::#op, #right)),
        );
    }
    let Some(op) = operator(&binary.op) else {
        return Err(Error::new(binary.op.span(), "no Python expression has this operator"));
    };
    let op = format_ident!("{op}");
    Ok(quote!(::astgen_pyast::make::bin_op(#left, ::astgen_pyast::ast::Operator::#op, #right)))
}

/// `a && b && c` is one operation of three values, as Python reads it.
fn flatten(left: &Expr, op: &BinOp, values: &mut Vec<TokenStream>) -> Result<()> {
    match left {
        Expr::Binary(inner) if bool_operator(&inner.op) == bool_operator(op) => {
            flatten(&inner.left, op, values)?;
            values.push(expression(&inner.right)?);
        }
        _ => values.push(expression(left)?),
    }
    Ok(())
}

fn bool_operator(op: &BinOp) -> Option<&'static str> {
    match op {
        BinOp::And(_) => Some("And"),
        BinOp::Or(_) => Some("Or"),
        _ => None,
    }
}

fn comparison(op: &BinOp, with_none: bool) -> Option<&'static str> {
    Some(match op {
        BinOp::Eq(_) if with_none => "Is",
        BinOp::Ne(_) if with_none => "IsNot",
        BinOp::Eq(_) => "Eq",
        BinOp::Ne(_) => "NotEq",
        BinOp::Lt(_) => "Lt",
        BinOp::Le(_) => "LtE",
        BinOp::Gt(_) => "Gt",
        BinOp::Ge(_) => "GtE",
        _ => return None,
    })
}

fn operator(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Add(_) => "Add",
        BinOp::Sub(_) => "Sub",
        BinOp::Mul(_) => "Mult",
        BinOp::Div(_) => "Div",
        BinOp::Rem(_) => "Mod",
        BinOp::BitXor(_) => "BitXor",
        BinOp::BitAnd(_) => "BitAnd",
        BinOp::BitOr(_) => "BitOr",
        BinOp::Shl(_) => "LShift",
        BinOp::Shr(_) => "RShift",
        _ => return None,
    })
}

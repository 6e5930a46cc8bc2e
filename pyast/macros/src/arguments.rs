//! The arguments of a call and the elements of a display, with unpacking and spreading.

use crate::expression::expression;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprRange, ExprUnary, Result, Token, UnOp};

/// A `Vec<Arg>` or an array of them.
pub fn arguments(args: &Punctuated<Expr, Token![,]>) -> Result<TokenStream> {
    collected(args, argument)
}

/// A `Vec<Expr>` or an array of them.
pub fn elements(elements: &Punctuated<Expr, Token![,]>) -> Result<TokenStream> {
    if elements.is_empty() {
        return Ok(quote!([] as [::astgen_pyast::Expr; 0]));
    }
    collected(elements, expression)
}

fn collected(
    items: &Punctuated<Expr, Token![,]>,
    item: impl Fn(&Expr) -> Result<TokenStream>,
) -> Result<TokenStream> {
    if !items.iter().any(|item| spread(item).is_some()) {
        let items = items.iter().map(item).collect::<Result<Vec<_>>>()?;
        return Ok(quote!([#(#items),*]));
    }
    let pushes = items.iter().map(|expr| match spread(expr) {
        Some(rest) => Ok(quote!(items.extend(#rest);)),
        None => item(expr).map(|item| quote!(items.push(#item);)),
    });
    let pushes = pushes.collect::<Result<Vec<_>>>()?;
    Ok(quote!({ let mut items = ::std::vec::Vec::new(); #(#pushes)* items }))
}

/// The Rust iterator behind `..rest`.
fn spread(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Range(ExprRange { start: None, end: Some(rest), .. }) => Some(rest),
        _ => None,
    }
}

fn argument(expr: &Expr) -> Result<TokenStream> {
    if let Expr::Assign(assign) = expr {
        let Expr::Path(path) = &*assign.left else {
            return Err(Error::new(assign.left.span(), "a keyword of a call is a plain name"));
        };
        let keyword = path.path.require_ident()?.unraw().to_string();
        let value = expression(&assign.right)?;
        return Ok(quote!(::astgen_pyast::make::kw(#keyword, #value)));
    }
    if let Some(mapping) = double_star(expr) {
        let mapping = expression(mapping)?;
        return Ok(quote!(::astgen_pyast::make::dict_unpack(#mapping)));
    }
    let value = expression(expr)?;
    Ok(quote!(::astgen_pyast::make::arg(#value)))
}

/// What stands behind `**`.
pub fn double_star(expr: &Expr) -> Option<&Expr> {
    let Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr: inner, .. }) = expr else { return None };
    match &**inner {
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => Some(expr),
        _ => None,
    }
}

//! `element for target in iter if test`, in Python's own order.

use crate::expression::{binding, expression};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Pat, Result, Token};

/// The `for` clauses after the element of a comprehension.
pub struct Clauses(Vec<Clause>);

struct Clause {
    target: Pat,
    iter: Expr,
    ifs: Vec<Expr>,
}

impl Parse for Clauses {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut clauses = Vec::new();
        while input.peek(Token![for]) {
            input.parse::<Token![for]>()?;
            let target = Pat::parse_single(input)?;
            input.parse::<Token![in]>()?;
            let iter = input.parse()?;
            let mut ifs = Vec::new();
            while input.peek(Token![if]) {
                input.parse::<Token![if]>()?;
                ifs.push(input.parse()?);
            }
            clauses.push(Clause { target, iter, ifs });
        }
        Ok(Clauses(clauses))
    }
}

impl Clauses {
    /// `let` bindings for the targets: they are in scope in the element and in every clause.
    pub fn bindings(&self) -> Result<TokenStream> {
        let mut bindings = TokenStream::new();
        for clause in &self.0 {
            for name in targets(&clause.target)? {
                bindings.extend(binding(name));
            }
        }
        Ok(bindings)
    }

    /// The array of clauses.
    pub fn tokens(&self) -> Result<TokenStream> {
        let clauses = self.0.iter().map(clause).collect::<Result<Vec<_>>>()?;
        Ok(quote!([#(#clauses),*]))
    }
}

fn clause(Clause { target, iter, ifs }: &Clause) -> Result<TokenStream> {
    let target = match target {
        Pat::Tuple(tuple) => {
            let elements = tuple.elems.iter().map(target_name).collect::<Result<Vec<_>>>()?;
            quote!(::astgen_pyast::make::tuple([#(#elements),*]))
        }
        _ => target_name(target)?,
    };
    let iter = expression(iter)?;
    let ifs = ifs.iter().map(expression).collect::<Result<Vec<_>>>()?;
    Ok(
        quote!(::astgen_pyast::make::for_in(#target, #iter, [#(#ifs),*] as [::astgen_pyast::Expr; _])),
    )
}

fn target_name(pattern: &Pat) -> Result<TokenStream> {
    match pattern {
        Pat::Ident(name) => Ok(quote!(#name)),
        // `_` is an ordinary name in Python.
        Pat::Wild(_) => Ok(quote!(::astgen_pyast::name("_"))),
        _ => Err(Error::new(pattern.span(), "a loop target is a name or a tuple of names")),
    }
}

fn targets(pattern: &Pat) -> Result<Vec<&syn::Ident>> {
    match pattern {
        Pat::Ident(name) => Ok(vec![&name.ident]),
        Pat::Wild(_) => Ok(Vec::new()),
        Pat::Tuple(tuple) => {
            let names = tuple.elems.iter().map(targets).collect::<Result<Vec<_>>>()?;
            Ok(names.concat())
        }
        _ => Err(Error::new(pattern.span(), "a loop target is a name or a tuple of names")),
    }
}

//! The forms that Rust has no syntax for, written as macros inside `py!`.

use crate::arguments::double_star;
use crate::comprehension::Clauses;
use crate::expression::expression;
use crate::f_string::FString;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Macro, Result, Token};

/// The tokens that build `name!(…)`.
pub fn expand(call: &Macro) -> Result<TokenStream> {
    let name = call.path.require_ident()?.to_string();
    match name.as_str() {
        "in_" => comparison(call, "In"),
        "not_in" => comparison(call, "NotIn"),
        "is_" => comparison(call, "Is"),
        "is_not" => comparison(call, "IsNot"),
        "chain" => chain(call),
        "floor_div" => operator(call, "FloorDiv"),
        "pow" => operator(call, "Pow"),
        "ellipsis" => Ok(quote!(::astgen_pyast::make::ellipsis())),
        "f" => call.parse_body::<FString>()?.tokens(),
        "dict" => call.parse_body::<Dict>()?.tokens(),
        "list" | "set" | "generator" => elements(call, &name),
        "walrus" => {
            let [target, value] = operands(call)?;
            let value = expression(&value)?;
            Ok(quote!(::astgen_pyast::make::named_expr(#target, #value)))
        }
        "yield_" => {
            let value = expression(&call.parse_body()?)?;
            Ok(quote!(::astgen_pyast::make::yield_(::core::option::Option::Some(#value))))
        }
        _ => Err(Error::new_spanned(&call.path, "`py!` knows no such form; write Rust in `{ … }`")),
    }
}

fn operands<const N: usize>(call: &Macro) -> Result<[Expr; N]> {
    let operands = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
    Vec::from_iter(operands)
        .try_into()
        .map_err(|_| Error::new_spanned(&call.tokens, format!("this takes {N} operands")))
}

fn comparison(call: &Macro, op: &str) -> Result<TokenStream> {
    let [left, right] = operands(call)?;
    let (left, op, right) = (expression(&left)?, format_ident!("{op}"), expression(&right)?);
    Ok(quote!(::astgen_pyast::make::compare(#left, ::astgen_pyast::ast::CmpOp::#op, #right)))
}

fn operator(call: &Macro, op: &str) -> Result<TokenStream> {
    let [left, right] = operands(call)?;
    let (left, op, right) = (expression(&left)?, format_ident!("{op}"), expression(&right)?);
    Ok(quote!(::astgen_pyast::make::bin_op(#left, ::astgen_pyast::ast::Operator::#op, #right)))
}

/// `chain!(a, "<", b, "<=", c)`
fn chain(call: &Macro) -> Result<TokenStream> {
    let operands = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
    let mut operands = operands.iter();
    let Some(first) = operands.next() else {
        return Err(Error::new_spanned(&call.path, "a comparison has operands"));
    };
    let mut left = expression(first)?;
    while let Some(op) = operands.next() {
        let op_name = comparison_name(op)?;
        let op_name = format_ident!("{op_name}");
        let Some(right) = operands.next() else {
            return Err(Error::new_spanned(op, "an operand is missing after this"));
        };
        let right = expression(right)?;
        left = quote!(::astgen_pyast::make::compare_next(#left, ::astgen_pyast::ast::CmpOp::#op_name, #right));
    }
    Ok(left)
}

fn comparison_name(op: &Expr) -> Result<&'static str> {
    if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = op {
        let name = match text.value().as_str() {
            "==" => "Eq",
            "!=" => "NotEq",
            "<" => "Lt",
            "<=" => "LtE",
            ">" => "Gt",
            ">=" => "GtE",
            "in" => "In",
            "not in" => "NotIn",
            "is" => "Is",
            "is not" => "IsNot",
            _ => return Err(Error::new_spanned(op, "Python has no such comparison")),
        };
        return Ok(name);
    }
    Err(Error::new_spanned(op, "a comparison operator stands here, as a string"))
}

fn elements(call: &Macro, kind: &str) -> Result<TokenStream> {
    let (first, rest) = call.parse_body_with(|input: ParseStream| {
        let first: Expr = input.parse()?;
        if input.peek(Token![for]) {
            return Ok((first, Rest::Clauses(input.parse()?)));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((first, Rest::Elements(Punctuated::parse_terminated(input)?)))
    })?;
    let first = expression(&first)?;
    match rest {
        Rest::Clauses(clauses) => {
            let (bindings, clauses) = (clauses.bindings()?, clauses.tokens()?);
            let function = match kind {
                "generator" => format_ident!("generator"),
                kind => format_ident!("{kind}_comp"),
            };
            Ok(quote!({ #bindings ::astgen_pyast::make::#function(#first, #clauses) }))
        }
        Rest::Elements(elements) if kind != "generator" => {
            let elements = elements.iter().map(expression).collect::<Result<Vec<_>>>()?;
            let function = format_ident!("{kind}");
            Ok(quote!(::astgen_pyast::make::#function([#first, #(#elements),*])))
        }
        Rest::Elements(_) => Err(Error::new_spanned(&call.tokens, "a generator needs a `for`")),
    }
}

enum Rest {
    Clauses(Clauses),
    Elements(Punctuated<Expr, Token![,]>),
}

/// `"a" => b, **c` or `k => v for k in ks`.
struct Dict {
    items: Vec<Item>,
    clauses: Option<Clauses>,
}

enum Item {
    Pair(Expr, Expr),
    Unpacked(Expr),
}

impl Parse for Dict {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut items = Vec::new();
        while !input.is_empty() {
            let key: Expr = input.parse()?;
            if let Some(mapping) = double_star(&key) {
                items.push(Item::Unpacked(mapping.clone()));
            } else {
                input.parse::<Token![=>]>()?;
                items.push(Item::Pair(key, input.parse()?));
            }
            if input.peek(Token![for]) {
                return Ok(Dict { items, clauses: Some(input.parse()?) });
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Dict { items, clauses: None })
    }
}

impl Dict {
    fn tokens(&self) -> Result<TokenStream> {
        let items = self.items.iter().map(|item| match item {
            Item::Pair(key, value) => {
                let (key, value) = (expression(key)?, expression(value)?);
                Ok(quote!((::core::option::Option::Some(#key), #value)))
            }
            Item::Unpacked(mapping) => {
                let mapping = expression(mapping)?;
                Ok(quote!((::core::option::Option::None, #mapping)))
            }
        });
        let items = items.collect::<Result<Vec<_>>>()?;
        match (&self.clauses, self.items.as_slice()) {
            (None, _) => Ok(quote!(::astgen_pyast::make::dict_items([#(#items),*]))),
            (Some(clauses), [Item::Pair(key, value)]) => {
                let (bindings, clauses) = (clauses.bindings()?, clauses.tokens()?);
                let (key, value) = (expression(key)?, expression(value)?);
                Ok(quote!({ #bindings ::astgen_pyast::make::dict_comp(#key, #value, #clauses) }))
            }
            (Some(_), _) => Err(Error::new(
                proc_macro2::Span::call_site(),
                "a dict comprehension has one `key => value`",
            )),
        }
    }
}

//! `f!("text {} {!r} {:>8}", a, b, c)`.

use crate::expression::expression;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Result, Token};

/// The template and the values of its holes.
pub struct FString {
    template: LitStr,
    values: Punctuated<Expr, Token![,]>,
}

impl Parse for FString {
    fn parse(input: ParseStream) -> Result<Self> {
        let template = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(FString { template, values: Punctuated::parse_terminated(input)? })
    }
}

impl FString {
    /// The tokens that build the f-string.
    pub fn tokens(&self) -> Result<TokenStream> {
        let template = self.template.value();
        let mut values = self.values.iter();
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = template.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '{' | '}' if chars.peek() == Some(&char) => {
                    text.push(char);
                    chars.next();
                }
                '{' => {
                    if !text.is_empty() {
                        let text = std::mem::take(&mut text);
                        parts.push(quote!(::astgen_pyast::make::string(#text)));
                    }
                    let hole: String = chars.by_ref().take_while(|&char| char != '}').collect();
                    let Some(value) = values.next() else {
                        return Err(self.error("more holes than values"));
                    };
                    parts.push(self.hole(&hole, value)?);
                }
                '}' => return Err(self.error("a lone `}`; write `}}` for the character")),
                _ => text.push(char),
            }
        }
        if !text.is_empty() {
            parts.push(quote!(::astgen_pyast::make::string(#text)));
        }
        if values.next().is_some() {
            return Err(self.error("more values than holes"));
        }
        Ok(quote!(::astgen_pyast::make::f_string([#(#parts),*])))
    }

    fn hole(&self, hole: &str, value: &Expr) -> Result<TokenStream> {
        let value = expression(value)?;
        let (conversion, spec) = hole.split_once(':').unwrap_or((hole, ""));
        let conversion = match conversion {
            "" => quote!(None),
            "!r" => quote!(Repr),
            "!s" => quote!(Str),
            "!a" => quote!(Ascii),
            _ => return Err(self.error("a hole holds `!r`, `!s`, `!a` or `:spec`")),
        };
        let spec = match spec {
            "" => quote!(::core::option::Option::None),
            spec => quote!(::core::option::Option::Some(#spec)),
        };
        Ok(quote!(::astgen_pyast::make::conversion(
            #value, ::astgen_pyast::ast::ConversionFlag::#conversion, #spec
        )))
    }

    fn error(&self, message: &str) -> Error {
        Error::new(self.template.span(), message)
    }
}

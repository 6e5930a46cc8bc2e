//! Parameters of functions.

use super::expression::value;
use super::{Doc, PARENTHESES};
use crate::annotation::Annotated;
use rustpython_ast::{Arg, ArgWithDefault, Arguments, Expr};

/// What stands between two commas of a parameter list.
pub enum Parameter<'a, R> {
    Plain(&'a ArgWithDefault<R>),
    /// `/`: the parameters before it are positional only.
    Slash,
    /// `*`: the parameters after it are keyword only.
    Star,
    /// `*args`
    Variadic(&'a Arg<R>),
    /// `**kwargs`
    Keywords(&'a Arg<R>),
}

/// A parameter list, in the order it is written.
pub fn parameter_list<R>(arguments: &Arguments<R>) -> impl Iterator<Item = Parameter<'_, R>> {
    let Arguments { range: _, posonlyargs, args, vararg, kwonlyargs, kwarg } = arguments;
    let slash = (!posonlyargs.is_empty()).then_some(Parameter::Slash);
    let star = match vararg {
        Some(vararg) => Some(Parameter::Variadic(vararg)),
        None => (!kwonlyargs.is_empty()).then_some(Parameter::Star),
    };
    let positional = posonlyargs.iter().map(Parameter::Plain).chain(slash);
    let plain = args.iter().map(Parameter::Plain);
    let keyword_only = kwonlyargs.iter().map(Parameter::Plain);
    let keywords = kwarg.as_deref().map(Parameter::Keywords);
    positional.chain(plain).chain(star).chain(keyword_only).chain(keywords)
}

/// The parameters of a `def`, in parentheses.
pub fn parameters<R: Annotated>(doc: &mut Doc, arguments: &Arguments<R>) {
    match parameter_list(arguments).take(2).count() {
        0 => doc.text("()"),
        1 => doc.bracket(PARENTHESES, |doc| all(doc, arguments)),
        _ => doc.bracket(PARENTHESES, |doc| doc.group(|doc| all(doc, arguments))),
    }
}

fn all<R: Annotated>(doc: &mut Doc, arguments: &Arguments<R>) {
    doc.joined(parameter_list(arguments), parameter);
    doc.comma();
}

/// One parameter, with its annotation and default.
pub fn parameter<R: Annotated>(doc: &mut Doc, parameter: Parameter<R>) {
    match parameter {
        Parameter::Slash => doc.text("/"),
        Parameter::Star => doc.text("*"),
        Parameter::Variadic(arg) => named(doc, "*", arg),
        Parameter::Keywords(arg) => named(doc, "**", arg),
        Parameter::Plain(ArgWithDefault { range: _, def, default }) => {
            named(doc, "", def);
            if let Some(default) = default {
                doc.text(if def.annotation.is_some() { " = " } else { "=" });
                value(doc, default);
            }
        }
    }
}

fn named<R: Annotated>(doc: &mut Doc, stars: &str, arg: &Arg<R>) {
    let Arg { range, arg, annotation, type_comment: _ } = arg;
    doc.note(range);
    doc.text(stars);
    doc.text(arg);
    match annotation.as_deref() {
        None => (),
        // `*args: *Ts` is the one place where an annotation is starred.
        Some(annotation @ Expr::Starred(_)) => {
            doc.text(": ");
            super::expression::expr(doc, annotation);
        }
        Some(annotation) => {
            doc.text(": ");
            value(doc, annotation);
        }
    }
}

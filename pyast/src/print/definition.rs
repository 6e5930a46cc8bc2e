//! Functions and classes.

use super::blank_lines::{self, Block, stub};
use super::expression::expr;
use super::parentheses::{optional, optional_at, optional_later};
use super::{Doc, PARENTHESES, arguments, parameters, type_parameters};
use crate::annotation::Annotated;
use crate::precedence::Precedence;
use rustpython_ast::{
    Arguments, Expr, Stmt, StmtAsyncFunctionDef, StmtClassDef, StmtExpr, StmtFunctionDef, TypeParam,
};

struct Signature<'a, R> {
    keyword: &'static str,
    name: &'a str,
    type_params: &'a [TypeParam<R>],
    args: &'a Arguments<R>,
    returns: Option<&'a Expr<R>>,
}

/// `def name(parameters) -> returns:`
pub fn function<R: Annotated>(doc: &mut Doc, function: &StmtFunctionDef<R>) {
    let StmtFunctionDef {
        range,
        name,
        args,
        body,
        decorator_list,
        returns,
        type_comment: _,
        type_params,
    } = function;
    let returns = returns.as_deref();
    decorators(doc, decorator_list);
    let signature = Signature { keyword: "def ", name, type_params, args, returns };
    let is_region = has_region(range);
    suite(doc, body, Block::Function, is_region, |doc| self::signature(doc, &signature));
}

/// `async def name(parameters) -> returns:`
pub fn async_function<R: Annotated>(doc: &mut Doc, function: &StmtAsyncFunctionDef<R>) {
    let StmtAsyncFunctionDef {
        range,
        name,
        args,
        body,
        decorator_list,
        returns,
        type_comment: _,
        type_params,
    } = function;
    let returns = returns.as_deref();
    decorators(doc, decorator_list);
    let signature = Signature { keyword: "async def ", name, type_params, args, returns };
    let is_region = has_region(range);
    suite(doc, body, Block::Function, is_region, |doc| self::signature(doc, &signature));
}

/// `class name(bases):`
pub fn class<R: Annotated>(doc: &mut Doc, class: &StmtClassDef<R>) {
    let StmtClassDef { range, name, bases, keywords, body, decorator_list, type_params } = class;
    decorators(doc, decorator_list);
    suite(doc, body, Block::Class, has_region(range), |doc| {
        doc.text("class ");
        doc.text(name);
        type_parameters::type_parameters(doc, type_params);
        arguments::bases(doc, bases, keywords);
    });
}

fn decorators<R: Annotated>(doc: &mut Doc, decorators: &[Expr<R>]) {
    for decorator in decorators {
        doc.decorator_line(|doc| {
            doc.text("@");
            optional_at(doc, decorator, Precedence::Named);
        });
    }
}

fn signature<R: Annotated>(doc: &mut Doc, signature: &Signature<R>) {
    let Signature { keyword, name, type_params, args, returns } = signature;
    doc.text(keyword);
    doc.text(name);
    type_parameters::type_parameters(doc, type_params);
    parameters::parameters(doc, args);
    let Some(returns) = returns else { return };
    doc.text(" -> ");
    let has_parameters = parameters::parameter_list(args).next().is_some();
    doc.whole(|doc| match returns {
        Expr::Subscript(_) => expr(doc, returns),
        // ruff puts these parentheses, whatever for.
        Expr::Await(_) => doc.bracket(PARENTHESES, |doc| expr(doc, returns)),
        _ if has_parameters => optional(doc, returns),
        _ => optional_later(doc, returns, Precedence::Lambda),
    });
}

/// A header and its block; `...` alone stays on the line of the header.
fn suite<R: Annotated>(
    doc: &mut Doc,
    body: &[Stmt<R>],
    block: Block,
    is_region: bool,
    header: impl FnOnce(&mut Doc),
) {
    if let Some(StmtExpr { range, value }) = stub(body)
        && !is_region
    {
        return doc.logical_line(|doc| {
            header(doc);
            doc.text(": ");
            doc.note(range);
            expr(doc, value);
        });
    }
    doc.logical_line(|doc| {
        header(doc);
        doc.text(":");
    });
    doc.depth += 1;
    blank_lines::block(doc, body, block);
    doc.depth -= 1;
}

/// The end marker of a region needs a block to stand in.
fn has_region<R: Annotated>(range: &R) -> bool {
    range.annotation().and_then(|it| it.trivia.as_deref()).is_some_and(|it| it.region.is_some())
}

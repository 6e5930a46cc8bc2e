//! Type parameters: `[T: int, *Ts, **P]`.

use super::expression::value;
use super::{Doc, SQUARE};
use crate::annotation::Annotated;
use rustpython_ast::{TypeParam, TypeParamParamSpec, TypeParamTypeVar, TypeParamTypeVarTuple};

/// The bracket with type parameters; nothing where there are none.
pub fn type_parameters<R: Annotated>(doc: &mut Doc, parameters: &[TypeParam<R>]) {
    if !parameters.is_empty() {
        doc.bracket(SQUARE, |doc| doc.items(parameters, type_parameter));
    }
}

fn type_parameter<R: Annotated>(doc: &mut Doc, parameter: &TypeParam<R>) {
    match parameter {
        TypeParam::TypeVar(TypeParamTypeVar { range, name, bound }) => {
            doc.note(range);
            doc.text(name);
            if let Some(bound) = bound {
                doc.text(": ");
                value(doc, bound);
            }
        }
        TypeParam::ParamSpec(TypeParamParamSpec { range, name }) => {
            doc.note(range);
            doc.text("**");
            doc.text(name);
        }
        TypeParam::TypeVarTuple(TypeParamTypeVarTuple { range, name }) => {
            doc.note(range);
            doc.text("*");
            doc.text(name);
        }
    }
}

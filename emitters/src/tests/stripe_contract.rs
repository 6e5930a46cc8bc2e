//! `backend/tests/stripe_contract.py`: what Stripe takes and gives, as the types of its library describe it.

use crate::python::builtins::{
    TYPE, any, bool, dict, float, frozenset, hasattr, int, isinstance, len, list, min, object, set,
    str, tuple,
};
use crate::python::standard::{
    Any, Literal, Mapping, TypeGuard, Union, UnionType, get_args, get_origin, get_type_hints, re,
};
use crate::python::stripe::{RequestOptions, stripe};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.stripe_contract": Form, NAMES, OPTIONS, PATTERNS, KINDS, inventions, refusals,
        is_shape, is_words, refusals_of_fields, refusals_of_choice, refusals_of_elements;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "What Stripe takes and gives, as the types of its library describe it.";
    module("tests.stripe_contract").docstring(docstring).body(block![
        assign(Form, py!(dict[(str, Any)])),
        assign(NAMES, py!(dict!("StripeContext" => str, "Mapping" => Mapping)))
            .comment("The names that the library imports for type checkers only.")
            .paragraph(),
        assign(OPTIONS, py!(frozenset(RequestOptions.__annotations__))),
        ann_assign(
            PATTERNS,
            py!(dict[(object, str)]),
            py!(dict!(
                int => "-?[0-9]+",
                float => "-?[0-9]+([.][0-9]+)?",
                bool => "true|false"
            )),
        ),
        ann_assign(
            KINDS,
            py!(dict[(str, TYPE)]),
            py!(dict!(
                "billing_portal.session" => stripe.billing_portal.Session,
                "checkout.session" => stripe.checkout.Session,
                "customer" => stripe.Customer,
                "invoice" => stripe.Invoice,
                "payment_method" => stripe.PaymentMethod,
                "price" => stripe.Price,
                "subscription" => stripe.Subscription,
                "subscription_item" => stripe.SubscriptionItem
            )),
        )
        .paragraph(),
        inventions_def(),
        refusals_def(),
        is_shape_def(),
        is_words_def(),
        refusals_of_fields_def(),
        refusals_of_choice_def(),
        refusals_of_elements_def()
    ])
}

fn inventions_def() -> FunctionDef {
    names!(content, known);
    def(inventions).params([param(content, Form)]).returns(py!(set[str])).body(block![
        docstring("Return the fields that no object of Stripe has, but for lists."),
        assign(known, py!(KINDS[content["object"]].__annotations__)),
        return_(py!(content.keys() - known.keys()))
    ])
}

fn refusals_def() -> FunctionDef {
    names!(value, hint, path, pattern, matches);
    def(refusals)
        .params([param(value, py!(str | Form)), param(hint, object), param(path, str).default("")])
        .returns(py!(list[str]))
        .body(block![
            docstring("List what Stripe would refuse in a value that is to be of a type."),
            if_(py!(is_shape(hint)), [return_(py!(refusals_of_fields(value, hint, path)))]),
            if_(
                py!(in_!(get_origin(hint), set!(Union, UnionType))),
                [return_(py!(refusals_of_choice(value, get_args(hint), path)))]
            ),
            if_(
                py!(is_!(get_origin(hint), list)),
                [return_(py!(refusals_of_elements(value, get_args(hint)[0], path)))]
            ),
            if_(
                py!(is_words(hint)),
                [return_(py!(if in_!(value, get_args(hint)) {
                    []
                } else {
                    [f!("Invalid {}: {}", path, value)]
                }))]
            ),
            assign(pattern, py!(PATTERNS.get(hint, ".*"))),
            assign(matches, py!(re.fullmatch(pattern, str(value), re.DOTALL))),
            return_(py!(if matches { [] } else { [f!("Invalid {}: {}", path, value)] }))
        ])
}

fn is_shape_def() -> FunctionDef {
    names!(hint);
    def(is_shape).params([param(hint, object)]).returns(py!(TypeGuard[TYPE])).body(block![
        docstring("Tell whether a type lists the parameters of a request, or of a part of one."),
        return_(py!(isinstance(hint, TYPE) && hasattr(hint, "__required_keys__")))
    ])
}

fn is_words_def() -> FunctionDef {
    names!(hint);
    def(is_words).params([param(hint, object)]).returns(bool).body(block![
        docstring("Tell whether a type lists words."),
        return_(py!(is_!(get_origin(hint), Literal)))
    ])
}

fn refusals_of_fields_def() -> FunctionDef {
    names!(value, shape, path, known, found, name, part, r#where);
    def(refusals_of_fields)
        .params([param(value, py!(str | Form)), param(shape, TYPE), param(path, str)])
        .returns(py!(list[str]))
        .body(block![
            docstring("List what Stripe would refuse in an object."),
            if_(py!(isinstance(value, str)), [return_(py!([f!("Invalid object: {}", path)]))]),
            assign(known, py!(get_type_hints(shape, localns = NAMES))),
            ann_assign(found, py!(list[str]), py!([])),
            for_(
                py!((name, part)),
                py!(value.items()),
                block![
                    assign(r#where, py!(if path { f!("{}[{}]", path, name) } else { name })),
                    if_(
                        py!(in_!(name, known) && not_in!(name, OPTIONS)),
                        [aug_assign(
                            found,
                            Operator::Add,
                            py!(refusals(part, known[name], r#where))
                        )]
                    )
                    .else_([do_(py!(found.append(f!("Received unknown parameter: {}", r#where))))])
                ]
            ),
            return_(found)
        ])
}

fn refusals_of_choice_def() -> FunctionDef {
    names!(value, options, path, has_words, known);
    def(refusals_of_choice)
        .params([
            param(value, py!(str | Form)),
            param(options, py!(tuple[(object, ellipsis!())])),
            param(path, str),
        ])
        .returns(py!(list[str]))
        .body(block![
            docstring(
                "List what Stripe would refuse where several types will do.\n\
                 \n\
                 The library lets a word that is new to it pass as text; here it is refused."
            ),
            assign(
                has_words,
                py!(any(
                    generator!(any(get_args(option)) for option in options if is_words(option))
                ))
            ),
            assign(
                known,
                py!(list!(option for option in options if !(has_words && is_!(option, str))))
            ),
            return_(py!(min(
                generator!(refusals(value, option, path) for option in known),
                key = len
            )))
        ])
}

fn refusals_of_elements_def() -> FunctionDef {
    names!(value, element, path, found, index, part);
    def(refusals_of_elements)
        .params([param(value, py!(str | Form)), param(element, object), param(path, str)])
        .returns(py!(list[str]))
        .body(block![
            docstring("List what Stripe would refuse in an array."),
            if_(py!(isinstance(value, str)), [return_(py!([f!("Invalid array: {}", path)]))]),
            ann_assign(found, py!(list[str]), py!([])),
            for_(
                py!((index, part)),
                py!(value.items()),
                [aug_assign(
                    found,
                    Operator::Add,
                    py!(refusals(part, element, f!("{}[{}]", path, index)))
                )]
            ),
            return_(found)
        ])
}

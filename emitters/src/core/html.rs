//! `backend/app/core/html.py`: HTML as a tree: what is not an element is text, and text is always escaped.

use crate::python::builtins::{dict, isinstance, str, tuple};
use crate::python::standard::{Mapping, dataclass, escape, field};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.html": Element, render, attribute;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.html")
        .docstring("HTML as a tree: what is not an element is text, and text is always escaped.")
        .deferred_annotations()
        .body(block![element_class(), render_def(), attribute_def()])
}

fn element_class() -> ClassDef {
    names!(tag, children, attributes);
    class(Element).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("An element with its attributes and what stands in it."),
        annotate(tag, str),
        ann_assign(children, py!(tuple[(Element | str, ellipsis!())]), py!(())),
        ann_assign(
            attributes,
            py!(Mapping[(str, str)]),
            py!(field(default_factory = dict[(str, str)]))
        )
    ])
}

fn render_def() -> FunctionDef {
    names!(node, attributes, opening, content);
    def(render).params([param(node, py!(Element | str))]).returns(str).body(block![
        docstring("Write a tree as HTML."),
        if_(py!(isinstance(node, str)), [return_(py!(escape(node)))]),
        assign(attributes, py!(list!(attribute(*pair) for pair in node.attributes.items()))),
        assign(opening, py!(" ".join([node.tag, *attributes]))),
        assign(content, py!("".join(generator!(render(child) for child in node.children)))),
        return_(py!(f!("<{}>{}</{}>", opening, content, node.tag)))
    ])
}

fn attribute_def() -> FunctionDef {
    names!(name, value);
    def(attribute).params([param(name, str), param(value, str)]).returns(str).body(block![
        docstring("Write an attribute of an element."),
        return_(py!(f!("{}=\"{}\"", name, escape(value))))
    ])
}

//! HTML as a tree: what stands in it is text and never markup.

use std::fmt::Write as _;

/// An element of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
    /// The content of `style`, which HTML does not read as markup.
    Raw(&'static str),
}

/// Elements that have no end tag.
const VOID: [&str; 2] = ["meta", "input"];

/// An element without attributes and children.
#[must_use]
pub fn element(tag: &'static str) -> Element {
    Element { tag, attributes: Vec::new(), children: Vec::new() }
}

impl Element {
    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Element {
        self.attributes.push((name, value.into()));
        self
    }

    /// Sets the classes.
    #[must_use]
    pub fn class(self, class: impl Into<String>) -> Element {
        self.attribute("class", class)
    }

    /// Adds an element.
    #[must_use]
    pub fn child(mut self, child: Element) -> Element {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds elements.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Element {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Sets the rules of a style sheet.
    #[must_use]
    pub fn rules(mut self, rules: &'static str) -> Element {
        self.children.push(Node::Raw(rules));
        self
    }

    /// The markup.
    #[must_use]
    pub fn markup(&self) -> String {
        let mut markup = String::new();
        self.write(&mut markup);
        markup
    }

    fn write(&self, markup: &mut String) {
        // Writing to a string does not fail.
        let _ = write!(markup, "<{}", self.tag);
        for (name, value) in &self.attributes {
            let _ = write!(markup, " {name}=\"{}\"", escaped(value));
        }
        markup.push('>');
        if VOID.contains(&self.tag) {
            return;
        }
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(markup),
                Node::Text(text) => markup.push_str(&escaped(text)),
                Node::Raw(rules) => markup.push_str(rules),
            }
        }
        let _ = write!(markup, "</{}>", self.tag);
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // HTML knows no other control characters, not even as references.
            char if char.is_control() && !matches!(char, '\n' | '\t') => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn text_is_never_markup() {
        let page = element("p").class("a\"b").text("<script>&").child(element("input"));
        let expected = "<p class=\"a&quot;b\">&lt;script&gt;&amp;<input></p>";
        assert_eq!(page.markup(), expected);
    }
}

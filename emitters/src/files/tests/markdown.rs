use super::super::markdown::{Block, Inline, code, commands, heading, paragraph, print, text};
use super::super::{backend_readme, root_readme};
use super::*;
use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// The document as a reader of Markdown sees it, with everything that GitHub adds: what each block
/// is, and the words in it.
fn seen(document: &str) -> Vec<(&'static str, String)> {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.footnotes = true;
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    let arena = Arena::new();
    let root = parse_document(&arena, document, &options);
    root.descendants().filter_map(|node| Some((kind(node)?, words(node)))).collect()
}

/// What a block is; `None` for what is inside of one. Nothing else is ever written.
fn kind<'a>(node: &'a AstNode<'a>) -> Option<&'static str> {
    match &node.data.borrow().value {
        NodeValue::Heading(_) => Some("heading"),
        NodeValue::Paragraph => Some("paragraph"),
        NodeValue::TableCell => Some("cell"),
        NodeValue::CodeBlock(code) if code.info == "mermaid" => Some("diagram"),
        NodeValue::CodeBlock(_) => Some("commands"),
        NodeValue::Document
        | NodeValue::Table(_)
        | NodeValue::TableRow(_)
        | NodeValue::Text(_)
        | NodeValue::Code(_) => None,
        other => panic!("the document has {other:?}"),
    }
}

fn words<'a>(block: &'a AstNode<'a>) -> String {
    let inlines = block.descendants().map(|node| match &node.data.borrow().value {
        NodeValue::Text(words) => words.to_string(),
        NodeValue::Code(code) => code.literal.clone(),
        NodeValue::CodeBlock(code) => code.literal.clone(),
        _ => String::new(),
    });
    inlines.collect()
}

/// A heading, a paragraph and a table of the same words.
fn everywhere(words: &Inline) -> Vec<(&'static str, String)> {
    let row = vec![vec![words.clone()], vec![text("after")]];
    let document = [
        Block::Heading(2, vec![words.clone()]),
        paragraph([words.clone()]),
        Block::Table(vec!["One", "Two"], vec![row]),
    ];
    seen(&print(&document))
}

#[track_caller]
fn expect(words: &Inline, expected: &str) {
    let blocks: Vec<(&str, String)> = everywhere(words);
    let blocks: Vec<(&str, &str)> = blocks.iter().map(|(kind, words)| (*kind, &**words)).collect();
    let table = [("cell", "One"), ("cell", "Two"), ("cell", expected), ("cell", "after")];
    let before = [("heading", expected), ("paragraph", expected)];
    assert_eq!(blocks, [&before[..], &table[..]].concat());
}

#[test]
fn what_has_meaning_is_escaped() {
    let document = [
        heading(1, "C# & <b>"),
        paragraph([text("1. a_b "), code("x_y"), text(" a@b.example https://c.example www.d")]),
        paragraph([text("- no item")]),
        commands(["echo '```'"]),
    ];
    insta::assert_snapshot!(print(&document), @r"
    # C\# \& \<b\>

    1\. a\_b `x_y` a`@`b.example https`:`//c.example www`.`d

    \- no item

    ````sh
    echo '```'
    ````
    ");
}

#[test]
fn code_may_have_backticks() {
    expect(&code("a`b``c"), "a`b``c");
    expect(&code("`"), "`");
    expect(&code("a|b\\|c"), "a|b\\|c");
}

/// How many blocks of which kind a README has.
fn shape(document: &str) -> Vec<&'static str> {
    seen(document).into_iter().map(|(kind, _)| kind).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn words_are_seen_as_they_are(words in hostile()) {
        expect(&text(words.clone()), &words);
    }

    #[test]
    fn code_is_seen_as_it_is(words in hostile()) {
        expect(&code(words.clone()), &words);
    }

    #[test]
    fn words_beside_code_are_seen_as_they_are(words in hostile()) {
        let blocks = seen(&print(&[paragraph([code("a"), text(format!(" {words} ")), code("b")])]));
        prop_assert_eq!(blocks, [("paragraph", format!("a {words} b"))]);
    }

    #[test]
    fn texts_do_not_change_the_shape_of_a_readme(text in hostile()) {
        let (spec, plain) = (with_texts(acme(), &text), with_texts(acme(), "Plain"));
        for readme in [root_readme::emit, backend_readme::emit] {
            prop_assert_eq!(shape(&readme(&spec).text()), shape(&readme(&plain).text()));
        }
    }
}

use super::super::mermaid::{
    Attribute, Count, Diagram, Entity, EntityDiagram, Flowchart, Group, Key, Link, Node, Part,
    Relation, Shape, print,
};
use super::*;
use astgen_pyast::{Name, name};

fn node(name: Name, shape: Shape, label: &[&str]) -> Part {
    let label = label.iter().map(|&line| line.to_owned()).collect();
    Part::Node(Node { name, shape, label })
}

/// A flowchart with the label at every place for one.
fn flowchart(label: &str) -> Diagram {
    let label = || label.to_owned();
    let (api, end) = (name("api"), name("end"));
    let group = Group {
        name: name("product"),
        label: label(),
        parts: vec![node(api, Shape::Box, &[&label(), &label()])],
    };
    Diagram::Flowchart(Flowchart {
        parts: vec![Part::Group(group), node(end, Shape::Store, &[&label()])],
        links: vec![
            Link { from: api, to: end, label: Some(label()) },
            Link { from: end, to: api, label: None },
        ],
    })
}

fn entities(label: &str) -> Diagram {
    let (one, other) = (name("projects"), name("end"));
    let attribute = |kind, name, keys: &[Key]| Attribute { kind, name, keys: keys.to_vec() };
    let attributes = vec![
        attribute(name("uuid"), name("id"), &[Key::Primary]),
        attribute(name("uuid"), name("end_id"), &[Key::Foreign, Key::Unique]),
        attribute(name("text"), name("uk"), &[]),
    ];
    let relation = |to, to_count, from_count, from| Relation {
        to,
        to_count,
        from_count,
        from,
        label: label.to_owned(),
    };
    Diagram::Entities(EntityDiagram {
        entities: vec![
            Entity { name: one, attributes },
            Entity { name: other, attributes: Vec::new() },
        ],
        relations: vec![
            relation(other, Count::One, Count::Any, one),
            relation(other, Count::ZeroOrOne, Count::ZeroOrOne, one),
            relation(one, Count::Any, Count::One, one),
        ],
    })
}

#[test]
fn flowcharts_are_printed() {
    insta::assert_snapshot!(print(&flowchart("C# \"1.\" row-level, a_b /m - direction TB")), @r##"
    flowchart TB
        subgraph product["C#35; #34;1#46;#34; row-level, a_b /m #45; direction#32;TB"]
            api["C#35; #34;1#46;#34; row-level, a_b /m #45; direction#32;TB<br/>C#35; #34;1#46;#34; row-level, a_b /m #45; direction#32;TB"]
        end
        _end[("C#35; #34;1#46;#34; row-level, a_b /m #45; direction#32;TB")]
        api -->|"C#35; #34;1#46;#34; row-level, a_b /m #45; direction#32;TB"| _end
        _end --> api
    "##);
}

#[test]
fn entities_are_printed() {
    insta::assert_snapshot!(print(&entities("set null")), @r#"
    erDiagram
        "projects" {
            uuid id PK
            uuid end_id FK, UK
            text _uk
        }
        "end"
        "end" ||--o{ "projects" : "set null"
        "end" |o--o| "projects" : "set null"
        "projects" }o--|| "projects" : "set null"
    "#);
}

/// The text in which `#34;` is a quote.
fn read_back(quoted: &str) -> String {
    let (mut read, mut rest) = (String::new(), quoted);
    while let Some((before, after)) = rest.split_once('#') {
        let (number, behind) = after.split_once(';').expect("the number of a character");
        let number = number.parse().expect("a number");
        read += before;
        read.push(char::from_u32(number).expect("a character"));
        rest = behind;
    }
    read + rest
}

/// The words of a label: Mermaid draws no other space between them.
fn normal(label: &str) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    if words.is_empty() { " ".to_owned() } else { words.join(" ") }
}

/// Any text at all, full of what ends strings, lines and diagrams.
fn any_label() -> impl Strategy<Value = String> {
    const PIECES: [&str; 20] = [
        "\"",
        "]",
        "```",
        "\n",
        "\r",
        "%%",
        "%%{init: {}}%%",
        "<script>",
        "<br/>",
        "#",
        "#34;",
        ";",
        "\u{202e}",
        "\u{200f}",
        "\u{0}",
        "direction TB",
        "Direction  LR",
        "end",
        "{",
        "-->",
    ];
    let piece = prop_oneof![
        3 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z ]{1,6}",
    ];
    prop_oneof![prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()), hostile()]
}

/// What the labels of a diagram say, line by line.
fn labels(text: &str) -> Vec<String> {
    let quoted = text.lines().filter_map(|line| match line.split_once(" : ") {
        Some((_, label)) => Some(label),
        None if text.starts_with("flowchart") => line.split_once('"').map(|(_, label)| label),
        None => None,
    });
    let inner = quoted.map(|quoted| quoted.trim_start_matches('"').split('"').next().unwrap_or(""));
    inner.flat_map(|label| label.split("<br/>")).map(read_back).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn labels_are_read_as_they_are(label in any_label()) {
        let texts = [print(&flowchart(&label)), print(&entities(&label))];
        let plain = [print(&flowchart("a")), print(&entities("a"))];
        for ((text, plain), count) in texts.iter().zip(&plain).zip([5, 3]) {
            prop_assert_eq!(labels(text), vec![normal(&label); count], "{}", text);
            prop_assert_eq!(text.lines().count(), plain.lines().count(), "{}", text);
            prop_assert_eq!(text.matches('"').count(), plain.matches('"').count(), "{}", text);
            let has_sign = text.contains(['`', '%', '\\', '$', '@', '&', '*']);
            let has_direction = text.to_ascii_lowercase().contains("direction ");
            prop_assert!(!has_sign && !has_direction, "{}", text);
        }
    }
}

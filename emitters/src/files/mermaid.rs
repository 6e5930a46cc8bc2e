//! Mermaid: what a diagram shows, apart from how it is escaped.

use astgen_pyast::Name;

/// The characters of the longest diagram that Mermaid draws (`maxTextSize`), on GitHub too.
pub const LONGEST: usize = 50_000;

/// A diagram of one of the kinds that a README has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagram {
    /// What hands what to whom.
    Flowchart(Flowchart),
    /// What is kept, and how it hangs together.
    Entities(EntityDiagram),
}

/// Nodes, and the arrows between them; drawn from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flowchart {
    /// The nodes, and the groups of nodes.
    pub parts: Vec<Part>,
    /// The arrows.
    pub links: Vec<Link>,
}

/// A part of a flowchart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// One node.
    Node(Node),
    /// A frame with parts in it.
    Group(Group),
}

/// A node of a flowchart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What links call it.
    pub name: Name,
    /// How it is drawn.
    pub shape: Shape,
    /// What is written in it, line by line.
    pub label: Vec<String>,
}

/// How a node is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A box: a part of the product.
    Box,
    /// A cylinder: what keeps something.
    Store,
    /// With round ends: what is outside of the product.
    Outside,
}

/// A frame with a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What tells it from other groups.
    pub name: Name,
    /// Its title.
    pub label: String,
    /// What is in it.
    pub parts: Vec<Part>,
}

/// An arrow from a node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it begins.
    pub from: Name,
    /// Where it ends.
    pub to: Name,
    /// What is written beside it.
    pub label: Option<String>,
}

/// Entities, and the relations between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityDiagram {
    /// The entities.
    pub entities: Vec<Entity>,
    /// The relations.
    pub relations: Vec<Relation>,
}

/// A kind of row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What it is called.
    pub name: Name,
    /// What a row has.
    pub attributes: Vec<Attribute>,
}

/// What a row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The type of its values.
    pub kind: Name,
    /// What it is called.
    pub name: Name,
    /// What it is good for.
    pub keys: Vec<Key>,
}

/// What an attribute is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// It identifies the row.
    Primary,
    /// It points at a row.
    Foreign,
    /// No two rows have the same value.
    Unique,
}

/// Rows that point at rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The entity that is pointed at.
    pub to: Name,
    /// How many of its rows a pointing row has.
    pub to_count: Count,
    /// How many rows point at one.
    pub from_count: Count,
    /// The entity whose rows point.
    pub from: Name,
    /// What is written beside it.
    pub label: String,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// None or one.
    ZeroOrOne,
    /// Any number.
    Any,
}

/// The words that mean something to Mermaid where the name of a node may stand.
const WORDS_OF_FLOWCHARTS: [&str; 15] = [
    "call",
    "class",
    "classdef",
    "click",
    "default",
    "direction",
    "end",
    "flowchart",
    "graph",
    "href",
    "interpolate",
    "linkstyle",
    "style",
    "subgraph",
    "v",
];

/// The words that mean something to Mermaid where the name of an attribute may stand.
const WORDS_OF_ENTITIES: [&str; 3] = ["fk", "pk", "uk"];

/// The text of a diagram.
#[must_use]
pub fn print(diagram: &Diagram) -> String {
    match diagram {
        Diagram::Flowchart(Flowchart { parts, links }) => {
            let parts: String = parts.iter().map(|it| part(it, 1)).collect();
            let links: String = links.iter().map(link).collect();
            format!("flowchart TB\n{parts}{links}")
        }
        Diagram::Entities(EntityDiagram { entities, relations }) => {
            let entities: String = entities.iter().map(entity).collect();
            let relations: String = relations.iter().map(relation).collect();
            format!("erDiagram\n{entities}{relations}")
        }
    }
}

fn part(part: &Part, depth: usize) -> String {
    let indent = "    ".repeat(depth);
    match part {
        Part::Node(Node { name, shape, label }) => {
            let (open, close) = match shape {
                Shape::Box => ("[", "]"),
                Shape::Store => ("[(", ")]"),
                Shape::Outside => ("([", "])"),
            };
            let lines: Vec<String> = label.iter().map(|line| escaped(line)).collect();
            format!("{indent}{}{open}\"{}\"{close}\n", node_word(*name), lines.join("<br/>"))
        }
        Part::Group(Group { name, label, parts }) => {
            let inner: String = parts.iter().map(|it| self::part(it, depth + 1)).collect();
            let label = escaped(label);
            format!("{indent}subgraph {}[\"{label}\"]\n{inner}{indent}end\n", node_word(*name))
        }
    }
}

fn link(link: &Link) -> String {
    let Link { from, to, label } = link;
    let label = label.as_ref().map(|label| format!("|\"{}\"|", escaped(label)));
    let label = label.unwrap_or_default();
    format!("    {} -->{label} {}\n", node_word(*from), node_word(*to))
}

fn entity(entity: &Entity) -> String {
    let Entity { name, attributes } = entity;
    if attributes.is_empty() {
        return format!("    \"{name}\"\n");
    }
    let attributes: String = attributes.iter().map(attribute).collect();
    format!("    \"{name}\" {{\n{attributes}    }}\n")
}

fn attribute(attribute: &Attribute) -> String {
    let Attribute { kind, name, keys } = attribute;
    let keys: Vec<&str> = keys.iter().copied().map(key).collect();
    let name = word(*name, &WORDS_OF_ENTITIES);
    let line = format!("        {kind} {name} {}", keys.join(", "));
    format!("{}\n", line.trim_end())
}

fn key(key: Key) -> &'static str {
    match key {
        Key::Primary => "PK",
        Key::Foreign => "FK",
        Key::Unique => "UK",
    }
}

fn relation(relation: &Relation) -> String {
    let Relation { to, to_count, from_count, from, label } = relation;
    let left = match to_count {
        Count::One => "||",
        Count::ZeroOrOne => "|o",
        Count::Any => "}o",
    };
    let right = match from_count {
        Count::One => "||",
        Count::ZeroOrOne => "o|",
        Count::Any => "o{",
    };
    format!("    \"{to}\" {left}--{right} \"{from}\" : \"{}\"\n", escaped(label))
}

/// A name that cannot be quoted: one that means something gets an underscore before it.
fn word(name: Name, reserved: &[&str]) -> String {
    let is_reserved = reserved.contains(&name.as_str().to_ascii_lowercase().as_str());
    if is_reserved { format!("_{name}") } else { name.to_string() }
}

fn node_word(name: Name) -> String {
    word(name, &WORDS_OF_FLOWCHARTS)
}

/// Words that are read as they are written, between quotes: what may mean something to Mermaid, to
/// the Markdown that it reads labels as, or to HTML, is the number of its character.
fn escaped(label: &str) -> String {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(label.len());
    let mut before = None;
    for (at, c) in label.char_indices() {
        let after = label[at + c.len_utf8()..].chars().next();
        let is_inside =
            [before, after].iter().flatten().filter(|c| c.is_alphanumeric()).count() == 2;
        let is_plain = match c {
            // Mermaid looks for `direction TB` in strings too.
            ' ' => !ends_with_direction(&label[..at]),
            ',' | '/' => true,
            '-' | '_' => is_inside,
            _ => c.is_alphanumeric(),
        };
        if is_plain {
            escaped.push(c);
        } else {
            escaped += &format!("#{};", u32::from(c));
        }
        before = Some(c);
    }
    // There is no empty string.
    if escaped.is_empty() { " ".to_owned() } else { escaped }
}

fn ends_with_direction(words: &str) -> bool {
    const DIRECTION: &[u8] = b"direction";
    let start = words.len().saturating_sub(DIRECTION.len());
    words.as_bytes()[start..].eq_ignore_ascii_case(DIRECTION)
}

//! Merging blocks: which items come in, in which order, with how many empty lines above; each item as it stands
//! in one of the versions, or merged.

use super::Session;
use super::align::{Block, Matching, match_items};
use super::clauses::clauses;
use super::conflict::Sides as Marked;
use super::digest::digest_of;
use super::expression::Triple;
use super::imports;
use super::indent::reindented;
use super::items::{Content, Item, Key};
use super::sequence::{Element, Merged, Place, Reason, Sequences, is_balanced, merge};
use super::statement;
use super::tree::{Id, Tree};
use super::wraps;
use ruff_python_ast::NodeKind;

/// What a block is the body of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A module or a class: most of what it holds is declared, in no order.
    Declarations,
    /// A function: it holds steps.
    Steps,
}

/// The merged lines of a block.
pub fn merge_block(session: &mut Session<'_>, at: Triple<Id>, body: Body) -> String {
    let whole = Triple {
        base: session.base.items(at.base).unwrap_or_default(),
        ours: session.ours.items(at.ours).unwrap_or_default(),
        theirs: session.theirs.items(at.theirs).unwrap_or_default(),
    };
    let mut base = whole.base.to_vec();
    let mut ours = whole.ours.to_vec();
    let mut theirs = whole.theirs.to_vec();
    wraps::flatten(session, Triple { base: &mut base, ours: &mut ours, theirs: &mut theirs });
    let flat = Triple { base: &*base, ours: &*ours, theirs: &*theirs };
    let merge = merge_items(session, flat, body);
    if !has_stray_header(flat, &merge.merged) {
        return write_items(session, flat, body, merge);
    }
    let merge = merge_items(session, whole, body);
    write_items(session, whole, body, merge)
}

/// Which items come in, and what becomes of the imports.
struct ItemMerge {
    merged: Vec<Merged>,
    imports: imports::Plan,
    to_ours: Matching,
    is_balanced: bool,
}

fn merge_items(session: &Session<'_>, items: Triple<&[Item]>, body: Body) -> ItemMerge {
    let elements = Triple {
        base: elements(session.base, items.base, body),
        ours: elements(session.ours, items.ours, body),
        theirs: elements(session.theirs, items.theirs, body),
    };
    let block = |tree, items, elements| Block { tree, items, elements };
    let base = block(session.base, items.base, &elements.base);
    let mut to_ours = match_items(base, block(session.ours, items.ours, &elements.ours));
    let mut to_theirs = match_items(base, block(session.theirs, items.theirs, &elements.theirs));
    let imports = imports::merge_imports(session, items);
    imports.release(&mut to_ours, &mut to_theirs);
    let sequences = Sequences {
        base: &elements.base,
        ours: &elements.ours,
        theirs: &elements.theirs,
        to_ours: &to_ours,
        to_theirs: &to_theirs,
        theirs_first: session.orders.theirs_first,
    };
    let merged = merge(sequences);
    let is_balanced = is_balanced(sequences, &merged);
    ItemMerge { merged: at_edges(items, merged), imports, to_ours, is_balanced }
}

/// Whether a header that one side put around something stands above something else: the other side moved what was
/// below it.
fn has_stray_header(items: Triple<&[Item]>, merged: &[Merged]) -> bool {
    let places = |element: &Merged| match *element {
        Merged::Both { ours, theirs, .. } | Merged::New { ours, theirs } => {
            [Some(ours), Some(theirs)]
        }
        Merged::Ours(ours) => [Some(ours), None],
        Merged::Theirs(theirs) => [None, Some(theirs)],
        Merged::Clash { .. } => [None, None],
    };
    let is_stray = |(at, element): (usize, &Merged)| {
        let (side, place, sides) = match *element {
            Merged::Ours(place) => (0, place, items.ours),
            Merged::Theirs(place) => (1, place, items.theirs),
            _ => return false,
        };
        let is_header = matches!(sides[place].content, Content::Header(_));
        let mut below = merged[at + 1..].iter();
        is_header && below.find_map(|it| places(it)[side]) != Some(place + 1)
    };
    merged.iter().enumerate().any(is_stray)
}

fn write_items(
    session: &mut Session<'_>,
    items: Triple<&[Item]>,
    body: Body,
    merge: ItemMerge,
) -> String {
    session.note_renames(items.base, items.ours, &merge.to_ours);
    session.is_balanced &= merge.is_balanced;
    let mut writer = Writer {
        indent: indentation(session, items),
        items,
        imports: merge.imports,
        body,
        text: String::new(),
        shift: 0,
        theirs_shift: 0,
    };
    for element in merge.merged {
        writer.write(session, element);
    }
    writer.text
}

/// Makes a clash of what one side put at the edge of a block that the other side put around statements: nobody
/// knows whether it belongs inside.
fn at_edges(items: Triple<&[Item]>, merged: Vec<Merged>) -> Vec<Merged> {
    let shift = |element: &Merged| match *element {
        Merged::Both { base, ours, theirs } => Some([
            signed(items.ours[ours].depth) - signed(items.base[base].depth),
            signed(items.theirs[theirs].depth) - signed(items.base[base].depth),
        ]),
        _ => None,
    };
    let shifts: Vec<Option<[isize; 2]>> = merged.iter().map(shift).collect();
    let around = |at: usize| {
        let before = shifts[..at].iter().rev().flatten().next();
        let after = shifts[at..].iter().flatten().next();
        Some((*before?, *after?))
    };
    let is_at_edge = |at: usize, side: usize| {
        // The other side moved one neighbour to another depth, and left the other where it was.
        around(at).is_some_and(|(before, after)| before[1 - side] != after[1 - side])
    };
    let is_step = |item: &Item| matches!(item.content, Content::Statement(_) | Content::Line(_));
    let edge = |(at, element): (usize, Merged)| match element {
        Merged::Ours(place) if is_step(&items.ours[place]) && is_at_edge(at, 0) => {
            let reason = Reason::AtEdge;
            Merged::Clash { base: vec![], ours: vec![place], theirs: vec![], reason }
        }
        Merged::Theirs(place) if is_step(&items.theirs[place]) && is_at_edge(at, 1) => {
            let reason = Reason::AtEdge;
            Merged::Clash { base: vec![], ours: vec![], theirs: vec![place], reason }
        }
        element => element,
    };
    merged.into_iter().enumerate().map(edge).collect()
}

/// The indentation of the block in ours.
fn indentation(session: &Session<'_>, items: Triple<&[Item]>) -> String {
    let of = |tree: &Tree<'_>, items: &[Item]| {
        let plain = items.iter().find(|item| item.depth == 0)?;
        Some(tree.indentation(plain.lines.start).to_owned())
    };
    of(session.ours, items.ours).or_else(|| of(session.theirs, items.theirs)).unwrap_or_default()
}

fn elements(tree: &Tree<'_>, items: &[Item], body: Body) -> Vec<Element> {
    let element = |item: &Item| Element {
        digest: item.digest,
        key: item.key.as_ref().filter(|key| is_identity(key, body)).map(digest_of),
        place: place(tree, item, body),
    };
    items.iter().map(element).collect()
}

/// In a function, a variable may be assigned again and again.
fn is_identity(key: &Key, body: Body) -> bool {
    body == Body::Declarations || !matches!(key, Key::Assigned(_))
}

fn place(tree: &Tree<'_>, item: &Item, body: Body) -> Place {
    match (&item.key, item.content) {
        (_, Content::Comment) => Place::Free,
        (Some(Key::Import(_)), _) => Place::First,
        (Some(Key::Definition(..)), _) => Place::Set,
        (Some(Key::Assigned(_)), _) if body == Body::Declarations => Place::Set,
        (_, Content::Statement(id)) if is_registration(tree, id) => Place::Set,
        _ => Place::Ordered,
    }
}

/// `router.include_router(…)` and its like: they fill a registry.
fn is_registration(tree: &Tree<'_>, statement: Id) -> bool {
    const METHODS: [&str; 6] = [
        "include_router",
        "add_typer",
        "add_command",
        "register_blueprint",
        "add_api_route",
        "add_url_rule",
    ];
    let [call] = *tree.children(statement) else { return false };
    let function =
        tree.children(call).first().filter(|_| tree.kind(call) == Some(NodeKind::ExprCall));
    function.is_some_and(|function| {
        tree.identifier(*function).is_some_and(|method| METHODS.contains(&method))
    })
}

/// The merged block, being written.
struct Writer<'i> {
    /// The indentation of the block in ours.
    indent: String,
    items: Triple<&'i [Item]>,
    imports: imports::Plan,
    body: Body,
    text: String,
    /// How much deeper than in ours, and in theirs, the last item of that side came out.
    shift: isize,
    theirs_shift: isize,
}

impl Writer<'_> {
    fn write(&mut self, session: &mut Session<'_>, element: Merged) {
        if let Some((at, reason)) = self.contested(session, &element) {
            self.clash(session, at, reason);
            return;
        }
        match element {
            Merged::Both { base, ours, theirs } => {
                self.both(session, Triple { base, ours, theirs });
            }
            Merged::Ours(at) => self.ours(session, at, None),
            Merged::New { ours, theirs } => self.both_new(session, ours, theirs),
            Merged::Theirs(at) => self.theirs(session, at),
            Merged::Clash { base, ours, theirs, reason } => {
                self.clash(session, Triple { base, ours, theirs }, sentence(reason));
            }
        }
    }

    /// The places of an item that the gate refused before, and why.
    fn contested<'s>(
        &self,
        session: &Session<'s>,
        element: &Merged,
    ) -> Option<(Triple<Vec<usize>>, &'s str)> {
        let (base, ours, theirs) = match *element {
            Merged::Both { base, ours, theirs } => (vec![base], vec![ours], vec![theirs]),
            Merged::Ours(ours) => (vec![], vec![ours], vec![]),
            Merged::Theirs(theirs) => (vec![], vec![], vec![theirs]),
            Merged::New { ours, theirs } => (vec![], vec![ours], vec![theirs]),
            Merged::Clash { .. } => return None,
        };
        let ours_or_theirs = ours
            .iter()
            .map(|at| &self.items.ours[*at])
            .chain(theirs.iter().map(|at| &self.items.theirs[*at]));
        let reason = ours_or_theirs.into_iter().find_map(|item| session.contest(item))?;
        Some((Triple { base, ours, theirs }, reason))
    }

    fn both(&mut self, session: &mut Session<'_>, at: Triple<usize>) {
        let items = Triple {
            base: &self.items.base[at.base],
            ours: &self.items.ours[at.ours],
            theirs: &self.items.theirs[at.theirs],
        };
        let depth = if items.ours.depth == items.base.depth {
            items.theirs.depth
        } else {
            items.ours.depth
        };
        self.shift = signed(depth) - signed(items.ours.depth);
        self.theirs_shift = signed(depth) - signed(items.theirs.depth);
        let blank_lines = if self.text.is_empty() {
            // Whatever comes first stands as close to what is above the block as what came first in ours.
            self.items.ours.first().map_or(0, |first| first.blank_lines)
        } else if items.ours.blank_lines == items.base.blank_lines {
            items.theirs.blank_lines
        } else {
            items.ours.blank_lines
        };
        if items.ours.is_import() && !self.imports.keeps(at.ours) {
            let tail = tail_of_import(session, items);
            self.import(session, at.ours, blank_lines, tail);
            self.added(session, at.theirs);
            return;
        }
        if items.ours.is_import() && changes_names(session, items) {
            // What theirs put in or took out is settled, and changes nothing here.
            self.ours(session, at.ours, Some(blank_lines));
            self.added(session, at.theirs);
            return;
        }
        self.above(session.ours, items.ours, blank_lines);
        let text = statement::merge_item(session, items, self.body);
        let text = self.shifted(session, &text);
        self.text.push_str(&text);
    }

    /// What was merged in place of an item of ours, as deep as it comes out.
    fn shifted(&self, session: &Session<'_>, text: &str) -> String {
        match self.shift {
            0 => text.to_owned(),
            shift => session.deepened(text, &self.indent, shift),
        }
    }

    fn ours(&mut self, session: &mut Session<'_>, at: usize, blank_lines: Option<usize>) {
        let item = &self.items.ours[at];
        let blank_lines = blank_lines.unwrap_or(item.blank_lines);
        if item.is_import() && !self.imports.keeps(at) {
            let tail = item.statement().map_or("", |id| imports::tail(session.ours, id));
            self.import(session, at, blank_lines, tail);
            return;
        }
        self.above(session.ours, item, blank_lines);
        let text = self.shifted(session, &session.ours.text[item.lines.clone()]);
        self.text.push_str(&text);
    }

    /// Names of an import of theirs that are new, where ours imports something else in its place.
    fn added(&mut self, session: &Session<'_>, theirs: usize) {
        if let Some(text) = self.imports.added(session, theirs, &self.indent) {
            self.text.push_str(&text);
        }
    }

    fn import(&mut self, session: &Session<'_>, ours: usize, blank_lines: usize, tail: &str) {
        if let Some(text) = self.imports.rewritten(session, ours, tail) {
            self.above(session.ours, &self.items.ours[ours], blank_lines);
            self.text.push_str(&text);
        }
    }

    fn both_new(&mut self, session: &mut Session<'_>, ours: usize, theirs: usize) {
        let (mine, other) = (&self.items.ours[ours], &self.items.theirs[theirs]);
        if mine.is_import() || mine.digest == other.digest {
            self.ours(session, ours, None);
            return;
        }
        let at = Triple { base: vec![], ours: vec![ours], theirs: vec![theirs] };
        self.clash(session, at, sentence(Reason::SamePlace));
    }

    fn theirs(&mut self, session: &mut Session<'_>, at: usize) {
        let item = &self.items.theirs[at];
        let text = if item.is_import() {
            match self.imports.added(session, at, &self.indent) {
                Some(text) => text,
                None => return,
            }
        } else {
            self.text_of_theirs(session, item)
        };
        self.text.push_str(&"\n".repeat(item.blank_lines));
        self.text.push_str(&text);
    }

    fn text_of_theirs(&self, session: &Session<'_>, item: &Item) -> String {
        let depth = signed(item.depth) + self.theirs_shift;
        let from = session.theirs.indentation(item.lines.start);
        let to = session.deeper(&self.indent, depth);
        reindented(session.theirs, item.lines.clone(), from, &to)
    }

    fn clash(&mut self, session: &mut Session<'_>, at: Triple<Vec<usize>>, reason: &str) {
        let first = at.ours.first().map(|at| &self.items.ours[*at]);
        let blank_lines = first
            .or_else(|| at.theirs.first().map(|at| &self.items.theirs[*at]))
            .or_else(|| at.base.first().map(|at| &self.items.base[*at]))
            .map_or(0, |item| item.blank_lines);
        let lines = |tree: &Tree<'_>, items: &[Item], places: &[usize]| {
            let mut text = String::new();
            for (index, place) in places.iter().enumerate() {
                let item = &items[*place];
                if index > 0 {
                    text.push_str(&"\n".repeat(item.blank_lines));
                }
                let from = tree.indentation(item.lines.start);
                let to = session.deeper(&self.indent, signed(item.depth));
                text.push_str(&reindented(tree, item.lines.clone(), from, &to));
            }
            text
        };
        let ours = lines(session.ours, self.items.ours, &at.ours);
        let base = lines(session.base, self.items.base, &at.base);
        let theirs = lines(session.theirs, self.items.theirs, &at.theirs);
        self.text.push_str(&"\n".repeat(blank_lines));
        let sides = Marked { ours: &ours, base: &base, theirs: &theirs };
        let marked = session.conflict(sides, reason);
        self.text.push_str(&marked);
    }

    /// The empty lines above an item of ours: as they are there, where their number stays.
    fn above(&mut self, ours: &Tree<'_>, item: &Item, blank_lines: usize) {
        if blank_lines == item.blank_lines {
            let start = blank_lines_start(ours.text, item);
            self.text.push_str(&ours.text[start..item.lines.start]);
        } else {
            self.text.push_str(&"\n".repeat(blank_lines));
        }
    }
}

/// Whether theirs changed what an import binds.
fn changes_names(session: &Session<'_>, items: Triple<&Item>) -> bool {
    let names =
        |tree: &Tree<'_>, item: &Item| item.statement().map(|id| imports::bindings(tree, id));
    names(session.base, items.base) != names(session.theirs, items.theirs)
}

/// What stands behind an import: the comment of ours, unless theirs alone changed it.
fn tail_of_import<'a>(session: &Session<'a>, items: Triple<&Item>) -> &'a str {
    let tail =
        |tree: &'a Tree<'a>, item: &Item| item.statement().map_or("", |id| imports::tail(tree, id));
    let (base, ours) = (tail(session.base, items.base), tail(session.ours, items.ours));
    if ours == base { tail(session.theirs, items.theirs) } else { ours }
}

fn blank_lines_start(text: &str, item: &Item) -> usize {
    let mut start = item.lines.start;
    for _ in 0..item.blank_lines {
        start = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
    }
    start
}

fn signed(depth: usize) -> isize {
    isize::try_from(depth).unwrap_or(isize::MAX)
}

fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::DeletedByTheirs => "ours changed what theirs deleted",
        Reason::DeletedByOurs => "theirs changed what ours deleted",
        Reason::SamePlace => "both sides put something here",
        Reason::AtEdge => "one side put a block around what stands here",
    }
}

/// The clauses of a compound statement that have lines of their own, for [`super::wraps`].
pub fn has_only_blocks(tree: &Tree<'_>, statement: Id) -> bool {
    let clauses = clauses(tree, statement);
    !clauses.is_empty() && clauses.iter().all(|clause| clause.block(tree).is_some())
}

//! Merging one statement that both sides changed: header, decorators and blocks apart; and where its parts clash,
//! by line, so that a clash is as small as can be.

use super::Session;
use super::align::{Gap, match_elements};
use super::block::{Body, merge_block};
use super::clauses::{Clause, clauses};
use super::conflict::Sides as Marked;
use super::digest::{digest_of, digester};
use super::expression::{self, Clash, Sides, Triple};
use super::indent::reindented;
use super::items::{Content, Item, Key, trailing_comment};
use super::lines::{self, Change};
use super::python;
use super::sequence::{Element, Merged, Place, Sequences, merge};
use super::tree::{Id, Tree};
use ruff_python_ast::NodeKind;
use std::ops::Range;

/// The merged lines of an item that all three versions have, indented as in ours.
pub fn merge_item(session: &mut Session<'_>, items: Triple<&Item>, body: Body) -> String {
    let ours = &session.ours.text[items.ours.lines.clone()];
    if items.theirs.digest == items.ours.digest {
        return ours.to_owned();
    }
    let theirs = in_our_place(session, items);
    let base = in_our_place_of_base(session, items);
    if items.theirs.digest == items.base.digest {
        // Nobody but theirs laid it out anew.
        return if ours == base { theirs } else { ours.to_owned() };
    }
    if ours == base {
        return theirs;
    }
    let name = items.ours.statement().and_then(|id| session.ours.identifier(id));
    if session.trusts_lines(name) {
        let clean = expression::lines_of(&base, ours, &theirs);
        if let Some(clean) = clean.filter(|clean| is_python(clean)) {
            return clean;
        }
    }
    let mark = session.conflicts.len();
    if let Ok(merged) = parts(session, items, body) {
        return merged;
    }
    session.conflicts.truncate(mark);
    if items.ours.digest == items.base.digest {
        return theirs;
    }
    by_line(session, Marked { ours, base: &base, theirs: &theirs }, items)
}

fn in_our_place(session: &Session<'_>, items: Triple<&Item>) -> String {
    let to = session.ours.indentation(items.ours.lines.start);
    let from = session.theirs.indentation(items.theirs.lines.start);
    reindented(session.theirs, items.theirs.lines.clone(), from, to)
}

fn in_our_place_of_base(session: &Session<'_>, items: Triple<&Item>) -> String {
    let to = session.ours.indentation(items.ours.lines.start);
    let from = session.base.indentation(items.base.lines.start);
    reindented(session.base, items.base.lines.clone(), from, to)
}

fn parts(session: &mut Session<'_>, items: Triple<&Item>, body: Body) -> Result<String, Clash> {
    let (Content::Statement(base), Content::Statement(ours), Content::Statement(theirs)) =
        (items.base.content, items.ours.content, items.theirs.content)
    else {
        return Err(Clash);
    };
    let at = Triple { base, ours, theirs };
    let parts = Triple {
        base: clauses(session.base, base),
        ours: clauses(session.ours, ours),
        theirs: clauses(session.theirs, theirs),
    };
    let has_blocks = |tree: &Tree<'_>, clauses: &[Clause]| {
        clauses.iter().any(|clause| clause.block(tree).is_some())
    };
    let blocks = [
        has_blocks(session.base, &parts.base),
        has_blocks(session.ours, &parts.ours),
        has_blocks(session.theirs, &parts.theirs),
    ];
    match blocks {
        [true, true, true] => compound(session, items, at, parts, body),
        [false, false, false] => simple(session, items, at),
        _ => Err(Clash),
    }
}

/// A statement without blocks, and the comment behind it.
fn simple(session: &Session<'_>, items: Triple<&Item>, at: Triple<Id>) -> Result<String, Clash> {
    let sides = session.sides(items);
    let merged =
        if is_dunder_all(items) { dunder_all(sides, at) } else { expression::node(sides, at) };
    let comment = comment(session, at)?;
    let text = session.ours.text;
    let range = session.ours.node(at.ours).range.clone();
    Ok([&text[items.ours.lines.start..range.start], &merged?, &comment, "\n"].concat())
}

fn is_dunder_all(items: Triple<&Item>) -> bool {
    let name = Some(Key::Assigned("__all__".to_owned()));
    items.ours.key == name && items.theirs.key == name
}

/// `__all__ = […]` is a set of names.
fn dunder_all(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let list = |tree: &Tree<'_>, id: Id| {
        let value = *tree.children(id).last()?;
        matches!(tree.kind(value), Some(NodeKind::ExprList | NodeKind::ExprTuple)).then_some(value)
    };
    let lists =
        (list(sides.base, at.base), list(sides.ours, at.ours), list(sides.theirs, at.theirs));
    let (Some(base), Some(ours), Some(theirs)) = lists else { return expression::node(sides, at) };
    let merged = super::list::merge_list(sides, Triple { base, ours, theirs }, true)?;
    let (statement, list) = (&sides.ours.node(at.ours).range, &sides.ours.node(ours).range);
    let text = sides.ours.text;
    Ok([&text[statement.start..list.start], &*merged, &text[list.end..statement.end]].concat())
}

/// What stands behind the statement on its line.
fn comment(session: &Session<'_>, at: Triple<Id>) -> Result<String, Clash> {
    let said = |tree: &Tree<'_>, id: Id| {
        trailing_comment(tree, id)
            .map_or(String::new(), |comment| tree.text[comment].trim_end().to_owned())
    };
    let behind = |tree: &Tree<'_>, id: Id| {
        let end = tree.node(id).range.end;
        tree.text[end..tree.line_end(end)].trim_end_matches('\n').to_owned()
    };
    let (base, ours, theirs) =
        (said(session.base, at.base), said(session.ours, at.ours), said(session.theirs, at.theirs));
    if theirs == base || ours == theirs {
        Ok(behind(session.ours, at.ours))
    } else if ours == base {
        Ok(behind(session.theirs, at.theirs))
    } else {
        Err(Clash)
    }
}

/// A statement with blocks, clause by clause.
fn compound(
    session: &mut Session<'_>,
    items: Triple<&Item>,
    at: Triple<Id>,
    clauses: Triple<Vec<Clause>>,
    body: Body,
) -> Result<String, Clash> {
    let kind = session.ours.kind(at.ours);
    let inside = match kind {
        Some(NodeKind::StmtClassDef) => Body::Declarations,
        Some(NodeKind::StmtFunctionDef) => Body::Steps,
        _ => body,
    };
    let name = session.ours.identifier(at.ours);
    let is_definition = matches!(items.ours.key, Some(Key::Definition(..)));
    if let (true, Some(name)) = (is_definition, name) {
        session.enter(name);
    }
    let merged = merge_clauses(session, items, &clauses, inside);
    if is_definition && name.is_some() {
        session.leave();
    }
    merged
}

fn merge_clauses(
    session: &mut Session<'_>,
    items: Triple<&Item>,
    clauses: &Triple<Vec<Clause>>,
    body: Body,
) -> Result<String, Clash> {
    let elements = Triple {
        base: elements(session.base, &clauses.base),
        ours: elements(session.ours, &clauses.ours),
        theirs: elements(session.theirs, &clauses.theirs),
    };
    let to_ours = match_clauses(&elements.base, &elements.ours);
    let to_theirs = match_clauses(&elements.base, &elements.theirs);
    let merged = merge(Sequences {
        base: &elements.base,
        ours: &elements.ours,
        theirs: &elements.theirs,
        to_ours: &to_ours,
        to_theirs: &to_theirs,
        theirs_first: false,
    });
    let lines = Triple {
        base: clause_lines(session.base, items.base, &clauses.base),
        ours: clause_lines(session.ours, items.ours, &clauses.ours),
        theirs: clause_lines(session.theirs, items.theirs, &clauses.theirs),
    };
    let sides = session.sides(items);
    let (ours, theirs) = (session.ours, sides.theirs);
    let (from, to) = (sides.from, sides.to);
    let mut text = String::new();
    for element in merged {
        match element {
            Merged::Both { base: b, ours: o, theirs: t } => {
                let at = Triple {
                    base: (&clauses.base[b], lines.base[b].clone()),
                    ours: (&clauses.ours[o], lines.ours[o].clone()),
                    theirs: (&clauses.theirs[t], lines.theirs[t].clone()),
                };
                text.push_str(&clause(session, items, at, body)?);
            }
            Merged::Ours(o) | Merged::New { ours: o, .. } => {
                text.push_str(&ours.text[lines.ours[o].clone()]);
            }
            Merged::Theirs(t) => {
                text.push_str(&reindented(theirs, lines.theirs[t].clone(), from, to));
            }
            Merged::Clash { base, ours: o, theirs: t, .. }
                if base.is_empty() && !o.is_empty() && !t.is_empty() =>
            {
                // Each side's own clauses are in the order of the grammar.
                let mine = |at: Option<&usize>| at.map(|at| rank(ours, &clauses.ours[*at]));
                let other = |at: Option<&usize>| at.map(|at| rank(theirs, &clauses.theirs[*at]));
                let ours_text = o.iter().map(|at| &ours.text[lines.ours[*at].clone()]);
                let theirs_text =
                    t.iter().map(|at| reindented(theirs, lines.theirs[*at].clone(), from, to));
                if mine(o.last()) < other(t.first()) {
                    text.extend(ours_text);
                    text.extend(theirs_text);
                } else if other(t.last()) < mine(o.first()) {
                    text.extend(theirs_text);
                    text.extend(ours_text);
                } else {
                    return Err(Clash);
                }
            }
            Merged::Clash { .. } => return Err(Clash),
        }
    }
    Ok(text)
}

/// Where the grammar has a clause: each `except` and `elif` before `else`, and that before `finally`.
fn rank(tree: &Tree<'_>, clause: &Clause) -> u8 {
    let keyword = clause.header.first().map_or("", |first| tree.source(*first));
    match keyword {
        "else" => 1,
        "finally" => 2,
        _ => 0,
    }
}

fn elements(tree: &Tree<'_>, clauses: &[Clause]) -> Vec<Element> {
    use std::hash::{Hash, Hasher};
    let element = |(index, clause): (usize, &Clause)| {
        let (mut header, mut all) = (digester(), digester());
        // The first clause is the statement; the others are known by what they ask.
        (index == 0).hash(&mut header);
        if index > 0 {
            clause.header.iter().for_each(|part| header.write_u64(tree.node(*part).digest));
        }
        clause.header.iter().for_each(|part| all.write_u64(tree.node(*part).digest));
        clause.suite.iter().for_each(|suite| all.write_u64(tree.node(*suite).digest));
        Element { digest: all.finish(), key: Some(header.finish()), place: Place::Ordered }
    };
    clauses.iter().enumerate().map(element).collect()
}

/// A clause that asks something else is the same clause where there are as many as before.
fn match_clauses(base: &[Element], side: &[Element]) -> super::align::Matching {
    match_elements(base, side, &|gap: &Gap, _, _| f64::from(gap.base.len() == gap.side.len()))
}

/// The lines of each clause: its header, and what is below it.
fn clause_lines(tree: &Tree<'_>, item: &Item, clauses: &[Clause]) -> Vec<Range<usize>> {
    let mut start = item.lines.start;
    let mut all = Vec::new();
    for (index, clause) in clauses.iter().enumerate() {
        let block = clause.block(tree).and_then(|block| tree.items(block)?.last());
        let end = match block {
            _ if index + 1 == clauses.len() => item.lines.end,
            Some(last) => last.lines.end,
            None => {
                let suite =
                    clause.suite.map_or(clause.range(tree).end, |it| tree.node(it).range.end);
                tree.line_end(suite)
            }
        };
        all.push(start..end);
        start = end;
    }
    all
}

type ClauseAt<'c> = (&'c Clause, Range<usize>);

fn clause(
    session: &mut Session<'_>,
    items: Triple<&Item>,
    at: Triple<ClauseAt<'_>>,
    body: Body,
) -> Result<String, Clash> {
    let blocks = (
        at.base.0.block(session.base),
        at.ours.0.block(session.ours),
        at.theirs.0.block(session.theirs),
    );
    let (base, ours, theirs) = match blocks {
        (Some(base), Some(ours), Some(theirs)) => (base, ours, theirs),
        // `match x:` has nothing of its own below it.
        (None, None, None) if at.ours.0.suite.is_none() => return header(session, items, &at),
        _ => return Err(Clash),
    };
    let mut text = header(session, items, &at)?;
    text.push_str(&merge_block(session, Triple { base, ours, theirs }, body));
    Ok(text)
}

/// The lines of a header: decorators, and what leads to the colon.
fn header(
    session: &mut Session<'_>,
    items: Triple<&Item>,
    at: &Triple<ClauseAt<'_>>,
) -> Result<String, Clash> {
    let of = |tree: &Tree<'_>, (clause, lines): &ClauseAt<'_>| {
        let is_decorator = |id: &&Id| tree.kind(**id) == Some(NodeKind::Decorator);
        let decorators: Vec<Id> = clause.header.iter().filter(is_decorator).copied().collect();
        let rest: Vec<Id> = clause.header.iter().filter(|id| !is_decorator(id)).copied().collect();
        let start = rest.first().map_or(lines.start, |first| tree.node(*first).range.start);
        let end = tree.line_end(clause.range(tree).end);
        Header {
            decorators,
            rest,
            above: lines.start..tree.line_start(start),
            below: tree.line_start(start)..end,
        }
    };
    let headers = Triple {
        base: of(session.base, &at.base),
        ours: of(session.ours, &at.ours),
        theirs: of(session.theirs, &at.theirs),
    };
    let above = decorators(session, items, &headers);
    let below = colon_line(session, items, &headers);
    Ok(above + &below)
}

struct Header {
    decorators: Vec<Id>,
    rest: Vec<Id>,
    /// The lines of the decorators, with the comments among them.
    above: Range<usize>,
    /// The lines from `def` or `if` to the colon.
    below: Range<usize>,
}

/// The lines above `def` and `class`. Decorators are applied in order, so two in one place clash.
fn decorators(session: &mut Session<'_>, items: Triple<&Item>, headers: &Triple<Header>) -> String {
    let ours = session.ours.text[headers.ours.above.clone()].to_owned();
    let theirs = session.in_theirs(items, headers.theirs.above.clone());
    let base = session.in_base(items, headers.base.above.clone());
    if theirs == base || ours == theirs {
        return ours;
    }
    if ours == base {
        return theirs;
    }
    let merged = merge_decorators(session.sides(items), headers);
    merged.unwrap_or_else(|Clash| {
        by_line(session, Marked { ours: &ours, base: &base, theirs: &theirs }, items)
    })
}

fn merge_decorators(sides: Sides<'_, '_>, headers: &Triple<Header>) -> Result<String, Clash> {
    let elements = |tree: &Tree<'_>, header: &Header| -> Vec<Element> {
        let element = |id: &Id| Element {
            digest: tree.node(*id).digest,
            key: Some(decorator_name(tree, *id)),
            place: Place::Ordered,
        };
        header.decorators.iter().map(element).collect()
    };
    let has_comments =
        |tree: &Tree<'_>, header: &Header| !tree.comments_in(header.above.clone()).is_empty();
    if has_comments(sides.base, &headers.base)
        || has_comments(sides.ours, &headers.ours)
        || has_comments(sides.theirs, &headers.theirs)
    {
        return Err(Clash);
    }
    let base = elements(sides.base, &headers.base);
    let ours = elements(sides.ours, &headers.ours);
    let theirs = elements(sides.theirs, &headers.theirs);
    let merged = merge(Sequences {
        base: &base,
        ours: &ours,
        theirs: &theirs,
        to_ours: &match_clauses(&base, &ours),
        to_theirs: &match_clauses(&base, &theirs),
        theirs_first: false,
    });
    let mut text = String::new();
    for element in merged {
        let line = match element {
            Merged::Both { base, ours, theirs } => expression::node(
                sides,
                Triple {
                    base: headers.base.decorators[base],
                    ours: headers.ours.decorators[ours],
                    theirs: headers.theirs.decorators[theirs],
                },
            )?,
            Merged::Ours(at) | Merged::New { ours: at, .. } => {
                sides.ours.source(headers.ours.decorators[at]).to_owned()
            }
            Merged::Theirs(at) => {
                sides.of_theirs(sides.theirs.node(headers.theirs.decorators[at]).range.clone())
            }
            Merged::Clash { .. } => return Err(Clash),
        };
        text.extend([sides.to, &line, "\n"]);
    }
    Ok(text)
}

/// What a decorator is, whatever its arguments: `@router.get(…)`.
fn decorator_name(tree: &Tree<'_>, id: Id) -> u64 {
    let source = tree.source(id);
    digest_of(source.split('(').next().unwrap_or(source))
}

fn colon_line(session: &mut Session<'_>, items: Triple<&Item>, headers: &Triple<Header>) -> String {
    let ours = session.ours.text[headers.ours.below.clone()].to_owned();
    let theirs = session.in_theirs(items, headers.theirs.below.clone());
    let base = session.in_base(items, headers.base.below.clone());
    if theirs == base || ours == theirs {
        return ours;
    }
    if ours == base {
        return theirs;
    }
    let range = |tree: &Tree<'_>, header: &Header| {
        let start = header.rest.first().map_or(header.below.start, |id| tree.node(*id).range.start);
        let end = header.rest.last().map_or(header.below.end, |id| tree.node(*id).range.end);
        start..end
    };
    let rest = Triple {
        base: &*headers.base.rest,
        ours: &*headers.ours.rest,
        theirs: &*headers.theirs.rest,
    };
    let place = range(session.ours, &headers.ours);
    let behind = |tree: &Tree<'_>, header: &Header| {
        tree.text[range(tree, header).end..header.below.end].trim().to_owned()
    };
    let theirs_say_the_same_behind =
        behind(session.theirs, &headers.theirs) == behind(session.base, &headers.base);
    let merged = expression::run(session.sides(items), rest, place.clone());
    match merged {
        Ok(merged) if theirs_say_the_same_behind => {
            let text = session.ours.text;
            [
                &text[headers.ours.below.start..place.start],
                &*merged,
                &text[place.end..headers.ours.below.end],
            ]
            .concat()
        }
        _ => by_line(session, Marked { ours: &ours, base: &base, theirs: &theirs }, items),
    }
}

/// Merges whole lines; what clashes is marked. A clean merge that is no longer Python is one clash.
fn by_line(session: &mut Session<'_>, sides: Marked<'_>, items: Triple<&Item>) -> String {
    let clean = expression::lines_of(sides.base, sides.ours, sides.theirs);
    if let Some(clean) = clean.filter(|clean| is_python(clean)) {
        return clean;
    }
    let is_definition = matches!(items.ours.key, Some(Key::Definition(..)));
    let [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map(lines::split);
    let chunks = lines::chunks(&base, &ours, &theirs);
    let has_clash = chunks.iter().any(|chunk| chunk.change == Change::Clash);
    if !has_clash || base.len() + ours.len() + theirs.len() < 12 && !is_definition {
        return session.conflict(sides, "both sides changed this");
    }
    let mut text = String::new();
    for chunk in chunks {
        match chunk.change {
            Change::Theirs => text.extend(theirs[chunk.theirs].iter().copied()),
            Change::Clash => {
                let [base, ours, theirs] =
                    [&base[chunk.base], &ours[chunk.ours], &theirs[chunk.theirs]]
                        .map(<[&str]>::concat);
                let sides = Marked { ours: &ours, base: &base, theirs: &theirs };
                text.push_str(&session.conflict(sides, "both sides changed this"));
            }
            _ => text.extend(ours[chunk.ours].iter().copied()),
        }
    }
    text
}

/// Whether lines of one depth are Python, a header without its block included.
fn is_python(lines: &str) -> bool {
    let indent = lines.len() - lines.trim_start().len();
    let text = if indent == 0 { lines.to_owned() } else { format!("if 1:\n{lines}") };
    python::parse(&text).is_ok()
        || python::parse(&format!("{text}{} pass\n", &lines[..indent])).is_ok()
}

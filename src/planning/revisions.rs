//! The migration that a changed spec asks for, at the end of the chain of those that a project has.

use crate::disk::{Entry, Root};
use crate::merge::python::syntax;
use crate::state::{self, State};
use crate::{Error, ProjectPath};
use astgen_emitters::spec::Spec;
use astgen_emitters::{Generated, SCHEMA, Schema, later_revision};
use ruff_python_ast::{Expr, Stmt};
use std::collections::BTreeSet;
use std::path::Path;

/// Where the migrations of a project are.
const VERSIONS: &str = "backend/migrations/versions";

/// What a file in there says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Link {
    /// Its identifier.
    revision: String,
    /// The revisions that it comes after.
    parents: Vec<String>,
}

/// The migration that is due; `None` when no table changes, or nothing says what the migrations made so far.
///
/// # Errors
/// When the operating system refuses to read a file.
pub fn next(root: &Root, state: Option<&State>, spec: &Spec) -> Result<Option<Generated>, Error> {
    let Some(before) = schema(root, state)? else { return Ok(None) };
    let links = links(root)?;
    let heads = heads(&links);
    // The tables are made by somebody else.
    if heads.is_empty() {
        return Ok(None);
    }
    let revision = later_revision(&before, &Schema::of(spec), &heads, next_number(&links));
    Ok(revision.map(|revision| revision.file))
}

/// What the migrations made so far: as the project says it, or else as it was generated last.
fn schema(root: &Root, state: Option<&State>) -> Result<Option<Schema>, Error> {
    if let Entry::File(bytes) = root.read(SCHEMA)?
        && let Some(schema) = Schema::parse(&String::from_utf8_lossy(&bytes))
    {
        return Ok(Some(schema));
    }
    let Some(state) = state else { return Ok(None) };
    let path = ProjectPath::parse(SCHEMA).map_err(Error::unsafe_path(SCHEMA))?;
    let texts = state::read_texts(root)?;
    let bases = state.bases(&path);
    let mut schemas = bases.iter().filter_map(|digest| Schema::parse(texts.get(digest)?));
    Ok(schemas.next())
}

fn links(root: &Root) -> Result<Vec<Link>, Error> {
    let folder = Path::new(VERSIONS);
    let names = root.list(folder).into_keys();
    let names = names.filter(|name| Path::new(name).extension().is_some_and(|it| it == "py"));
    let mut links = Vec::new();
    for name in names {
        if let Entry::File(bytes) = root.read(folder.join(name))? {
            links.extend(link(&String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(links)
}

/// What the text of a revision says: `revision = "0002"` and `down_revision = "0001"`, annotated or not.
fn link(text: &str) -> Option<Link> {
    let syntax = syntax(text).ok()?;
    let mut link = Link::default();
    for statement in syntax.body() {
        let (target, value) = match statement {
            Stmt::Assign(assign) => (assign.targets.first(), Some(&*assign.value)),
            Stmt::AnnAssign(assign) => (Some(&*assign.target), assign.value.as_deref()),
            _ => continue,
        };
        let (Some(Expr::Name(target)), Some(value)) = (target, value) else { continue };
        match target.id.as_str() {
            "revision" => link.revision = texts(value).into_iter().next()?,
            "down_revision" => link.parents = texts(value),
            _ => (),
        }
    }
    (!link.revision.is_empty()).then_some(link)
}

fn texts(value: &Expr) -> Vec<String> {
    match value {
        Expr::StringLiteral(text) => vec![text.value.to_str().to_owned()],
        Expr::Tuple(tuple) => tuple.elts.iter().flat_map(texts).collect(),
        Expr::List(list) => list.elts.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The revisions that none comes after: one, or several after git merged two branches, which the next one joins.
fn heads(links: &[Link]) -> Vec<String> {
    let parents: BTreeSet<&String> = links.iter().flat_map(|link| &link.parents).collect();
    let heads: BTreeSet<&String> =
        links.iter().map(|link| &link.revision).filter(|it| !parents.contains(it)).collect();
    heads.into_iter().cloned().collect()
}

/// One more than the largest number that a revision's identifier begins with.
fn next_number(links: &[Link]) -> u32 {
    let number = |link: &Link| {
        let digits: String = link.revision.chars().take(4).collect();
        let is_number = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let ends = link.revision.chars().nth(4).is_none_or(|char| char == '_');
        digits.parse::<u32>().ok().filter(|_| is_number && ends)
    };
    links.iter().filter_map(number).max().unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::{Link, heads, link, next_number};

    fn linked(revision: &str, parents: &[&str]) -> Link {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        Link { revision: revision.to_owned(), parents }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<Link>) {
        assert_eq!(link(text), expected, "{text}");
    }

    #[test]
    fn a_revision_says_what_it_comes_after() {
        check("revision = \"0001\"\ndown_revision = None\n", Some(linked("0001", &[])));
        check("revision = 'b'\ndown_revision = ('a', 'c')\n", Some(linked("b", &["a", "c"])));
        let typed = "revision: str = \"b\"\ndown_revision: str | None = \"a\"\n";
        check(typed, Some(linked("b", &["a"])));
        check("x = 1\n", None);
        check("revision = (\n", None);
    }

    #[test]
    fn a_branch_has_two_heads() {
        let links = [linked("a", &[]), linked("b", &["a"]), linked("c", &["a"])];
        assert_eq!(heads(&links), ["b", "c"]);
        assert_eq!(heads(&links[..2]), ["b"]);
        assert!(heads(&[]).is_empty());
    }

    #[test]
    fn numbers_go_on_and_other_identifiers_do_not_count() {
        let links =
            [linked("0001", &[]), linked("0003_ab12cd34", &[]), linked("99991234abcd", &[])];
        assert_eq!(next_number(&links), 4);
        assert_eq!(next_number(&links[2..]), 1);
    }
}

//! proptest strategies for whole trees: everything that the grammar can say, and nothing else.
//!
//! ```
//! use astgen_pyast::{arbitrary, print};
//! use proptest::prelude::*;
//! proptest!(|(body in arbitrary::module())| prop_assert!(print(&body).ends_with('\n')));
//! ```

mod expression;
mod fstring;
mod literal;
mod pattern;
pub mod shapes;
mod statement;

pub use expression::{expr, target};
pub use pattern::pattern;
pub use statement::{stmt, stmt_without_new_grammar};

use proptest::prelude::*;
use rustpython_ast::{Identifier, Stmt};

/// A module of a few statements.
///
/// ```
/// # use proptest::prelude::*;
/// # use proptest::strategy::ValueTree;
/// # use proptest::test_runner::TestRunner;
/// use astgen_pyast::arbitrary;
/// let tree = arbitrary::module().new_tree(&mut TestRunner::deterministic());
/// assert!(!tree.unwrap().current().is_empty());
/// ```
pub fn module() -> impl Strategy<Value = Vec<Stmt<()>>> {
    prop::collection::vec(stmt(), 1..6)
}

/// Names, soft keywords and names that are not ASCII among them; some are long, so that lines break.
fn identifier() -> impl Strategy<Value = Identifier> {
    let short =
        prop::sample::select(vec!["a", "b", "x1", "_", "match", "case", "type", "naïve", "数"]);
    let long = prop::sample::select(vec![
        "session",
        "organization_id",
        "current_user_membership",
        "a_rather_long_name_for_something_small",
        "an_even_longer_name_that_hardly_leaves_any_room_for_anything_else_on_the_line",
    ]);
    prop_oneof![3 => short, 2 => long].prop_map(Identifier::new)
}

/// Different names, for parameters and keywords.
fn identifiers(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Identifier>> {
    prop::collection::vec(identifier(), count).prop_map(|names| {
        let numbered = names.into_iter().enumerate();
        numbered.map(|(i, name)| Identifier::new(format!("{name}{i}"))).collect()
    })
}

fn maybe<T: std::fmt::Debug + Clone>(
    strategy: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.4, strategy)
}

fn maybe_boxed<T: std::fmt::Debug + Clone>(
    strategy: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<Box<T>>> {
    maybe(strategy.prop_map(Box::new))
}

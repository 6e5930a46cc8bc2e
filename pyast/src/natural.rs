//! The order of names in which `stage_2` stands before `stage_10`, as isort and ruff have it.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// A text that is ordered by its characters, and by their value where both have a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Natural(pub String);

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Natural) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Natural) -> Ordering {
        let (mut left, mut right) = (self.0.chars().peekable(), other.0.chars().peekable());
        loop {
            let order = match (left.peek().copied(), right.peek().copied()) {
                (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                    numbers(&digits(&mut left), &digits(&mut right))
                }
                (Some(a), Some(b)) => {
                    left.next();
                    right.next();
                    a.cmp(&b)
                }
                (a, b) => return a.cmp(&b).then_with(|| self.0.cmp(&other.0)),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> String {
    std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect()
}

/// By value; digits after a leading zero are compared as those of a fraction.
fn numbers(left: &str, right: &str) -> Ordering {
    if left.starts_with('0') || right.starts_with('0') {
        return left.cmp(right);
    }
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str) {
        assert!(Natural(left.to_owned()) < Natural(right.to_owned()), "{left} < {right}");
        assert!(Natural(right.to_owned()) > Natural(left.to_owned()), "{right} > {left}");
    }

    #[test]
    fn numbers_count() {
        check("stage_2", "stage_10");
        check("a", "a1");
        check("a1b", "a1c");
        check("a.b", "a1");
        check("a2", "a_");
        check("b2c10", "b10c2");
        check("a015", "a12");
        check("abc", "abd");
    }
}

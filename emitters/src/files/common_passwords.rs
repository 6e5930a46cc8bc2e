//! `backend/app/core/common_passwords.txt`: the passwords that are tried first.

use crate::{Content, Generated};

/// One a line, in lower case; digits and signs around a word need no line of their own.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

/// The file.
#[must_use]
pub fn emit() -> Generated {
    Generated {
        path: "backend/app/core/common_passwords.txt".to_owned(),
        content: Content::Text(COMMON_PASSWORDS.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_folded() {
        let lines: Vec<&str> = COMMON_PASSWORDS.lines().collect();
        assert!(lines.is_sorted() && COMMON_PASSWORDS == COMMON_PASSWORDS.to_lowercase());
        assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "a line stands there twice");
    }
}

//! Names in SQL that is not made by SQLAlchemy.

/// The words that PostgreSQL reserves: `pg_get_keywords()` with `catcode` R or T, of PostgreSQL 15.
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast \
    check collate collation column concurrently constraint create cross current_catalog \
    current_date current_role current_schema current_time current_timestamp current_user \
    default deferrable desc distinct do else end except false fetch for foreign freeze from \
    full grant group having ilike in initially inner intersect into is isnull join lateral \
    leading left like limit localtime localtimestamp natural not notnull null offset on only \
    or order outer overlaps placing primary references returning right select session_user \
    similar some symmetric table tablesample then to trailing true union unique user using \
    variadic verbose when where window with";

/// A table's name as SQL takes it: in quotes where PostgreSQL reserves the word.
#[must_use]
pub fn identifier(name: &str) -> String {
    match RESERVED.split(' ').any(|word| word == name) {
        true => format!("\"{name}\""),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_stand_in_quotes() {
        assert_eq!(identifier("projects"), "projects");
        assert_eq!(identifier("references"), "\"references\"");
        assert_eq!(RESERVED.split(' ').count(), 100);
    }
}

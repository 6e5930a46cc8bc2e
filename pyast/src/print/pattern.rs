//! Patterns of `match` statements.

use super::expression::{expr, operand};
use super::{CURLY, Doc, PARENTHESES, SQUARE};
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::Precedence;
use rustpython_ast::{
    Constant, Expr, Pattern, PatternMatchAs, PatternMatchClass, PatternMatchMapping,
    PatternMatchOr, PatternMatchSequence, PatternMatchSingleton, PatternMatchStar,
    PatternMatchValue,
};

/// How tightly a pattern binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    As,
    Or,
    Closed,
}

/// The pattern of a case, where an invisible pair of parentheses may be made visible around it.
pub fn case_pattern<R: Annotated>(doc: &mut Doc, pattern: &Pattern<R>) {
    match pattern {
        Pattern::MatchSequence(_)
        | Pattern::MatchMapping(_)
        | Pattern::MatchClass(_)
        | Pattern::MatchStar(_)
        | Pattern::MatchSingleton(_) => self::pattern(doc, pattern),
        Pattern::MatchValue(_) => doc.parens(Parens::BestFit, |doc| self::pattern(doc, pattern)),
        Pattern::MatchAs(_) | Pattern::MatchOr(_) => {
            let parens = if can_omit(pattern) { Parens::Omit } else { Parens::Multiline };
            doc.parens(parens, |doc| self::pattern(doc, pattern));
        }
    }
}

fn pattern<R: Annotated>(doc: &mut Doc, pattern: &Pattern<R>) {
    match pattern {
        Pattern::MatchValue(PatternMatchValue { range, value }) => {
            doc.note(range);
            operand(doc, value, Precedence::Sum);
        }
        Pattern::MatchSingleton(PatternMatchSingleton { range, value }) => {
            doc.note(range);
            doc.text(match value {
                Constant::Bool(true) => "True",
                Constant::Bool(false) => "False",
                Constant::None
                | Constant::Str(_)
                | Constant::Bytes(_)
                | Constant::Int(_)
                | Constant::Tuple(_)
                | Constant::Float(_)
                | Constant::Complex { .. }
                | Constant::Ellipsis => "None",
            });
        }
        Pattern::MatchSequence(PatternMatchSequence { range, patterns }) => {
            doc.note(range);
            if patterns.is_empty() {
                return doc.text("[]");
            }
            doc.bracket(SQUARE, |doc| doc.items(patterns, self::pattern));
        }
        Pattern::MatchMapping(mapping) => self::mapping(doc, mapping),
        Pattern::MatchClass(class) => self::class(doc, class),
        Pattern::MatchStar(PatternMatchStar { range, name }) => {
            doc.note(range);
            doc.text("*");
            doc.text(name.as_deref().unwrap_or("_"));
        }
        Pattern::MatchAs(PatternMatchAs { range, pattern, name }) => {
            doc.note(range);
            if let Some(pattern) = pattern {
                at(doc, pattern, Level::Or);
                doc.text(" as ");
            }
            doc.text(name.as_deref().unwrap_or("_"));
        }
        Pattern::MatchOr(PatternMatchOr { range, patterns }) => {
            doc.note(range);
            doc.group(|doc| {
                for (i, one) in patterns.iter().enumerate() {
                    if i > 0 {
                        doc.line();
                        doc.text("| ");
                    }
                    at(doc, one, Level::Closed);
                }
            });
        }
    }
}

fn at<R: Annotated>(doc: &mut Doc, pattern: &Pattern<R>, min: Level) {
    let level = match pattern {
        Pattern::MatchAs(PatternMatchAs { pattern: Some(_), .. }) => Level::As,
        Pattern::MatchOr(_) => Level::Or,
        Pattern::MatchAs(_)
        | Pattern::MatchValue(_)
        | Pattern::MatchSingleton(_)
        | Pattern::MatchSequence(_)
        | Pattern::MatchMapping(_)
        | Pattern::MatchClass(_)
        | Pattern::MatchStar(_) => Level::Closed,
    };
    if level < min {
        doc.bracket(PARENTHESES, |doc| self::pattern(doc, pattern));
    } else {
        self::pattern(doc, pattern);
    }
}

/// `{key: pattern, **rest}`
fn mapping<R: Annotated>(doc: &mut Doc, mapping: &PatternMatchMapping<R>) {
    let PatternMatchMapping { range, keys, patterns, rest } = mapping;
    doc.note(range);
    if patterns.is_empty() && rest.is_none() {
        return doc.text("{}");
    }
    let items = keys.iter().zip(patterns).map(Some).chain(rest.iter().map(|_| None));
    doc.bracket(CURLY, |doc| {
        doc.items(items, |doc, item| match item {
            Some((key, pattern)) => doc.group(|doc| {
                expr(doc, key);
                doc.text(": ");
                self::pattern(doc, pattern);
            }),
            None => {
                doc.text("**");
                doc.text(rest.as_deref().unwrap_or("_"));
            }
        });
    });
}

/// `Class(pattern, name=pattern)`
fn class<R: Annotated>(doc: &mut Doc, class: &PatternMatchClass<R>) {
    let PatternMatchClass { range, cls, patterns, kwd_attrs, kwd_patterns } = class;
    doc.note(range);
    expr(doc, cls);
    if patterns.is_empty() && kwd_patterns.is_empty() {
        return doc.text("()");
    }
    let keywords = kwd_attrs.iter().map(Some).zip(kwd_patterns);
    let items = patterns.iter().map(|pattern| (None, pattern)).chain(keywords);
    doc.bracket(PARENTHESES, |doc| {
        doc.group(|doc| {
            doc.items(items, |doc, (name, pattern)| {
                if let Some(name) = name {
                    doc.text(name);
                    doc.text("=");
                }
                self::pattern(doc, pattern);
            });
        });
    });
}

/// Whether exploding the brackets of `pattern` can stand in for parentheses around it.
fn can_omit<R>(pattern: &Pattern<R>) -> bool {
    match pattern {
        Pattern::MatchOr(PatternMatchOr { patterns, .. }) => {
            patterns.len() == 2
                && (patterns.first().is_some_and(has_brackets)
                    || patterns.last().is_some_and(has_brackets))
        }
        Pattern::MatchAs(PatternMatchAs { pattern: Some(pattern), .. }) => has_brackets(pattern),
        _ => false,
    }
}

fn has_brackets<R>(pattern: &Pattern<R>) -> bool {
    match pattern {
        Pattern::MatchSequence(PatternMatchSequence { patterns, .. }) => !patterns.is_empty(),
        Pattern::MatchMapping(PatternMatchMapping { patterns, rest, .. }) => {
            !patterns.is_empty() || rest.is_some()
        }
        Pattern::MatchClass(PatternMatchClass { patterns, kwd_patterns, .. }) => {
            !patterns.is_empty() || !kwd_patterns.is_empty()
        }
        Pattern::MatchValue(PatternMatchValue { value, .. }) => {
            matches!(**value, Expr::Call(_))
        }
        _ => false,
    }
}

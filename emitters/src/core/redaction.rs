//! `backend/app/core/redaction.py`: what a log must not tell: secrets, and who people are.

use crate::python::builtins::str;
use crate::python::standard::re;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.redaction": HIDDEN, BEHIND, REFUSED_ROW, REFUSED_VALUE, URL_ACCOUNT, NAMED_SECRET, ADDRESS, RANDOM,
        KNOWN_SECRET, RULES, redact;
}

/// A name of a secret, and what stands between it and its value.
const NAME: &str =
    r#"((?:password|secret|token|authorization|cookie|api_?key)[\w-]*["']?\s*[=:]\s*)"#;

/// The value of a secret: with the scheme of HTTP's header, in quotation marks, or up to the next mark.
const VALUE: &str = r#"(?:Bearer\s+\S+|"[^"]*"|'[^']*'|[^\s"'&,;)}\]]+)"#;

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.redaction")
        .docstring("What a log must not tell: secrets, and who people are.")
        .body(block![
            assign(HIDDEN, "[hidden]"),
            assign(BEHIND, py!(f!("\\1{}", HIDDEN)))
                .comment("What is hidden is what follows the first group."),
            pattern(REFUSED_ROW, "(DETAIL: ).*")
                .comment("What a database says of a row that it refuses."),
            assign(REFUSED_VALUE, py!(re.compile("(input_value=).*?(?=, input_type=)", re.DOTALL)))
                .comment("What Pydantic says of a value that it refuses."),
            pattern(URL_ACCOUNT, r"(://)[^\s/@]+(?=@)").comment("postgresql://role:password@host"),
            assign(NAMED_SECRET, py!(re.compile({ format!("{NAME}{VALUE}") }, re.IGNORECASE)))
                .comment("password=…, \"token\": …, Authorization: Bearer …"),
            pattern(ADDRESS, r#"[^\s@<>()\[\]{}"',;:=]+@[\w-]+(?:\.[\w-]+)+"#),
            pattern(RANDOM, r"(?<![\w-])(?=[a-z_-]*[A-Z0-9])[\w-]{40,}")
                .comment("Tokens and digests are long and random; names of ours are not."),
            pattern(KNOWN_SECRET, r"\b(?:(?:sk|rk|whsec)_\w+|eyJ[\w-]+\.[\w-]+\.[\w-]+)")
                .comment("Those that tell what they are, and tokens that are JSON."),
            assign(
                RULES,
                py!((
                    (REFUSED_ROW, BEHIND),
                    (REFUSED_VALUE, BEHIND),
                    (URL_ACCOUNT, BEHIND),
                    (NAMED_SECRET, BEHIND),
                    (ADDRESS, "[email]"),
                    (RANDOM, HIDDEN),
                    (KNOWN_SECRET, HIDDEN)
                ))
            )
            .paragraph(),
            redact_def()
        ])
}

fn pattern(constant: Import, pattern: &str) -> Stmt {
    assign(constant, py!(re.compile(pattern)))
}

fn redact_def() -> FunctionDef {
    names!(text, pattern, stays);
    def(redact).params([param(text, str)]).returns(str).body(block![
        docstring("Hide what looks like a secret, or like somebody's address."),
        for_(py!((pattern, stays)), RULES, [assign(text, py!(pattern.sub(stays, text)))]),
        return_(text)
    ])
}

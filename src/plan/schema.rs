//! The JSON Schema of `plan.json`.

use serde_json::{Value, json};

/// The schema, for editors and for tools that write plans.
#[must_use]
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plan.json of astgen",
        "description": "What a regeneration wants to do, file by file. Only `actions` is needed, and in an action only `type`, `path` and the text.",
        "type": "object",
        "required": ["actions"],
        "properties": {
            "version": { "const": super::VERSION, "description": "The version of this format." },
            "generator": { "type": "string", "description": "The astgen that made the plan." },
            "project": { "type": "string", "description": "The name of the project." },
            "spec": { "type": "string", "description": "The digest of the resolved spec." },
            "tree": { "$ref": "#/$defs/digest", "description": "Of all generated paths and their digests." },
            "actions": { "type": "array", "items": { "$ref": "#/$defs/action" } },
            "settled": { "type": "array", "items": { "$ref": "#/$defs/settled" } },
        },
        "$defs": {
            "action": action(),
            "settled": settled(),
            "definition": definition(),
            "conflict": conflict(),
            "path": path(),
            "digest": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$", "description": "SHA-256." },
        },
    })
}

fn action() -> Value {
    let has_text =
        json!({ "anyOf": [{ "required": ["content"] }, { "required": ["new_content"] }] });
    json!({
        "type": "object",
        "required": ["type", "path"],
        "properties": {
            "type": {
                "enum": ["create", "update", "merge", "conflict", "delete"],
                "description": "create: the file does not exist. update: it is still what was generated. merge: it was edited, and what is new lands in it. conflict: a person has to decide; the file stays, and `<path>.new` shows what clashes. delete: it is no longer generated and was not edited.",
            },
            "path": { "$ref": "#/$defs/path" },
            "generated_path": { "$ref": "#/$defs/path", "description": "Where the file is generated, when people moved it to `path`." },
            "reason": { "type": "string" },
            "base": { "$ref": "#/$defs/digest", "description": "Of what was generated last." },
            "ours": { "$ref": "#/$defs/digest", "description": "Of the file as the plan saw it. Another file is not touched: the plan is stale." },
            "theirs": { "$ref": "#/$defs/digest", "description": "Of what is generated now." },
            "content": { "type": "string", "description": "The file's new text." },
            "new_content": { "type": "string", "description": "Of a conflict: the text of `<path>.new`." },
            "generated": { "type": "string", "description": "What is generated now, where that is not the new text." },
            "definitions": { "type": "array", "items": { "$ref": "#/$defs/definition" } },
            "conflicts": { "type": "array", "items": { "$ref": "#/$defs/conflict" } },
        },
        "if": { "properties": { "type": { "enum": ["create", "update", "merge"] } } },
        "then": has_text,
    })
}

fn settled() -> Value {
    json!({
        "description": "A file that stays as it is although other text is generated for it now.",
        "type": "object",
        "required": ["path"],
        "properties": {
            "path": { "$ref": "#/$defs/path" },
            "moved_to": { "$ref": "#/$defs/path" },
            "reason": { "type": "string" },
            "generated": { "type": "string" },
        },
    })
}

fn definition() -> Value {
    json!({
        "description": "What happens to a definition of a Python file.",
        "type": "object",
        "required": ["definition", "kind", "change"],
        "properties": {
            "definition": { "type": "string", "description": "Its qualified name." },
            "kind": { "enum": ["route", "function", "method", "class", "column", "field", "variable", "imports", "statements"] },
            "change": { "enum": ["added", "removed", "changed", "merged", "kept", "clash"] },
            "details": { "type": "array", "items": { "type": "string" } },
        },
    })
}

fn conflict() -> Value {
    json!({
        "description": "A clash.",
        "type": "object",
        "required": ["line", "reason"],
        "properties": {
            "definition": { "type": ["string", "null"], "description": "The definition that it is in." },
            "line": { "type": "integer", "minimum": 1, "description": "The line of its first marker in `<path>.new`." },
            "reason": { "type": "string" },
        },
    })
}

fn path() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 4096,
        "pattern": "^(?!/)(?!.*(^|/)\\.{1,2}(/|$))(?!.*//)[^\\\\:\\x00-\\x1f]*[^/]$",
        "description": "Relative to the project's folder, with `/`; never out of it.",
    })
}

//! `backend/app/core/file_types.py`: the files that are taken: how large, of which types, and how each type
//! begins.

use crate::python::builtins::{UnicodeDecodeError, bool, bytes as BYTES, str};
use crate::python::standard::{StrEnum, getincrementaldecoder, quote, re, unicodedata};
use crate::spec::{self, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.file_types": MAX_FILE_BYTES, MAX_NAME_LENGTH, START_BYTES, FOLDER, NOT_PLAIN,
        FileType, STARTS, begins_like, is_text, display_name, attachment;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let docstring =
        "The files that are taken: how large, of which types, and how each type begins.";
    module("app.core.file_types").docstring(docstring).body(block![
        assign(MAX_FILE_BYTES, spec.storage.max_file_size),
        assign(MAX_NAME_LENGTH, 255),
        assign(START_BYTES, 1_024).comment("How much of a file tells what it is."),
        assign(FOLDER, py!(re.compile("[/\\\\]"))),
        assign(NOT_PLAIN, py!(re.compile("[^A-Za-z0-9 ._-]"))),
        file_type_class(),
        starts(),
        begins_like_def(),
        is_text_def(),
        display_name_def(),
        attachment_def()
    ])
}

/// The member of the enum: `FileType.PNG`.
#[must_use]
pub fn member(file_type: spec::FileType) -> Expr {
    FileType.attr(constant(file_type))
}

fn constant(file_type: spec::FileType) -> Name {
    names!(PNG, JPEG, GIF, WEBP, PDF, ZIP, MP4, MP3, TEXT, CSV, JSON);
    match file_type {
        spec::FileType::Png => PNG,
        spec::FileType::Jpeg => JPEG,
        spec::FileType::Gif => GIF,
        spec::FileType::WebP => WEBP,
        spec::FileType::Pdf => PDF,
        spec::FileType::Zip => ZIP,
        spec::FileType::Mp4 => MP4,
        spec::FileType::Mp3 => MP3,
        spec::FileType::Text => TEXT,
        spec::FileType::Csv => CSV,
        spec::FileType::Json => JSON,
    }
}

/// A regular expression for the first bytes; `None` is text.
fn start(file_type: spec::FileType) -> Option<Expr> {
    let begins = |start: &[u8]| {
        let start = bytes(start);
        Some(py!(re.compile(start)))
    };
    // Any four bytes are a size.
    let begins_with_size = |start: &[u8]| {
        let start = bytes(start);
        Some(py!(re.compile(start, re.DOTALL)))
    };
    match file_type {
        spec::FileType::Png => begins(b"\x89PNG\r\n\x1a\n"),
        spec::FileType::Jpeg => begins(b"\xff\xd8\xff"),
        spec::FileType::Gif => begins(b"GIF8[79]a"),
        spec::FileType::WebP => begins_with_size(b"RIFF.{4}WEBP"),
        spec::FileType::Pdf => begins(b"%PDF-"),
        spec::FileType::Zip => begins(b"PK(\x03\x04|\x05\x06)"),
        spec::FileType::Mp4 => begins_with_size(b".{4}ftyp"),
        spec::FileType::Mp3 => begins(b"ID3|\xff[\xe0-\xff]"),
        spec::FileType::Text | spec::FileType::Csv | spec::FileType::Json => None,
    }
}

fn file_type_class() -> ClassDef {
    let members = spec::FileType::ALL.map(|one| assign(constant(one), one.media_type()));
    class(FileType).base(StrEnum).body(block![
        docstring("The media types that are taken; none that a browser would run is among them."),
        members
    ])
}

fn starts() -> Stmt {
    let starts = spec::FileType::ALL.into_iter().filter_map(|one| Some((member(one), start(one)?)));
    assign(STARTS, dict(starts)).comment("A type that is not among these is text.")
}

fn begins_like_def() -> FunctionDef {
    names!(content_type, start, pattern);
    def(begins_like).params([param(content_type, str), param(start, BYTES)]).returns(bool).body(
        block![
            docstring("Tell whether the first bytes of a file are those of its type."),
            assign(pattern, py!(STARTS.get(FileType(content_type)))),
            return_(py!(if pattern == None {
                is_text(start)
            } else {
                pattern.r#match(start) != None
            }))
        ],
    )
}

fn is_text_def() -> FunctionDef {
    names!(start, text);
    def(is_text).params([param(start, BYTES)]).returns(bool).body(block![
        docstring("Tell whether bytes are text in UTF-8, of which the end may be cut off."),
        try_([assign(text, py!(getincrementaldecoder("utf-8")().decode(start)))])
            .except(UnicodeDecodeError, [return_(false)]),
        return_(py!(not_in!("\0", text)))
    ])
}

fn display_name_def() -> FunctionDef {
    names!(name, last, visible);
    def(display_name).params([param(name, str)]).returns(str).body(block![
        docstring("Make the name of a file harmless to show: no folder, and nothing invisible."),
        assign(last, py!(FOLDER.split(unicodedata.normalize("NFC", name))[-1])),
        assign(
            visible,
            py!("".join(generator!(one for one in last if unicodedata.category(one)[0] != "C")))
        ),
        return_(py!(visible[..MAX_NAME_LENGTH].strip(" .") || "file"))
    ])
}

fn attachment_def() -> FunctionDef {
    names!(name, plain);
    def(attachment).params([param(name, str)]).returns(str).body(block![
        docstring("Write the header that has a browser save a file and never show it (RFC 6266)."),
        assign(plain, py!(NOT_PLAIN.sub("_", name))),
        return_(py!(f!(
            "attachment; filename=\"{}\"; filename*=UTF-8''{}",
            plain,
            quote(name, safe = "")
        )))
    ])
}

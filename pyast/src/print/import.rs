//! Import statements.

use super::Doc;
use crate::annotation::Annotated;
use crate::layout::Parens;
use rustpython_ast::{Alias, StmtImport, StmtImportFrom};

/// `import a, b as c`, which has no place to break.
pub fn import<R: Annotated>(doc: &mut Doc, import: &StmtImport<R>) {
    let StmtImport { range: _, names } = import;
    doc.text("import ");
    doc.frozen(|doc| {
        doc.joined(names, alias);
    });
}

/// `from .a import b, c as d`
pub fn import_from<R: Annotated>(doc: &mut Doc, import: &StmtImportFrom<R>) {
    let StmtImportFrom { range: _, module, names, level } = import;
    doc.text("from ");
    for _ in 0..level.map_or(0, |level| level.to_u32()) {
        doc.text(".");
    }
    doc.text(module.as_deref().unwrap_or_default());
    doc.text(" import ");
    match names.as_slice() {
        [star] if star.name.as_str() == "*" => alias(doc, star),
        _ => doc.parens(Parens::Multiline, |doc| {
            doc.joined(names, alias);
            doc.comma();
        }),
    }
}

fn alias<R: Annotated>(doc: &mut Doc, alias: &Alias<R>) {
    let Alias { range, name, asname } = alias;
    doc.note(range);
    doc.text(name);
    if let Some(asname) = asname {
        doc.text(" as ");
        doc.text(asname);
    }
}

//! `backend/schemathesis.toml`: what schemathesis is to know before it calls the interface.

use super::toml_document::{explained, table, tables};
use crate::spec::Spec;
use crate::{Content, Generated};
use toml_edit::{Array, DocumentMut, Item, value};

/// What schemathesis expects of a valid request, of one that is not, and of one without a header that it needs.
const ACCEPTED: [i64; 5] = [401, 403, 404, 409, 429];
const REFUSED: [i64; 11] = [400, 401, 403, 404, 405, 406, 409, 415, 422, 428, 429];
const MISSED: [i64; 6] = [400, 401, 403, 406, 415, 422];

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let mut document = DocumentMut::new();
    document.insert("hooks", value("tests.openapi_hooks"));
    document.insert("continue-on-failure", value(true));
    document.insert("cache", table([("enabled", value(false))]));
    document.insert("generation", table([("database", value("none"))]));
    document.insert("checks", checks(spec));
    Generated {
        path: "backend/schemathesis.toml".to_owned(),
        content: Content::Text(document.to_string()),
    }
}

/// No check is switched off. What HTTP has a status of its own for is an answer like the others.
fn checks(spec: &Spec) -> Item {
    let paid = spec.billing.as_ref().map(|_| 402);
    let changed = (!spec.entities.is_empty()).then_some(412);
    let unnamed = spec.entities.iter().any(|entity| entity.requires_if_match).then_some(428);
    let accepted = (paid.is_some() || changed.is_some()).then(|| {
        let reason = match (paid, changed) {
            (Some(_), Some(_)) => "It can be valid before it is paid for, and too late.",
            (Some(_), None) => "It can be valid before it is paid for.",
            (None, _) => "It can be valid and too late.",
        };
        let more = paid.into_iter().chain(changed);
        ("positive_data_acceptance", expected(&["2XX", "3XX", "5XX"], ACCEPTED, more, reason))
    });
    let refused = paid.map(|status| {
        let reason = "Who has not paid is told so first.";
        ("negative_data_rejection", expected(&["5XX"], REFUSED, [status], reason))
    });
    let missed = unnamed.map(|status| {
        let reason = "RFC 6585 has a status of its own for a change that names no version.";
        ("missing_required_header", expected(&[], MISSED, [status], reason))
    });
    tables(accepted.into_iter().chain(refused).chain(missed))
}

/// The table of a check whose defaults do not know some statuses.
fn expected(
    classes: &[&str],
    known: impl IntoIterator<Item = i64>,
    more: impl IntoIterator<Item = i64>,
    reason: &str,
) -> Item {
    let mut statuses: Array = known.into_iter().chain(more).collect();
    statuses.extend(classes.iter().copied());
    explained(table([("expected-statuses", value(statuses))]), reason)
}

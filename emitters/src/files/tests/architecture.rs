use super::super::architecture::architecture;
use super::super::markdown::Block;
use super::super::mermaid::{Diagram, Flowchart, Part};
use super::*;
use crate::spec::{EmailBackend, JobsBackend, StorageBackend};

fn drawn(spec: &Spec) -> Flowchart {
    match architecture(spec) {
        Block::Diagram(Diagram::Flowchart(flowchart)) => flowchart,
        other => panic!("{other:?} is no flowchart"),
    }
}

fn nodes(parts: &[Part]) -> Vec<&'static str> {
    let nodes = parts.iter().flat_map(|part| match part {
        Part::Node(node) => vec![node.name.as_str()],
        Part::Group(group) => nodes(&group.parts),
    });
    nodes.collect()
}

/// What is drawn of acme and no longer without a part of it.
#[track_caller]
fn check_only_with(switch_off: fn(&mut Spec), expected: &[&str]) {
    let (with, mut without) = (acme(), acme());
    switch_off(&mut without);
    let (with, without) = (drawn(&with), drawn(&without));
    let left = nodes(&without.parts);
    let gone = nodes(&with.parts).into_iter().filter(|node| !left.contains(node));
    assert_eq!(gone.collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_off_is_not_drawn() {
    check_only_with(|spec| spec.billing = None, &["stripe"]);
    check_only_with(|spec| spec.observability.metrics = false, &["prometheus"]);
    check_only_with(|spec| spec.jobs.backend = JobsBackend::Inline, &["redis"]);
    check_only_with(|spec| spec.storage.backend = StorageBackend::Off, &["files"]);
    check_only_with(|spec| spec.email.backend = EmailBackend::Console, &["smtp"]);
    check_only_with(|spec| spec.webhooks.enabled = false, &["endpoints"]);
}

#[test]
fn links_join_what_is_drawn() {
    for spec in [acme(), minimal()] {
        let flowchart = drawn(&spec);
        let nodes = nodes(&flowchart.parts);
        for link in &flowchart.links {
            assert!(
                nodes.contains(&link.from.as_str()) && nodes.contains(&link.to.as_str()),
                "{link:?}"
            );
        }
    }
}

#[test]
fn only_a_bucket_takes_signed_requests() {
    let mut spec = acme();
    spec.storage.backend = StorageBackend::Local;
    let is_direct = |spec: &Spec| {
        drawn(spec).links.iter().any(|it| it.label.as_deref() == Some("signed requests"))
    };
    assert!(is_direct(&acme()) && !is_direct(&spec));
}

#[test]
fn row_level_security_is_written_into_the_database() {
    let mut spec = acme();
    spec.tenancy.row_level_security = false;
    assert!(format!("{:?}", drawn(&acme())).contains("row-level security"));
    assert!(!format!("{:?}", drawn(&spec)).contains("row-level security"));
}

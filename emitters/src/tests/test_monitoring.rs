//! `backend/tests/test_monitoring.py`: the dashboard and the alerts ask for what the application measures.

use crate::core::metrics::Metrics;
use crate::core::request_labels::route_templates;
use crate::python::builtins::{any, list, set, str, tuple};
use crate::python::prometheus::Sample;
use crate::python::pytest::pytest;
use crate::python::standard::{json, re};
use crate::services::backlog::read_backlog;
use crate::spec::Spec;
use crate::tests::servers::BACKEND;
use crate::tests::world::{World, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_monitoring": DEPLOY, WORD, OPERATORS, OF_PROMETHEUS, expressions, labels_of,
        metrics_of, samples;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_monitoring")
        .docstring("The dashboard and the alerts ask for what the application measures.")
        .body(block![
            assign(DEPLOY, py!(BACKEND.parent / "deploy")),
            assign(WORD, py!(re.compile("\\b[a-z_]+\\b(?! *\\()"))),
            assign(OPERATORS, py!(set!("or"))),
            assign(OF_PROMETHEUS, py!([Sample("up", dict!("job" => "", "instance" => ""), 1)])),
            expressions_def(),
            labels_of_def(),
            metrics_of_def(),
            samples_def(spec.webhooks.enabled),
            test_what_is_asked_for_is_measured(),
            test_what_is_chosen_is_there(),
            test_every_metric_is_on_the_dashboard()
        ])
}

fn expressions_def() -> FunctionDef {
    names!(dashboard, drawn, alerts, rules);
    def(expressions).returns(py!(list[str])).body(block![
        docstring("Read what the dashboard and the alerts ask."),
        assign(
            dashboard,
            py!(json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding = "utf-8")))
        ),
        assign(
            drawn,
            py!(list!(target["expr"] for panel in dashboard["panels"] for target in panel["targets"]))
        ),
        assign(
            alerts,
            py!((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding = "utf-8"))
        ),
        ann_assign(
            rules,
            py!(list[str]),
            py!(re.findall("^ *expr: (.+)$", alerts, re.MULTILINE))
        ),
        return_(py!([
            *drawn,
            *list!(if rule.startswith("\"") { json.loads(rule) } else { rule } for rule in rules)
        ]))
    ])
}

fn labels_of_def() -> FunctionDef {
    names!(expression, named, group);
    def(labels_of).params([param(expression, str)]).returns(py!(set[str])).body(block![
        docstring("Return the labels that an expression names."),
        ann_assign(named, py!(set[str]), py!(set(re.findall("([a-z_]+)=~?\"", expression)))),
        for_(
            group,
            py!(re.findall("\\bby \\(([^)]*)\\)", expression)),
            [do_(py!(named.update(generator!(label.strip() for label in group.split(",")))))]
        ),
        return_(named)
    ])
}

fn metrics_of_def() -> FunctionDef {
    names!(expression, bare);
    def(metrics_of).params([param(expression, str)]).returns(py!(set[str])).body(block![
        docstring("Return the metrics that an expression asks for: words that are nothing else."),
        assign(bare, py!(re.sub("\\bby \\([^)]*\\)|\\{[^}]*\\}|\\[[^\\]]*\\]", "", expression))),
        return_(py!(set(WORD.findall(bare)) - OPERATORS))
    ])
}

fn samples_def(has_webhooks: bool) -> FunctionDef {
    names!(world, metrics, waiting);
    async_def(samples).params([param(world, World)]).returns(py!(list[Sample])).body(block![
        docstring("Return all that is measured once requests were answered and a job has run."),
        do_(py!(world.sign_up("ada@example.com").await)),
        do_(py!(world.app.state.dispatcher.drain().await)),
        do_(py!(world.http.get("/health/live").await)),
        do_(py!(world.http.get("/nowhere").await)),
        ann_assign(metrics, Metrics, py!(world.app.state.metrics)),
        has_webhooks.then(|| do_(py!(metrics.work.deliveries.labels("accepted")))),
        assign(waiting, py!(read_backlog(world.database).await)),
        return_(py!(list!(sample
            for family in [*metrics.registry.collect(), *waiting.collect()]
            for sample in family.samples)))
    ])
}

fn test_what_is_asked_for_is_measured() -> FunctionDef {
    names!(world, expression, found, asked_for, metric, labels);
    world_test("test_what_is_asked_for_is_measured")
        .params([param(expression, str)])
        .decorator(py!(pytest.mark.parametrize("expression", expressions())))
        .body(block![
            assign(found, py!([*samples(world).await, *OF_PROMETHEUS])),
            assign(asked_for, py!(metrics_of(expression))),
            assert_(asked_for),
            for_(
                metric,
                asked_for,
                block![
                    assign(
                        labels,
                        py!(
                            list!(sample.labels.keys() for sample in found if sample.name == metric)
                        )
                    ),
                    assert_that(labels, metric),
                    assert_(py!(labels_of(expression) <= set(labels[0])))
                ]
            )
        ])
}

fn test_what_is_chosen_is_there() -> FunctionDef {
    names!(world, expression, routes, chosen, found, label, value);
    world_test("test_what_is_chosen_is_there")
        .params([param(expression, str)])
        .decorator(py!(pytest.mark.parametrize("expression", expressions())))
        .body(block![
            assign(routes, py!(set(route_templates(world.app).values()))),
            assign(found, py!(samples(world).await)),
            ann_assign(
                chosen,
                py!(list[tuple[(str, str)]]),
                py!(re.findall("([a-z_]+)=\"([^\"]*)\"", expression))
            ),
            for_(
                py!((label, value)),
                chosen,
                if_(py!(label == "route"), [assert_(py!(in_!(value, routes)))]).elif(
                    py!(label == "status"),
                    [assert_(py!(any(
                        generator!(sample.labels.get(label) == value for sample in found)
                    )))]
                )
            )
        ])
}

fn test_every_metric_is_on_the_dashboard() -> FunctionDef {
    names!(world, asked_for, metrics, waiting, family);
    world_test("test_every_metric_is_on_the_dashboard").body(block![
        ann_assign(metrics, Metrics, py!(world.app.state.metrics)),
        assign(waiting, py!(read_backlog(world.database).await)),
        assign(asked_for, py!(" ".join(expressions()))),
        for_(
            family,
            py!([*metrics.registry.collect(), *waiting.collect()]),
            [assert_(py!(in_!(family.name, asked_for)))]
        )
    ])
}

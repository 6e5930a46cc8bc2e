//! `README.md`: what the project is, and how it is built again.

use super::architecture::architecture;
use super::markdown::{Block, code, commands, heading, paragraph, print, text};
use crate::spec::{DeployTarget, EmailBackend, Payer, Spec};
use crate::{Content, Generated};

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let document: Vec<Block> =
        [about(spec), run(), deploy(spec), parts(spec), layout(spec), regenerate()].concat();
    Generated { path: "README.md".to_owned(), content: Content::Text(print(&document)) }
}

fn about(spec: &Spec) -> Vec<Block> {
    let description = spec.project.description.as_str();
    let description = (!description.is_empty()).then(|| paragraph([text(description)]));
    let paid = match spec.billing.as_ref().map(|billing| billing.payer) {
        Some(Payer::Organization) => " Organizations pay by subscription, through Stripe.",
        Some(Payer::User) => {
            " Users pay by subscription, through Stripe, for the organizations that they own."
        }
        None => "",
    };
    let kept = "What an organization keeps is invisible to every other.";
    let what = "A backend for many organizations, in FastAPI: people register, found organizations \
                and invite others into them.";
    let mut about = vec![heading(1, &spec.project.title)];
    about.extend(description);
    about.push(paragraph([text(format!("{what} {kept}{paid}"))]));
    about
}

fn run() -> Vec<Block> {
    vec![
        heading(2, "Run it"),
        paragraph([
            text(
                "One command makes the environment, migrates, adds an owner, serves on port 8000 and signs ",
            ),
            text("the owner in. Python is all that it needs; what is there already stays."),
        ]),
        commands(["python3 tools/day_one.py"]),
        paragraph([
            text("Then "),
            code("/docs"),
            text(" describes every route. More is in "),
            code("backend/README.md"),
            text(": tests, settings, entities, roles. By hand, the product is looked after with:"),
        ]),
        commands(["python3 tools/manage.py --help"]),
    ]
}

fn deploy(spec: &Spec) -> Vec<Block> {
    let mut deploy = vec![
        heading(2, "Run it in containers"),
        paragraph([text(
            "With everything that it talks to, for development; the server is on port 8000:",
        )]),
        commands(["docker compose up --build"]),
    ];
    if spec.email.backend == EmailBackend::Smtp {
        deploy.push(paragraph([text("The mails that it sends are shown on port 8025.")]));
    }
    if !spec.deploy.targets.is_empty() {
        let platforms = spec.deploy.targets.iter().map(|target| match target {
            DeployTarget::Fly => "fly.io",
            DeployTarget::Render => "render.com",
        });
        let platforms = platforms.collect::<Vec<_>>().join(" and ");
        let targets = spec.deploy.targets.iter().map(|target| match target {
            DeployTarget::Fly => "python3 tools/deploy.py fly",
            DeployTarget::Render => "python3 tools/deploy.py render",
        });
        deploy.extend([
            heading(2, "Deploy it"),
            paragraph([
                text(format!(
                    "There are files for {platforms}. What a deployment would run is shown by "
                )),
                text("these commands, and run with "),
                code("--run"),
                text(":"),
            ]),
            commands(targets),
        ]);
        deploy.extend(spec.deploy.targets.iter().map(|&target| settings_on(target, spec)));
    }
    deploy
}

/// How a deployment gets its settings.
fn settings_on(target: DeployTarget, spec: &Spec) -> Block {
    match target {
        DeployTarget::Fly => paragraph([
            text(
                "For fly.io, the settings in the environment of that command go into the secrets ",
            ),
            text("of the app, but those that "),
            code("fly.toml"),
            text(
                " and the image fix. Secrets that nobody has to know are made if the app lacks them.",
            ),
        ]),
        DeployTarget::Render => paragraph([
            text(
                "For render.com, the blueprint asks for what only you know. Any other setting goes ",
            ),
            text("into the group "),
            code(format!("{}-settings", spec.project.name)),
            text(", which every service reads."),
        ]),
    }
}

fn parts(spec: &Spec) -> Vec<Block> {
    vec![heading(2, "Architecture"), architecture(spec)]
}

fn layout(spec: &Spec) -> Vec<Block> {
    let row = |path: &str, what: &str| vec![vec![code(path)], vec![text(what)]];
    vec![
        heading(2, "Layout"),
        Block::Table(
            vec!["Path", "What it is"],
            [
                row("backend/", "The application, its migrations and its tests."),
                row(".astgen/manifest.json", "What was generated, to tell it from later edits."),
                row("tools/", "Scripts that need nothing but Python."),
                row("Dockerfile", "The image of the server and of its workers."),
                row("compose.yaml", "The product with a database and the rest, in containers."),
                row(".github/workflows/unit.yml", "What is checked before a change comes in."),
                row(".pre-commit-config.yaml", "What is checked before a commit."),
            ]
            .into_iter()
            .chain(
                spec.observability
                    .metrics
                    .then(|| row("deploy/", "What Prometheus and Grafana make of the metrics.")),
            )
            .chain(spec.deploy.targets.iter().map(|target| match target {
                DeployTarget::Fly => row("fly.toml", "The product on fly.io."),
                DeployTarget::Render => row("render.yaml", "The product on render.com."),
            }))
            .collect(),
        ),
    ]
}

fn regenerate() -> Vec<Block> {
    vec![
        heading(2, "Change it"),
        paragraph([
            text("The project was generated by astgen from "),
            code("astgen.toml"),
            text(". Keep that file in this folder, change it and build again:"),
        ]),
        commands(["astgen build astgen.toml --out .", "astgen apply-plan . --apply"]),
        paragraph([text(
            "Edit the generated files as you like: a build never overwrites what was edited.",
        )]),
    ]
}

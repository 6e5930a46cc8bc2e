//! `backend/README.md`: how to run, test and change the backend, and what is in it.

use super::entity_diagram::{Picture, picture};
use super::facts::{entities, plans, roles, settings};
use super::markdown::{Block, Inline, code, codes, commands, heading, paragraph, print, text};
use crate::core::settings::required_in_production;
use crate::services::file_reference;
use crate::spec::{AuthMode, MetricsAccess, Spec};
use crate::{Content, Generated};

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let title = vec![heading(1, format!("{}: the backend", spec.project.title))];
    let document: Vec<Block> = [
        title,
        run(spec),
        production(spec),
        test(),
        layout(),
        what_is_kept(spec),
        who_may(spec),
        cookies(spec),
        keys(spec),
        files(spec),
        webhooks(spec),
        what_is_sold(spec),
        logs(spec),
        metrics(spec),
        traces(spec),
        settings_section(spec),
        migrate(),
    ]
    .concat();
    Generated { path: "backend/README.md".to_owned(), content: Content::Text(print(&document)) }
}

fn run(spec: &Spec) -> Vec<Block> {
    vec![
        heading(2, "Run it"),
        paragraph([
            text("Python "),
            code(spec.project.python.as_str()),
            text(" or newer is all that is needed; the database is a file of SQLite."),
        ]),
        commands([
            "python3 -m venv .venv",
            ". .venv/bin/activate",
            "pip install --require-hashes -r requirements.txt",
            "alembic upgrade head",
            "uvicorn --factory app.main:create_app --reload",
        ]),
        paragraph([
            text("The server listens on port 8000, and "),
            code("/docs"),
            text(" describes every route. Mail goes to the log, with the token that it carries."),
        ]),
    ]
}

fn production(spec: &Spec) -> Vec<Block> {
    let mut production = vec![
        heading(2, "Run it in production"),
        paragraph(
            [
                vec![
                    text("With "),
                    code("ENVIRONMENT=production"),
                    text(" nothing starts before these are set: "),
                ],
                codes(required_in_production(spec).iter().map(|name| name.to_uppercase())),
                vec![
                    text(". Let "),
                    code("MIGRATION_DATABASE_URL"),
                    text(" name the role that owns the tables, and run the migrations before the "),
                    text("server."),
                ],
            ]
            .concat(),
        ),
        paragraph([
            text("What a platform hands out as the address of a PostgreSQL database will do: "),
            code("sslmode"),
            text(" is translated for asyncpg, "),
            code("channel_binding"),
            text(" is left out, and what else it cannot take is refused. Certificates are files, "),
            text("which "),
            code("PGSSLROOTCERT"),
            text(" and its like name in the environment of the process."),
        ]),
        paragraph([
            code("ALLOWED_HOSTS"),
            text(" has the names that clients use, or "),
            code("*"),
            text(" where a proxy in front lets no other through. "),
            text("Probes of the health may come by any name, as those of platforms do."),
        ]),
        paragraph([
            text("Told to stop by SIGTERM, the server says at "),
            code("/health/ready"),
            text(" that it is not ready, and serves on for "),
            code("DRAIN_SECONDS"),
            text(", so that whoever sends it requests can hear of it; the image has five."),
        ]),
        paragraph([
            code("/health"),
            text(" and "),
            code("/health/ready"),
            text(" tell everybody one word, and which part it is to who sends "),
            code("HEALTH_TOKEN"),
            text(" as a bearer token, or asks in development."),
        ]),
        paragraph([
            code("/health/ready"),
            text(" answers 503 without the database, and while the database lacks a migration "),
            text("that the code has. A database with migrations that the code does not know is "),
            text("how it stands while a release is rolled out: that is "),
            code("degraded"),
            text(", and served. So is code that "),
            code("migrations"),
            text(" and "),
            code("pyproject.toml"),
            text(" do not stand beside, which cannot tell."),
        ]),
    ];
    if spec.tenancy.row_level_security {
        production.push(paragraph([
            text("Row-level security keeps organizations apart inside of PostgreSQL. The server "),
            text("does not start when the role in "),
            code("DATABASE_URL"),
            text(" bypasses it, as superusers do."),
        ]));
    }
    production
}

fn test() -> Vec<Block> {
    vec![
        heading(2, "Test it"),
        commands([
            "pip install --require-hashes -r requirements-dev.txt",
            "pytest",
            "ruff format --check && ruff check && bandit -q -r app && mypy && pyright",
        ]),
        paragraph([
            text("The tests use SQLite. With "),
            code("TEST_DATABASE_URL"),
            text(" they use PostgreSQL, in databases and roles that they create and drop."),
        ]),
        paragraph([
            text(
                "One of them lets schemathesis call every operation of a real server a few times. ",
            ),
            text("This calls each a hundred times, and takes some minutes:"),
        ]),
        commands(["OPENAPI_EXAMPLES=100 pytest tests/test_openapi_fuzz.py"]),
        paragraph([
            text("What it may not find is said in "),
            code("tests/openapi_hooks.py"),
            text(" and "),
            code("schemathesis.toml"),
            text("."),
        ]),
    ]
}

fn layout() -> Vec<Block> {
    let row = |(path, what): (&str, &str)| vec![vec![code(path)], vec![text(what)]];
    let rows = [
        ("app/main.py", "The application."),
        ("app/api/", "The routers, one per file: they translate, and decide nothing."),
        ("app/services/", "The rules, one service per concept."),
        ("app/models/", "The tables."),
        ("app/schemas/", "The shapes of requests and responses."),
        ("app/core/", "What every part stands on: settings, tokens, roles, tenancy."),
        ("migrations/", "How the tables came to be."),
        ("tests/", "The tests."),
    ];
    vec![
        heading(2, "Layout"),
        Block::Table(vec!["Path", "What it is"], rows.into_iter().map(row).collect()),
    ]
}

fn what_is_kept(spec: &Spec) -> Vec<Block> {
    if spec.entities.is_empty() {
        return Vec::new();
    }
    let mut kept = vec![
        heading(2, "Entities"),
        paragraph([
            code("GET"),
            text(" lists or reads, "),
            code("POST"),
            text(" creates, "),
            code("PATCH"),
            text(" updates, "),
            code("DELETE"),
            text(" deletes. A row of another organization does not exist (404)."),
        ]),
        entities(spec),
    ];
    kept.extend(relations(spec));
    kept
}

/// How the entities hang together.
fn relations(spec: &Spec) -> Vec<Block> {
    let Picture { block, entities, has_attributes } = picture(spec);
    let all = spec.entities.len();
    let shown = match (has_attributes, entities == all) {
        (true, _) => "This is how they hang together, without what every table has, like the time \
                      of its last change. "
            .to_owned(),
        (false, true) => {
            "This is how they hang together; their columns are too many for a picture. ".to_owned()
        }
        (false, false) => format!(
            "They are too many for a picture: this is how the {entities} of {all} hang together \
             that have most references. "
        ),
    };
    vec![
        paragraph([
            text(shown),
            text(
                "Beside a line stands the column that points, and what becomes of its row when the ",
            ),
            text(
                "one that it points at is deleted. Each row belongs to an organization, also where ",
            ),
            text("only the row above it has a line to one. The models are in "),
            code("app/models/"),
            text("."),
        ]),
        block,
    ]
}

fn who_may(spec: &Spec) -> Vec<Block> {
    vec![
        heading(2, "Roles"),
        paragraph([
            text("The highest rank first. Who founds an organization is its "),
            code(spec.organizations.owner().name.as_str()),
            text("."),
        ]),
        roles(spec),
    ]
}

fn cookies(spec: &Spec) -> Vec<Block> {
    let begin = match spec.auth.mode {
        AuthMode::Bearer => return Vec::new(),
        AuthMode::Cookie => vec![text("A sign-in")],
        AuthMode::Both => vec![text("A sign-in with "), code("\"cookies\": true")],
    };
    let refresh = match spec.auth.mode {
        AuthMode::Bearer | AuthMode::Cookie => vec![text(" goes on with the cookies.")],
        AuthMode::Both => vec![
            text(" with an empty object goes on with the cookies. A request with a token in its "),
            text("header needs none of this; one with both is refused."),
        ],
    };
    let rest = [
        text(" puts the session into cookies that no script can read. What changes something "),
        text("then needs the header "),
        code("X-CSRF-Token"),
        text(", whose value is in the answer and in the cookie "),
        code("__Host-csrf"),
        text(", and has to come from the server's own origin, "),
        code("FRONTEND_URL"),
        text(" or "),
        code("CORS_ORIGINS"),
        text(". "),
        code("POST /auth/refresh"),
    ];
    vec![
        heading(2, "Sessions in a browser"),
        paragraph(begin.into_iter().chain(rest).chain(refresh).collect::<Vec<_>>()),
    ]
}

fn keys(spec: &Spec) -> Vec<Block> {
    if !spec.organizations.api_keys {
        return Vec::new();
    }
    vec![
        heading(2, "API keys"),
        paragraph([
            text("A program signs in with a key of an organization, made at "),
            code("/organizations/{organization_id}/api-keys"),
            text(" and sent as "),
            code("Authorization: Bearer"),
            text(". It can do what its scopes say and the role of its maker allows, in that "),
            text("organization only. A router is closed to keys unless it has "),
            code("accept_keys"),
            text(" among its dependencies. Whoever finds a key can revoke it at "),
            code("/api-keys/leaked"),
            text("."),
        ]),
    ]
}

fn files(spec: &Spec) -> Vec<Block> {
    if !spec.storage.is_on() {
        return Vec::new();
    }
    let mut files = vec![
        heading(2, "Files"),
        paragraph([
            text("A file comes in as the body of "),
            code("POST /organizations/{organization_id}/files/upload"),
            text(", or straight into the store: "),
            code("sign-upload"),
            text(
                " answers with a request that anybody can send for half an hour, with these bytes ",
            ),
            text("only, and "),
            code("complete"),
            text(" looks at what came. It is read from a signed address that is good for five "),
            text("minutes, to be saved and never to be shown. "),
            code("app/core/file_types.py"),
            text(" says what is taken."),
        ]),
    ];
    if file_reference::is_used(spec) {
        files.push(paragraph([
            text("What an entity has as a file is the id of one that is stored already. "),
            code("app/services/file_reference.py"),
            text(" refuses those of other organizations, and what a field does not take; who deletes "),
            text("a row keeps its files."),
        ]));
    }
    files.push(paragraph([
        text("Uploads that never came, and bytes that nobody has any more, are removed once a "),
        text("day, and by "),
        code("python -m app.manage run-sweeper"),
        text("."),
    ]));
    files.push(if spec.storage.has_bucket() {
        paragraph([
            text("With "),
            code("S3_BUCKET"),
            text(" files are in a bucket. The store has to verify "),
            code("x-amz-checksum-sha256"),
            text(", as S3 and MinIO do, and its CORS rules have to allow "),
            code("PUT"),
            text(" from the frontend. Without it they are in "),
            code("STORAGE_FOLDER"),
            text("."),
        ])
    } else {
        paragraph([
            text("They are in "),
            code("STORAGE_FOLDER"),
            text(": every process has to see the same folder, and a deployment must not begin "),
            text("with an empty one. On a platform without such a disk, keep files in a bucket. User "),
            text("10001 of the image has to be able to write there, or "),
            code("/health/ready"),
            text(" says that the storage failed."),
        ])
    });
    files
}

fn webhooks(spec: &Spec) -> Vec<Block> {
    if !spec.webhooks.enabled {
        return Vec::new();
    }
    vec![
        heading(2, "Webhooks"),
        paragraph([
            text("An organization names addresses at "),
            code("/organizations/{organization_id}/webhook-endpoints"),
            text(", which are told what happens to its entities: "),
            code("app/core/webhook_events.py"),
            text(" has the events. What the audit log notes is told, so rows that the database "),
            text("removes together with others are not. Deliveries are signed as "),
            code("standardwebhooks.com"),
            text(" has it, with the secret in the answer to the creation or the rotation."),
        ]),
        paragraph([
            text(
                "They go out after the commit, in order for each endpoint: one that is not taken ",
            ),
            text("(any status but 2xx) keeps the next ones waiting, is tried again after growing "),
            text(
                "pauses, and is given up after three hours or so. An endpoint that fails 36 times ",
            ),
            text(
                "in a row, or answers 410, is disabled. What was delivered can be delivered again, ",
            ),
            text("under the same "),
            code("webhook-id"),
            text("; a receiver may also get it twice by itself."),
        ]),
        paragraph([
            text("Nothing is sent into private networks, nor over http in production, and no "),
            text("redirect is followed. To try it on one machine, set "),
            code("WEBHOOK_PRIVATE_ADDRESSES=true"),
            text("."),
        ]),
    ]
}

fn what_is_sold(spec: &Spec) -> Vec<Block> {
    let section = |plans| {
        vec![
            heading(2, "Plans"),
            plans,
            paragraph([
                text(
                    "Stripe is asked for every subscription once a day. By hand it is asked with ",
                ),
                code("sync"),
                text("; "),
                code("failed"),
                text(" lists the events that could not be followed, and "),
                code("replay"),
                text(" has them processed again."),
            ]),
            commands([
                "python -m app.billing sync",
                "python -m app.billing failed",
                "python -m app.billing replay",
            ]),
        ]
    };
    plans(spec).map(section).unwrap_or_default()
}

fn logs(spec: &Spec) -> Vec<Block> {
    let file = spec.observability.log_file.as_ref().map(|_| {
        [text(" Where "), code("LOG_FILE"), text(" names a file, they are written there too.")]
    });
    vec![
        heading(2, "Logs"),
        paragraph(
            [
                text("Every record is a line of JSON on standard error, those of libraries and of "),
                text("uvicorn too, with the id of its request or of the one that asked for the job, "),
                text("the organization and the user. Each request has a record, by the template of "),
                text("its route, unless "),
                code("ACCESS_LOG=false"),
                text("; uvicorn's own, which tells queries, is off. Addresses of mail, and what "),
                text("looks like a secret, are hidden: "),
                code("app/core/redaction.py"),
                text(" says how, and is the place to hide more."),
            ]
            .into_iter()
            .chain(file.into_iter().flatten())
            .collect::<Vec<_>>(),
        ),
    ]
}

fn metrics(spec: &Spec) -> Vec<Block> {
    if !spec.observability.metrics {
        return Vec::new();
    }
    let mut blocks = vec![
        heading(2, "Metrics"),
        paragraph([
            code("/metrics"),
            text(" has what was asked and how it was answered, by route and status, and how much "),
            text("waits in the database, how many connections to it are in use, and how jobs "),
            text(if spec.webhooks.enabled {
                "and deliveries of webhooks ended. "
            } else {
                "ended. "
            }),
            text("Beside the backend, "),
            code("deploy/grafana/dashboard.json"),
            text(" draws it, and "),
            code("deploy/prometheus"),
            text(" has the alerts and an example of what Prometheus reads; a test holds them to "),
            text("the metrics that there are."),
        ]),
        paragraph(who_reads_metrics(spec.observability.metrics_access)),
        paragraph([
            text("With several workers ("),
            code("--workers"),
            text(" or "),
            code("WEB_CONCURRENCY"),
            text("), let "),
            code("PROMETHEUS_MULTIPROC_DIR"),
            text(
                " name a folder, as the image does: without it each worker tells what it counted ",
            ),
            text("alone. "),
            code("python -m app.serve"),
            text(" empties it and is uvicorn from then on, with the same options."),
        ]),
    ];
    blocks.extend(spec.jobs.has_workers().then(metrics_of_workers));
    blocks
}

fn metrics_of_workers() -> Block {
    paragraph([
        text("A worker serves the metrics of its jobs at "),
        code("WORKER_METRICS_PORT"),
        text(" and "),
        code("WORKER_METRICS_HOST"),
        text(", where a port is named, as in the compose file. It asks for no token: let only "),
        text("Prometheus reach it."),
    ])
}

fn who_reads_metrics(access: MetricsAccess) -> Vec<Inline> {
    match access {
        MetricsAccess::Token => vec![
            text("They are for who sends "),
            code("METRICS_TOKEN"),
            text(
                " as a bearer token. Production does not start without one; in development they are ",
            ),
            text("open where there is none."),
        ],
        MetricsAccess::Port => vec![
            text("They have a port of their own, "),
            code("METRICS_PORT"),
            text(" at "),
            code("METRICS_HOST"),
            text(
                ", and are not at that of the application: keep it inside of your network. Every ",
            ),
            text("worker listens there, and each tells what all of them counted."),
        ],
        MetricsAccess::Open => {
            vec![text("Everybody can read them: keep strangers away in front of the server.")]
        }
    }
}

fn traces(spec: &Spec) -> Vec<Block> {
    if !spec.observability.tracing {
        return Vec::new();
    }
    let webhooks = if spec.webhooks.enabled { ", webhooks by their host" } else { "" };
    vec![
        heading(2, "Traces"),
        paragraph([
            text("Where "),
            code("OTEL_EXPORTER_OTLP_ENDPOINT"),
            text(
                " names a collector, requests are traced for OpenTelemetry (OTLP over HTTP), and ",
            ),
            text("without it nothing is. A request is told by its method and the template of its "),
            text(format!("route, statements without their values{webhooks}, and errors by their ")),
            text("type. A job is a part of the request that asked for it. "),
            text("Probes of its health, and readers of its metrics, "),
            text("leave no trace. Each line of the log has the ids of its trace and span."),
        ]),
        paragraph([
            text("A request is a part of what its "),
            code("traceparent"),
            text(" names, so a proxy should remove that header from what comes from outside. "),
            text("The library reads the other variables from the environment of the process, not "),
            text("from "),
            code(".env"),
            text(": "),
            code("OTEL_EXPORTER_OTLP_HEADERS"),
            text(" for the key of the collector, "),
            code("OTEL_TRACES_SAMPLER"),
            text(" and "),
            code("OTEL_TRACES_SAMPLER_ARG"),
            text(" to trace some requests only, "),
            code("OTEL_SDK_DISABLED"),
            text(". What is left when a process stops is sent for five seconds at most."),
        ]),
        paragraph([text(
            "Values written into a statement, and not bound to it, would be told: bind them.",
        )]),
    ]
}

fn settings_section(spec: &Spec) -> Vec<Block> {
    vec![
        heading(2, "Settings"),
        paragraph([
            text("They are read from the environment and from "),
            code(".env"),
            text(", for which "),
            code(".env.example"),
            text(" is the pattern."),
        ]),
        settings(spec),
    ]
}

fn migrate() -> Vec<Block> {
    vec![
        heading(2, "Change the tables"),
        paragraph([
            text("When the spec changes, astgen writes the migration: read it, and run it with "),
            code("alembic upgrade head"),
            text(". One that loses data stops until somebody has set "),
            code("IS_REVIEWED"),
            text(" in it. For models that you change yourself:"),
        ]),
        commands([
            "alembic revision --autogenerate -m \"Add a column\"",
            "ruff check --fix migrations && ruff format migrations",
            "alembic upgrade head",
            "alembic check",
        ]),
    ]
}

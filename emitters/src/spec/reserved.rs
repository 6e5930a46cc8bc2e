//! Names that a spec cannot use, because the generated project has them or will have them.

/// Why no entity can have this name.
#[must_use]
pub fn entity(name: &str) -> Option<&'static str> {
    let lists: [(&[&str], &str); 5] = [
        (GENERATED_ENTITIES, "the generated project has its own"),
        (BUILTINS, "it would hide a built-in of Python"),
        (LIBRARY_CLASSES, "its class would hide one that every model uses"),
        (ROUTER_VARIABLES, "every router has a variable or module of that name"),
        (DATABASE_WORDS, "it cannot be the name of a table on every database"),
    ];
    find(name, &lists).or_else(|| device(name))
}

/// Why no field can have this name.
#[must_use]
pub fn field(name: &str) -> Option<&'static str> {
    let lists: [(&[&str], &str); 6] = [
        (GENERATED_COLUMNS, "every row has one already"),
        (DATABASE_WORDS, "it cannot be the name of a column on every database"),
        (SYSTEM_COLUMNS, "PostgreSQL has a column of that name in every table"),
        (SQLALCHEMY, "SQLAlchemy keeps the attribute for itself"),
        (PYDANTIC, "Pydantic keeps the attribute for itself"),
        (CLASS_BODY, "it would hide what the model's own class uses"),
    ];
    let is_model = name.starts_with("model_").then_some("Pydantic keeps names with `model_`");
    find(name, &lists).or(is_model)
}

/// Why no project can have this name.
#[must_use]
pub fn project(name: &str) -> Option<&'static str> {
    device(name)
}

/// The classes that the generated project defines beside its models: `User`.
pub const GENERATED_CLASSES: &[&str] = &[
    "ApiKey",
    "AuditEvent",
    "AuthSession",
    "Base",
    "BillingEvent",
    "Email",
    "EmailSuppression",
    "Feature",
    "File",
    "Invitation",
    "Job",
    "Limit",
    "Membership",
    "Organization",
    "Plan",
    "RefreshToken",
    "Role",
    "Settings",
    "Subscription",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
];

/// Tables that exist whatever the entities are.
pub const GENERATED_TABLES: &[&str] = &[
    "alembic_version",
    "api_keys",
    "audit_events",
    "audit_log",
    "billing_events",
    "email_suppressions",
    "emails",
    "files",
    "idempotency_keys",
    "invitations",
    "jobs",
    "memberships",
    "organizations",
    "outbox",
    "refresh_tokens",
    "sessions",
    "subscriptions",
    "users",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhooks",
];

/// First parts of routes that exist whatever the entities are.
pub const GENERATED_ROUTES: &[&str] = &[
    "api-keys",
    "audit",
    "auth",
    "billing",
    "docs",
    "files",
    "health",
    "invitations",
    "jobs",
    "me",
    "members",
    "memberships",
    "metrics",
    "openapi",
    "organizations",
    "plans",
    "redoc",
    "sessions",
    "static",
    "users",
    "webhooks",
];

/// Modules of `app.api`, and with `test_` before them of `tests`, that exist whatever the entities are.
pub const GENERATED_ROUTERS: &[&str] = &[
    "api_keys",
    "auth",
    "billing",
    "conventions",
    "database",
    "day_one",
    "deployers",
    "deps",
    "email",
    "errors",
    "fields",
    "files",
    "headers",
    "health",
    "health_probes",
    "invitations",
    "jobs",
    "logging",
    "manage",
    "me",
    "members",
    "memberships",
    "metrics",
    "migrations",
    "monitoring",
    "openapi",
    "organizations",
    "outbox",
    "pagination",
    "passwords",
    "permissions",
    "plans",
    "redis",
    "request_id",
    "router",
    "routers",
    "security",
    "sessions",
    "settings",
    "smtp",
    "statements",
    "storage",
    "tenancy",
    "tenant_statements",
    "tracing",
    "users",
    "webhooks",
    "worker",
];

const GENERATED_ENTITIES: &[&str] = &[
    "api_key",
    "audit_event",
    "audit_log",
    "auth",
    "base",
    "billing",
    "billing_event",
    "email",
    "email_suppression",
    "feature",
    "feature_flag",
    "fields",
    "file",
    "health",
    "idempotency_key",
    "invitation",
    "invitation_reply",
    "job",
    "limit",
    "liveness",
    "me",
    "member",
    "membership",
    "metrics",
    "organization",
    "outbox",
    "password",
    "pending_invitation",
    "permission",
    "plan",
    "readiness",
    "refresh_token",
    "role",
    "session",
    "subscription",
    "tenancy",
    "tenant",
    "types",
    "user",
    "webhook",
    "webhook_delivery",
    "webhook_endpoint",
];

/// Every built-in function and type with a name in lower case, of Python 3.11 to 3.14.
const BUILTINS: &[&str] = &[
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "copyright",
    "credits",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "license",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

const LIBRARY_CLASSES: &[&str] = &[
    "any",
    "annotated",
    "base_model",
    "big_integer",
    "boolean",
    "check_constraint",
    "date",
    "date_time",
    "datetime",
    "decimal",
    "declarative_base",
    "enum",
    "foreign_key",
    "foreign_key_constraint",
    "index",
    "integer",
    "json",
    "literal",
    "mapped",
    "numeric",
    "relationship",
    "str_enum",
    "string",
    "text",
    "timedelta",
    "timestamp",
    "unique_constraint",
    "uuid",
];

const ROUTER_VARIABLES: &[&str] = &[
    "app",
    "current_organization",
    "current_user",
    "cursor",
    "fastapi",
    "if_match",
    "main",
    "page",
    "payload",
    "principal",
    "pydantic",
    "query",
    "request",
    "response",
    "router",
    "row",
    "rows",
    "schemas",
    "select",
    "settings",
    "sqlalchemy",
    "statement",
    "stripe",
    "uvicorn",
];

const GENERATED_COLUMNS: &[&str] = &[
    "created_at",
    "deleted_at",
    "id",
    "organization",
    "organization_id",
    "row_version",
    "tenant",
    "tenant_id",
    "updated_at",
];

/// The words that PostgreSQL 15 or SQLite 3.40 reserve and SQLAlchemy does not put in quotes.
const DATABASE_WORDS: &[&str] =
    &["collation", "concurrently", "lateral", "nothing", "returning", "tablesample"];

const SYSTEM_COLUMNS: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

const SQLALCHEMY: &[&str] = &["metadata", "registry", "type_annotation_map", "awaitable_attrs"];

const PYDANTIC: &[&str] = &[
    "construct",
    "copy",
    "dict",
    "from_orm",
    "json",
    "parse_file",
    "parse_obj",
    "parse_raw",
    "schema",
    "schema_json",
    "update_forward_refs",
    "validate",
];

const CLASS_BODY: &[&str] = &[
    "bool",
    "bytes",
    "classmethod",
    "date",
    "datetime",
    "declared_attr",
    "dict",
    "field_serializer",
    "field_validator",
    "float",
    "func",
    "int",
    "list",
    "mapped_column",
    "object",
    "property",
    "relationship",
    "self",
    "set",
    "staticmethod",
    "str",
    "tuple",
];

fn find(name: &str, lists: &[(&[&str], &'static str)]) -> Option<&'static str> {
    lists.iter().find(|(names, _)| names.contains(&name)).map(|(_, reason)| *reason)
}

fn device(name: &str) -> Option<&'static str> {
    let is_numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    let is_device =
        matches!(name, "aux" | "con" | "nul" | "prn") || is_numbered("com") || is_numbered("lpt");
    is_device.then_some("Windows cannot have a file of that name")
}

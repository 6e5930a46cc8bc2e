//! Bad specs, and what people see.

use super::rendered;

/// Compares with `snapshots/…diagnostics__NAME.snap`, which shows the spec and its errors.
#[track_caller]
fn check(name: &str, source: &str) {
    insta::with_settings!({ description => source, omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, rendered(source));
    });
}

/// The same for lines below a good `[project]`.
#[track_caller]
fn check_lines(name: &str, lines: &str) {
    check(name, &format!("[project]\nname = \"acme\"\n\n{lines}"));
}

#[test]
fn syntax() {
    check("syntax", "[project]\nname = \"acme\n\n[auth\nmode = bearer\n");
    check(
        "written_twice",
        "[project]\nname = \"a\"\nname = \"b\"\n\n[entities.task]\n[entities.task]\n",
    );
    check("empty", "");
    check("wrong_types", "project = 3\nauth = []\nentities = \"task\"\ndeploy.targets = {}\n");
    check("nested_too_deep", &format!("project = {}", "[".repeat(200)));
    check("dotted_too_deep", &format!("a{} = 1", ".a".repeat(200)));
}

#[test]
fn keys() {
    check(
        "unknown_keys",
        r#"[project]
name = "acme"
titel = "Acme"
tilte = "Acme"

[organisations]
personal = true

[zoo]

[auth]
password.minimum = 3
"#,
    );
    check("missing_keys", "[project]\n\n[billing]\n\n[entities.task]\n");
    check_lines(
        "missing_keys_of_items",
        r#"[[billing.plans]]

[[billing.plans]]
name = "team"
price = {}

[entities.task.fields]
title = {}
project = { type = "reference" }
state = { type = "enum" }
price = { type = "money" }
"#,
    );
}

#[test]
fn values() {
    check_lines(
        "values",
        r#"[auth]
mode = "baerer"
access_token_lifetime = "15 minutes"
password.min_length = 4
password.max_length = "128"
totp = true

[organizations]
invitation_lifetime = 7
personal = "yes"

[tenancy]
row_level_security = 1

[observability]
metrics = "on"
"#,
    );
    check_lines(
        "durations",
        r#"[auth]
access_token_lifetime = "25h"

[organizations]
invitation_lifetime = "7D"

[billing]
trial = "36h"
plans = [{ name = "free" }]
"#,
    );
}

#[test]
fn names() {
    check(
        "project_names",
        "[project]\nname = \"Acme Tracker\"\ntitle = \"A\\u0000\"\ndescription = \"left\\u202eright\"\n",
    );
    check("project_reserved", "[project]\nname = \"class\"\n");
    check_lines(
        "entity_names",
        r#"[entities.PurchaseOrder]
fields.title = { type = "text" }

[entities.class]
fields.title = { type = "text" }

[entities.list]
fields.title = { type = "text" }

[entities.user]
fields.title = { type = "text" }

[entities.string]
fields.title = { type = "text" }

[entities."two\nlines"]
fields.title = { type = "text" }

[entities.none]
fields.title = { type = "text" }

[entities.a]
fields.title = { type = "text" }

[entities.aux]
fields.title = { type = "text" }

[entities.join]
plural = "lateral"
fields.title = { type = "text" }
"#,
    );
    check_lines(
        "field_names",
        r#"[entities.task.fields]
id = { type = "uuid" }
organization_id = { type = "uuid" }
created_at = { type = "datetime" }
metadata = { type = "json" }
copy = { type = "text" }
model_name = { type = "text" }
date = { type = "date" }
_hidden = { type = "text" }
dueAt = { type = "datetime" }
"due at" = { type = "datetime" }
lambda = { type = "text" }
"日本" = { type = "text" }
"" = { type = "text" }
type = { type = "text" }
returning = { type = "boolean" }
xmin = { type = "integer" }
"#,
    );
    check_lines(
        "role_names",
        "[organizations]\nroles = [\"owner\", \"Admin\", \"owner\", \"in\", \"\"]\n",
    );
    check_lines(
        "too_long_for_postgresql",
        r#"[entities.a_name_that_is_long_and_whose_index_has_a_name_that_is_cut]
fields.title = { type = "text" }

[entities.task]
fields.a_reference_with_a_name_that_is_so_long_that_its_column_is_not = { type = "reference", to = "task" }

[entities.a_name_that_is_so_long_that_nobody_would_ever_want_to_type_it_in]
fields.title = { type = "text" }
"#,
    );
}

#[test]
fn clashes() {
    check_lines(
        "clashes",
        r#"[entities.task]
fields.status = { type = "enum", values = ["open"] }

[entities.tasks]
fields.title = { type = "text" }

[entities.task_status]
fields.title = { type = "text" }

[entities.task_create]
fields.title = { type = "text" }

[entities.todo]
plural = "task_items"
fields.title = { type = "text" }

[entities.task_item]
fields.title = { type = "text" }

[entities.doc]
fields.title = { type = "text" }

[entities.sheep]
plural = "sheep"
fields.title = { type = "text" }

[entities.stage1]
fields.title = { type = "text" }

[entities.stage_1]
fields.title = { type = "text" }

[entities.crew]
plural = "users"
fields.title = { type = "text" }

[entities.organization_read]
fields.title = { type = "text" }
"#,
    );
    check_lines(
        "clashes_of_fields",
        r#"[entities.project]
fields.title = { type = "text" }

[entities.task.fields]
project = { type = "reference", to = "project" }
project_id = { type = "uuid" }
state = { type = "enum", values = ["open", "Open", "in progress", "in-progress", "進行中"] }
"#,
    );
}

#[test]
fn fields() {
    check_lines(
        "bounds",
        r#"[entities.task.fields]
a = { type = "text", min_length = 10, max_length = 5 }
b = { type = "text", max_length = 3, default = "long" }
c = { type = "integer", minimum = 5, maximum = 1 }
d = { type = "integer", maximum = 10, default = 11 }
e = { type = "integer", maximum = 9223372036854775808 }
f = { type = "decimal", precision = 4, scale = 5 }
g = { type = "decimal", precision = 4, scale = 2, default = "123.4" }
h = { type = "decimal", default = 1e3 }
i = { type = "decimal", default = "one" }
j = { type = "money", currency = "usd", minimum = 0, default = -1 }
k = { type = "text", max_length = 0 }
l = { type = "decimal", precision = 39 }
m = { type = "text", max_length = 2000, unique = true }
n = { type = "json", index = true }
"#,
    );
    check_lines(
        "defaults",
        r#"[entities.task.fields]
a = { type = "text", default = 3 }
b = { type = "integer", default = "3" }
c = { type = "boolean", default = "no" }
d = { type = "date", default = "tomorrow" }
e = { type = "date", default = 2026-01-01T00:00:00Z }
f = { type = "date", default = 0000-01-01 }
g = { type = "datetime", default = "nwo" }
h = { type = "enum", values = ["open", "closed"], default = "opne" }
i = { type = "json", default = { a = 1 } }
j = { type = "uuid", default = "x" }
k = { type = "url", default = "example.com" }
l = { type = "money", currency = "USD", default = 1.5 }
m = { type = "money", currency = "xyz" }
n = { type = "text", default = "a\u0000b" }
o = { type = "string" }
p = "text"
q = { type = "text", maximum = 3 }
"#,
    );
}

#[test]
fn references() {
    check_lines(
        "references",
        r#"[entities.project]
fields.title = { type = "text" }

[entities.task.fields]
project = { type = "reference", to = "projekt" }
owner = { type = "reference", to = "user" }
parent = { type = "reference", to = "task", on_delete = "set_null" }
other = { type = "reference", to = "zoo", optional = true, on_delete = "nothing" }
"#,
    );
    check_lines(
        "cycles",
        r#"[entities.task.fields]
parent = { type = "reference", to = "task" }

[entities.chicken.fields]
egg = { type = "reference", to = "egg" }

[entities.egg.fields]
nest = { type = "reference", to = "nest" }

[entities.nest.fields]
chicken = { type = "reference", to = "chicken", on_delete = "cascade" }
"#,
    );
}

#[test]
fn roles_and_guards() {
    check_lines(
        "roles",
        r#"[organizations]
inviters = ["owner", "boss"]

[entities.task]
read = ["owner", "membr", "owner"]
write = []
fields.title = { type = "text" }
"#,
    );
    check_lines(
        "no_billing",
        r#"[entities.task]
limit = "tasks"
guards = ["active_subscription", { feature = "reports" }]
fields.title = { type = "text" }
"#,
    );
    check_lines(
        "guards",
        r#"[[billing.plans]]
name = "free"
limits = { tasks = 3, members = 2, zoos = 1 }
features = ["reports"]

[entities.task]
limit = "tasks"
guards = [
    "active_subscribtion",
    "feature",
    { feature = "report" },
    { feature = "zoo" },
    { feature = "reports" },
    { feature = "reports" },
    { limit = "zoos" },
    { feature = "reports", limit = "tasks" },
    {},
    { role = "admin" },
    3,
]
fields.title = { type = "text" }

[entities.comment]
limit = "tasks"
guards = { delete = [{ limit = "tasks" }], remove = [], create = "active_subscription" }
fields.title = { type = "text" }

[entities.report]
limit = "members"
guards = "active_subscription"
fields.title = { type = "text" }
"#,
    );
}

#[test]
fn metrics() {
    check_lines(
        "metrics_access",
        r#"[observability]
metrics = false
metrics_access = "port"
"#,
    );
}

#[test]
fn billing() {
    check_lines(
        "nothing_is_sold",
        r#"[billing]
trial = "14d"
plans = [{ name = "free" }]

[entities.task]
guards = ["active_subscription"]
fields = {}
"#,
    );
    check_lines(
        "plans",
        r#"[billing]
provider = "paddle"
trial = "0d"

[[billing.plans]]
name = "team"
price = { amount = 1900, currency = "usd" }

[[billing.plans]]
name = "team"
features = ["reports", "reports", "Exports"]

[[billing.plans]]
name = "Business"
price = { amount = 0, currency = "dollar", interval = "week" }
limits = { members = -1, seats = "many" }

[[billing.plans]]
name = "gulf"
price = { amount = 1001, currency = "kwd" }
"#,
    );
    check_lines("no_plans", "[billing]\nplans = []\n");
    check_lines(
        "trial_that_is_not",
        r#"[billing]
trial_start = "organization"
trial_without_card = "pause"
plans = [{ name = "free" }, { name = "team", price = { amount = 1900, currency = "usd" } }]
"#,
    );
    check_lines("webhooks_of_nothing", "[webhooks]\nenabled = true\n");
    check_lines(
        "users_with_members",
        r#"[billing]
payer = "user"
plans = [{ name = "free" }, { name = "pro", price = { amount = 900, currency = "usd", per = "member" } }]
"#,
    );
    check_lines(
        "files_that_are_not_kept",
        r#"[storage]
max_file_size = "1MB"

[entities.task.fields]
scan = { type = "file" }
"#,
    );
    check_lines(
        "files_that_are_not_taken",
        r#"[storage]
backend = "local"
max_file_size = "1MB"

[entities.task.fields]
large = { type = "file", max_size = "2MB" }
page = { type = "file", content_types = ["text/html", "image/png"] }
needed = { type = "file", on_delete = "set_null" }
gone = { type = "file", on_delete = "cascade" }
scan = { type = "file", optional = true }
scan_id = { type = "uuid" }
"#,
    );
}

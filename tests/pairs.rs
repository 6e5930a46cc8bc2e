//! Every pair of choices that a spec allows, in a few projects: each passes ruff and mypy, and starts.

mod environment;

use environment::{program, run};
use std::fs;
use std::process::Command;

/// The choices of a spec, as lines of `astgen.toml`.
const CHOICES: [&[&str]; 15] = [
    &["totp = \"off\"", "totp = \"optional\"", "totp = \"required\""],
    &["personal = true", "personal = false"],
    // Early, as what has the most choices is best: later, there would be many more rows.
    &[
        "metrics = true",
        "metrics_access = \"port\"",
        "metrics_access = \"open\"",
        "metrics = false",
    ],
    &["row_level_security = true", "row_level_security = false"],
    &[BILLING, CARD_TRIALS, USERS_PAY, ""],
    &["backend = \"smtp\"", "backend = \"console\""],
    &["backend = \"rq\"", "backend = \"inline\""],
    &["targets = [\"fly\", \"render\"]", ""],
    &["guards = [{ rate_limit = \"60/min\" }]", ""],
    &["api_keys = true", "api_keys = false"],
    &["log_file.enabled = true", ""],
    &["mode = \"both\"", "mode = \"bearer\"", "mode = \"cookie\""],
    &["[webhooks]\nenabled = true", ""],
    &["backend = \"s3\"", "backend = \"local\"", "backend = \"off\""],
    &["tracing = true", ""],
];

const BILLING: &str = "[billing]\nprovider = \"stripe\"\n\
    [[billing.plans]]\nname = \"free\"\nlimits = { members = 3 }\n\
    [[billing.plans]]\nname = \"team\"\nprice = { amount = 1900, currency = \"usd\", interval = \"month\" }";

const CARD_TRIALS: &str = "[billing]\nprovider = \"stripe\"\ntrial = \"14d\"\ntrial_start = \"checkout\"\n\
    [[billing.plans]]\nname = \"free\"\n[[billing.plans]]\nname = \"team\"\n\
    price = { amount = 900, currency = \"usd\", interval = \"month\", per = \"member\" }";

const USERS_PAY: &str = "[billing]\nprovider = \"stripe\"\npayer = \"user\"\ntrial = \"14d\"\n\
    [[billing.plans]]\nname = \"free\"\nlimits = { members = 3 }\n[[billing.plans]]\nname = \"pro\"\n\
    price = { amount = 900, currency = \"usd\", interval = \"month\" }\nfeatures = [\"reports\"]";

const FILE: &str = "fields.scan = { type = \"file\", content_types = [\"image/png\"] }\n";

/// One choice of each, by its place.
type Row = [usize; CHOICES.len()];

/// Few rows that have every pair of choices: each begins with a pair that no other has, and takes at each place what
/// makes the most pairs more.
fn rows() -> Vec<Row> {
    let mut missing = every_pair();
    let mut rows = Vec::new();
    while let Some(&first) = missing.last() {
        let row = row_with(first, &missing);
        missing.retain(|[one, this, other, that]| row[*one] != *this || row[*other] != *that);
        rows.push(row);
    }
    rows
}

/// Two places, and the choice at each.
type Pair = [usize; 4];

fn every_pair() -> Vec<Pair> {
    let places = 0..CHOICES.len();
    let two = places.flat_map(|one| (one + 1..CHOICES.len()).map(move |other| (one, other)));
    let pairs = two.flat_map(|(one, other)| {
        (0..CHOICES[one].len()).flat_map(move |this| {
            (0..CHOICES[other].len()).map(move |that| [one, this, other, that])
        })
    });
    pairs.collect()
}

fn row_with([one, this, other, that]: Pair, missing: &[Pair]) -> Row {
    let mut chosen = vec![(one, this), (other, that)];
    for place in (0..CHOICES.len()).filter(|place| ![one, other].contains(place)) {
        let gain = |choice: &usize| {
            let pairs = chosen.iter().map(|&(with, its)| match with < place {
                true => [with, its, place, *choice],
                false => [place, *choice, with, its],
            });
            pairs.filter(|pair| missing.contains(pair)).count()
        };
        let best = (0..CHOICES[place].len()).max_by_key(gain).expect("there are choices");
        chosen.push((place, best));
    }
    chosen.sort_unstable();
    let row: Vec<usize> = chosen.into_iter().map(|(_, choice)| choice).collect();
    row.try_into().expect("each place has its choice")
}

fn spec(row: &Row) -> String {
    let choice = |place: usize| CHOICES[place][row[place]];
    let (totp, personal, metrics) = (choice(0), choice(1), choice(2));
    let (rls, billing, email, jobs) = (choice(3), choice(4), choice(5), choice(6));
    let (deploy, guards, keys, log_file) = (choice(7), choice(8), choice(9), choice(10));
    let (mode, webhooks) = (choice(11), choice(12));
    let (storage, tracing) = (choice(13), choice(14));
    let file = if storage.contains("off") { "" } else { FILE };
    format!(
        "[project]\nname = \"pair\"\n[auth]\n{totp}\n{mode}\n[organizations]\n{personal}\n{keys}\n[tenancy]\n{rls}\n\
         {billing}\n[email]\n{email}\n[jobs]\n{jobs}\n[observability]\n{metrics}\n{tracing}\n{log_file}\n{webhooks}\n[storage]\n{storage}\n[deploy]\n{deploy}\n\
         [entities.note]\n{guards}\nfields.title = {{ type = \"text\", max_length = 120 }}\n{file}"
    )
}

#[test]
fn every_pair_of_choices_starts() {
    let rows = rows();
    assert!(rows.len() < 20, "{} projects are too many", rows.len());
    let (first, second) = rows.split_at(rows.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| check_all(first));
        check_all(second);
    });
}

/// Builds a project for each row, and has its tools read it.
fn check_all(rows: &[Row]) {
    // What mypy knows of the libraries is the same in all of them.
    let types = tempfile::tempdir().expect("a temporary folder");
    for row in rows {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (source, project) = (folder.path().join("astgen.toml"), folder.path().join("pair"));
        fs::write(&source, spec(row)).expect("the spec can be written");
        run(Command::new(env!("CARGO_BIN_EXE_astgen"))
            .arg("build")
            .arg(&source)
            .arg("--out")
            .arg(&project));
        let backend = project.join("backend");
        run(program("ruff", &backend).args(["check", "--no-cache", "."]));
        run(program("ruff", &backend).args(["format", "--check", "--no-cache", "."]));
        run(program("mypy", &backend).arg("--cache-dir").arg(types.path()).args(["app", "tests"]));
        run(program("python", &backend)
            .args(["-c", "from app.main import create_app; create_app().openapi()"]));
    }
}

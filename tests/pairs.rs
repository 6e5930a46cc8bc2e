//! Every pair of choices that a spec allows, in a few projects: each passes ruff and mypy, and starts.

mod environment;

use environment::{program, run};
use std::fs;
use std::process::Command;

/// The choices of a spec, as lines of `astgen.toml`.
const CHOICES: [&[&str]; 14] = [
    &["totp = \"off\"", "totp = \"optional\"", "totp = \"required\""],
    &["personal = true", "personal = false"],
    &["row_level_security = true", "row_level_security = false"],
    &[BILLING, CARD_TRIALS, USERS_PAY, ""],
    &["backend = \"smtp\"", "backend = \"console\""],
    &["backend = \"rq\"", "backend = \"inline\""],
    &["metrics = true", "metrics = false"],
    &["targets = [\"fly\", \"render\"]", ""],
    &["guards = [{ rate_limit = \"60/min\" }]", ""],
    &["api_keys = true", "api_keys = false"],
    &["log_file.enabled = true", ""],
    &["mode = \"both\"", "mode = \"bearer\"", "mode = \"cookie\""],
    &["[webhooks]\nenabled = true", ""],
    &["backend = \"s3\"", "backend = \"local\"", "backend = \"off\""],
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

/// Few rows that have every pair of choices: each is the one with the most pairs that no other has.
fn rows() -> Vec<Row> {
    let mut all: Vec<Row> = vec![[0; CHOICES.len()]];
    for (place, choices) in CHOICES.iter().enumerate() {
        all = all
            .iter()
            .flat_map(|row| {
                (0..choices.len()).map(move |choice| {
                    let mut row = *row;
                    row[place] = choice;
                    row
                })
            })
            .collect();
    }
    let mut missing: Vec<[usize; 4]> = all.iter().flat_map(pairs).collect();
    missing.sort_unstable();
    missing.dedup();
    let mut rows = Vec::new();
    while !missing.is_empty() {
        let gain = |row: &&Row| pairs(row).filter(|pair| missing.contains(pair)).count();
        let best = *all.iter().max_by_key(gain).expect("there are rows");
        let has: Vec<[usize; 4]> = pairs(&best).collect();
        missing.retain(|pair| !has.contains(pair));
        rows.push(best);
    }
    rows
}

/// The pairs in a row: two places, and the choice at each.
fn pairs(row: &Row) -> impl Iterator<Item = [usize; 4]> + '_ {
    (0..row.len()).flat_map(move |one| {
        (one + 1..row.len()).map(move |other| [one, row[one], other, row[other]])
    })
}

fn spec(row: &Row) -> String {
    let choice = |place: usize| CHOICES[place][row[place]];
    let (totp, personal, rls, billing) = (choice(0), choice(1), choice(2), choice(3));
    let (email, jobs, metrics) = (choice(4), choice(5), choice(6));
    let (deploy, guards, keys, log_file) = (choice(7), choice(8), choice(9), choice(10));
    let (mode, webhooks, storage) = (choice(11), choice(12), choice(13));
    let file = if storage.contains("off") { "" } else { FILE };
    format!(
        "[project]\nname = \"pair\"\n[auth]\n{totp}\n{mode}\n[organizations]\n{personal}\n{keys}\n[tenancy]\n{rls}\n\
         {billing}\n[email]\n{email}\n[jobs]\n{jobs}\n[observability]\n{metrics}\n{log_file}\n{webhooks}\n[storage]\n{storage}\n[deploy]\n{deploy}\n\
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

//! Reprints Python files into a folder: `reprint OUT ROOT FILE…`, to see what a formatter or a
//! parser makes of them. Prints one JSON object a file that is refused or differs, and a summary.

use astgen_pyast::{first_difference, on_large_stack, parse_module, print};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Summary {
    printed: usize,
    refused: usize,
    different: usize,
    bytes: usize,
    printing: Duration,
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(out), Some(root)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: reprint OUT ROOT FILE...");
        std::process::exit(2);
    };
    let files: Vec<PathBuf> = arguments.collect();
    std::panic::set_hook(Box::new(|_| ()));
    on_large_stack(|| reprint_all(&out, &root, &files))
}

fn reprint_all(out: &Path, root: &Path, files: &[PathBuf]) -> std::io::Result<()> {
    let mut summary = Summary::default();
    for file in files {
        reprint(out, root, file, &mut summary)?;
    }
    let Summary { printed, refused, different, bytes, printing } = summary;
    let speed = bytes as f64 / 1e6 / printing.as_secs_f64();
    println!(
        "{{\"printed\": {printed}, \"refused\": {refused}, \"different\": {different}, \"bytes\": {bytes}, \"seconds\": {:.4}, \"MB/s\": {speed:.1}}}",
        printing.as_secs_f64()
    );
    Ok(())
}

fn reprint(out: &Path, root: &Path, file: &Path, summary: &mut Summary) -> std::io::Result<()> {
    let parsed = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let parsed = parsed.and_then(|source| parse_module(&source).map_err(|error| error.to_string()));
    let tree = match parsed {
        Ok(tree) => tree,
        Err(error) => {
            summary.refused += 1;
            println!("{{\"file\": {file:?}, \"refused\": {error:?}}}");
            return Ok(());
        }
    };
    let (text, printing) = timed(|| print(&tree));
    summary.printing += printing;
    summary.printed += 1;
    summary.bytes += text.len();
    let difference = match parse_module(&text) {
        Ok(again) => first_difference(&tree, &again).map(|it| format!("{it:?}")),
        Err(error) => Some(error.to_string()),
    };
    if let Some(difference) = difference {
        summary.different += 1;
        println!("{{\"file\": {file:?}, \"different\": {difference:?}}}");
    }
    let target = out.join(file.strip_prefix(root).unwrap_or(file));
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(target, text)
}

/// The best of three, as other processes come in between.
fn timed(work: impl Fn() -> String) -> (String, Duration) {
    let run = || {
        let start = Instant::now();
        let text = work();
        (start.elapsed(), text)
    };
    let (time, text) = run();
    (text, time.min(run().0).min(run().0))
}

"""Makes the tables of benches/README.md: astgen against its peers, in one run on one machine.

Usage: python benches/figures.py FOLDER_WITH_PYTHON_FILES

Needs `cargo build --release --workspace` before, and `ruff` on the PATH.
Times are the least of several runs: the machine may be noisy, so read the ratios.
"""

import ast
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
RUNS = 5
ONE_THREAD = os.environ | {"RAYON_NUM_THREADS": "1"}


def least(work, runs=RUNS):
    """Return the least time of some runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def run(*command, **options):
    """Run a command to its end."""
    return subprocess.run(
        command, check=True, capture_output=True, text=True, **options
    )


def peak(*command):
    """Return time and peak memory in MB of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    assert status == 0, command
    return seconds, usage.ru_maxrss / 1024


def printing(corpus):
    """Print the speeds of printing what every peer can read."""
    with tempfile.TemporaryDirectory() as folder:
        listed = run(TARGET / "printing", corpus, folder).stdout.split()
        files, size = int(listed[0]), int(listed[1])
        ours, codegen, formatter = (float(seconds) for seconds in listed[2:])
        trees = [ast.parse(path.read_bytes()) for path in Path(folder).iterdir()]
        unparse = sum(least(lambda tree=tree: ast.unparse(tree)) for tree in trees)
        options = ["--isolated", "--no-cache", "--quiet", "--check", folder]
        process = least(
            lambda: subprocess.run(["ruff", "format", *options], env=ONE_THREAD)
        )
    print("| printer | what is timed | MB/s | astgen is faster by |")
    print("| --- | --- | --: | --: |")
    for name, what, seconds in [
        ("astgen", "tree to text", ours),
        ("`ruff format` (`ruff_python_formatter` 0.0.10)", "tree to text", formatter),
        (
            "ruff's code generator (`ruff_python_codegen` 0.0.10)",
            "tree to text",
            codegen,
        ),
        ("`ast.unparse`", "tree to text", unparse),
        (
            "`ruff format --check`",
            "the whole process: read, parse, format, compare",
            process,
        ),
    ]:
        print(
            f"| {name} | {what} | {size / 1e6 / seconds:.1f} | {seconds / ours:.1f} |"
        )
    print(f"\n{files} files, {size / 1e6:.1f} MB, one thread.\n")


def building():
    """Print time and memory of builds of the full example, and of 10, 100 and 1,000 entities."""
    print(
        "| spec | files | MB | `astgen build` | files/s | peak memory | `cp -r` | ratio |"
    )
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    acme = (ROOT / "examples" / "acme.toml").read_text()
    counts = [(f"{count:,} entities", many(count)) for count in (10, 100, 1000)]
    for name, text in [("`examples/acme.toml`", acme), *counts]:
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "astgen.toml"
            spec.write_text(text)
            # Each time a new place: a file system may be slow where something was just
            # removed.
            projects = [Path(folder) / f"project_{run}" for run in range(RUNS)]
            seconds, memory = min(build_time(spec, project) for project in projects)
            copied = min(
                copy_time(projects[0], Path(folder) / f"copy_{run}")
                for run in range(RUNS)
            )
            sizes = [
                path.stat().st_size for path in projects[0].rglob("*") if path.is_file()
            ]
        row = [
            name,
            f"{len(sizes):,}",
            f"{sum(sizes) / 1e6:.1f}",
            f"{seconds * 1000:.0f} ms",
            f"{len(sizes) / seconds:,.0f}",
            f"{memory:.0f} MB",
            f"{copied * 1000:.0f} ms",
            f"{seconds / copied:.1f}",
        ]
        print(f"| {' | '.join(row)} |")


def build_time(spec, project):
    """Time one build of a new project, and tell its peak memory in MB."""
    return peak(TARGET / "astgen", "build", spec, "--out", project)


def rebuilding(count=1000):
    """Print time and memory of a build that has nothing to do, and of one that has."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "astgen.toml"
        spec.write_text(many(count))
        project = Path(folder) / "project"
        build = [TARGET / "astgen", "build", spec, "--out", project]
        run(*build)
        git = ["git", "-C", project, "-c", "core.fsmonitor=false"]
        run(*git, "init", "-q")
        run(*git, "add", "-A")
        rows = [
            ("`git status`", [*git, "status", "--porcelain"]),
            ("`astgen build`, nothing to do", build),
        ]
        rows = [(name, measured(command)) for name, command in rows]
        spec.write_text(many(count).replace("max_length = 120", "max_length = 121", 1))
        rows.append(("`astgen build`, one field changed: the plan", measured(build)))
        files = sum(path.is_file() for path in project.rglob("*"))
    print(f"{count:,} entities, {files:,} files (with those of git).\n")
    print("| command | time | peak memory |")
    print("| --- | --: | --: |")
    for name, (seconds, memory) in rows:
        print(f"| {name} | {seconds * 1000:.0f} ms | {memory:.0f} MB |")


def measured(command):
    """Return the least time of some runs of a command, and its peak memory in MB."""
    return min(peak(*command) for _ in range(RUNS))


def copy_time(source, target):
    """Time one `cp -r` to a place where nothing is."""
    start = time.perf_counter()
    run("cp", "-r", source, target)
    return time.perf_counter() - start


def many(count):
    """Return a spec of many entities, each of which points at the one before."""
    lines = ["[project]", 'name = "big"']
    for number in range(count):
        lines += [
            f"[entities.thing_{number}]",
            'fields.title = { type = "text", max_length = 120, unique = true }',
            'fields.state = { type = "enum", values = ["open", "closed"], default = "open" }',
            'fields.amount = { type = "decimal", precision = 12, scale = 2, optional = true }',
        ]
        if number:
            lines.append(
                f'fields.before = {{ type = "reference", to = "thing_{number - 1}" }}'
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print("## Printing\n")
    printing(Path(sys.argv[1]))
    print("## Building\n")
    building()
    print("\n## Building again\n")
    rebuilding()

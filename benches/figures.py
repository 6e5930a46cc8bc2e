"""Makes the tables of benches/README.md: astgen against its peers, in one run on one machine.

Usage: python benches/figures.py FOLDER_WITH_PYTHON_FILES

Needs `cargo build --release --examples --workspace` before, and `ruff` on the PATH.
Times are the least of several runs: the machine may be noisy, so read the ratios.
"""

import ast
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
RUNS = 3


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
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def peak(*command):
    """Return time and peak memory in MB of a command."""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def printing(corpus):
    """Print the speeds of printing on a tree of files that every peer can read."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(corpus, copy, ignore=lambda d, names: [n for n in names if not (Path(d, n).is_dir() or n.endswith(".py"))])
        listed = run(TARGET / "examples/printing", copy).stdout.split()
        size, ours, codegen = int(listed[0]), float(listed[1]), float(listed[2])
        trees = []
        for path in copy.rglob("*.py"):
            try:
                trees.append(ast.parse(path.read_bytes()))
            except (SyntaxError, ValueError):
                continue
        unparse = least(lambda: [ast.unparse(tree) for tree in trees], 1)
        options = ["--isolated", "--no-cache", "--quiet", "--check", "--line-length", "88", copy]
        ruff = least(lambda: subprocess.run(["ruff", "format", *options], env=os.environ | {"RAYON_NUM_THREADS": "1"}))
        parse = least(lambda: subprocess.run(["ruff", "check", "--isolated", "--no-cache", "--quiet", "--select", "E999", copy], env=os.environ | {"RAYON_NUM_THREADS": "1"}, capture_output=True))
    print("| printer | what is timed | MB/s | astgen is faster by |")
    print("| --- | --- | --: | --: |")
    for name, what, seconds in [
        ("astgen", "printing alone, one thread", ours),
        ("ruff's code generator 0.0.10", "printing alone, one thread", codegen),
        ("`ast.unparse`", "printing alone", unparse),
        ("`ruff format`", "the process less reading and parsing, one thread", ruff - parse),
        ("`ruff format`", "the whole process, one thread", ruff),
    ]:
        print(f"| {name} | {what} | {size / 1e6 / seconds:.1f} | {seconds / ours:.1f} |")
    print(f"\n{len(trees)} files, {size / 1e6:.1f} MB.\n")


def building():
    """Print time and memory of builds with 10, 100 and 1,000 entities."""
    print("| entities | files | `astgen build` | files/s | peak memory | `cp -r` | ratio |")
    print("| --: | --: | --: | --: | --: | --: | --: |")
    for count in (10, 100, 1000):
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "astgen.toml"
            spec.write_text(many(count))
            project = Path(folder) / "project"
            seconds, memory = min(
                (shutil.rmtree(project, ignore_errors=True), peak(str(TARGET / "astgen"), "build", str(spec), "--out", str(project)))[1]
                for _ in range(RUNS)
            )
            files = sum(1 for path in project.rglob("*") if path.is_file())
            copy = Path(folder) / "copy"
            copied = least(lambda: (shutil.rmtree(copy, ignore_errors=True), run("cp", "-r", project, copy)) and None)
            removed = least(lambda: None)
            copied = min(copy_time(project, copy) for _ in range(RUNS)) - removed
        print(f"| {count} | {files} | {seconds:.2f} s | {files / seconds:.0f} | {memory:.0f} MB | {copied:.2f} s | {seconds / copied:.1f} |")


def copy_time(source, target):
    """Time one `cp -r` to a place where nothing is."""
    shutil.rmtree(target, ignore_errors=True)
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
            lines.append(f'fields.before = {{ type = "reference", to = "thing_{number - 1}" }}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print("## Printing\n")
    printing(Path(sys.argv[1]))
    print("## Building\n")
    building()

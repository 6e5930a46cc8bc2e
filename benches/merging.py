"""Makes the table of merges in benches/README.md: astgen against git and mergiraf.

Usage: python benches/merging.py --corpus FOLDER [--mergiraf PROGRAM]
       python benches/merging.py --releases BASE OURS THEIRS [BASE OURS THEIRS …]

Needs `cargo build --release` before. Each merge of a corpus is of a real file that two
sides edited at random, from a fixed seed: some edits are far apart, some clash. Releases
are folders of one package: a release, the last one of its line, and the one that came
after; what all three have and each has differently is merged.

What is timed is the CPU time of the whole process, its start included. Peak memory is
what GNU time says: a child of this program would count the memory of its parent.
"""

import argparse
import ast
import os
import random
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
SIZES = [(100, 300), (300, 1_000), (1_000, 3_000), (3_000, 10_000)]
FILES = 40
EDITS = 6


def statements(text):
    """Return the first and last line of each statement on lines of its own."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    return sorted((node.lineno - 1, node.end_lineno, node.col_offset) for node in found)


def edited(text, by, chance):
    """Return a text after some edits that leave it Python."""
    for number in range(EDITS):
        lines = text.splitlines(keepends=True)
        start, end, column = chance.choice(statements(text))
        indent = " " * column
        name = f"{by}_{number}"
        match chance.randrange(6):
            case 0:
                lines.insert(start, f"{indent}{name} = 1\n")
            case 1:
                lines.insert(start, f"{indent}# {name}\n")
            case 2:
                if end - start > 3:
                    continue
                del lines[start:end]
            case 3:
                lines[start] = lines[start].replace("(", f"({name}=1, ", 1)
            case 4:
                tops = [top for top in statements(text) if top[2] == 0]
                lines.insert(
                    chance.choice(tops)[1], f"\n\ndef {name}():\n    return 1\n\n\n"
                )
            case 5:
                body = [
                    f"    {line}" if line.strip() else line for line in lines[start:end]
                ]
                lines[start:end] = [f"{indent}if {name}:\n", *body]
        new = "".join(lines)
        try:
            ast.parse(new)
        except SyntaxError:
            continue
        text = new
    return text


def merges(corpus):
    """Yield, for each range of sizes, the versions of some files."""
    chance = random.Random(7)
    files = sorted(corpus.rglob("*.py"))
    chance.shuffle(files)
    for least, most in SIZES:
        found = []
        for file in files:
            try:
                base = file.read_text()
                if not least <= base.count("\n") < most:
                    continue
                ast.parse(base)
            except (SyntaxError, UnicodeDecodeError, ValueError):
                continue
            ours, theirs = (edited(base, side, chance) for side in ("ours", "theirs"))
            found.append([text.encode() for text in (base, ours, theirs)])
            if len(found) == FILES:
                break
        yield f"{least:,} to {most:,}", found


def releases(folders):
    """Yield the versions of all files that three releases have, each differently."""
    found = []
    for base, ours, theirs in zip(*[iter(folders)] * 3, strict=True):
        for file in sorted(base.rglob("*.py")):
            paths = [folder / file.relative_to(base) for folder in (base, ours, theirs)]
            if not all(path.exists() for path in paths):
                continue
            texts = [path.read_bytes() for path in paths]
            if len(set(texts)) == len(texts):
                found.append(texts)
    yield "all", found


def cpu(command, output):
    """Return the CPU time of a process in milliseconds, and how it ended."""
    with Path(output).open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    milliseconds = 1000 * (usage.ru_utime + usage.ru_stime)
    return milliseconds, os.waitstatus_to_exitcode(status)


def peak(command):
    """Return the peak memory of a process in MB."""
    timed = ["/usr/bin/time", "--format", "%M", *command]
    done = subprocess.run(timed, capture_output=True, text=True)
    return int(done.stderr.splitlines()[-1]) / 1024


def is_python(text):
    """Tell whether a text is Python."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def main(groups, mergiraf):
    """Print the table."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tools = {
        "git merge-file": lambda base, ours, theirs: [
            "git",
            "merge-file",
            "-p",
            "--diff3",
            ours,
            base,
            theirs,
        ],
        "astgen merge": lambda base, ours, theirs: [
            TARGET / "astgen",
            "merge",
            base,
            ours,
            theirs,
        ],
    }
    if mergiraf:
        tools["mergiraf"] = lambda base, ours, theirs: [
            mergiraf,
            "merge",
            base,
            ours,
            theirs,
        ]
    print(
        "| lines | merge | CPU median | p99 | peak memory | clean | clean, and not Python |"
    )
    print("| --- | --- | --: | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.py" for name in ("base", "ours", "theirs")]
        merged = Path(folder) / "merged"
        for label, found in groups:
            figures = {name: [] for name in tools}
            for texts in found:
                for path, text in zip(paths, texts, strict=True):
                    path.write_bytes(text)
                for name, command in tools.items():
                    best = min(cpu(command(*paths), merged) for _ in range(3))
                    broken = best[1] == 0 and not is_python(merged.read_bytes())
                    figures[name].append((*best, broken, peak(command(*paths))))
            for name, runs in figures.items():
                times = sorted(run[0] for run in runs)
                row = [
                    label,
                    f"`{name}`",
                    f"{statistics.median(times):.1f} ms",
                    f"{times[min(len(times) - 1, int(len(times) * 0.99))]:.1f} ms",
                    f"{statistics.median(run[3] for run in runs):.0f} MB",
                    f"{sum(run[1] == 0 for run in runs)} of {len(runs)}",
                    f"{sum(run[2] for run in runs)}",
                ]
                print(f"| {' | '.join(row)} |")


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--releases", type=Path, nargs="+", default=[])
    parser.add_argument("--mergiraf")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    groups = merges(given.corpus) if given.corpus else releases(given.releases)
    main(groups, given.mergiraf)

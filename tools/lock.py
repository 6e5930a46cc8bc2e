"""Lock the packages of the generated backend.

Usage: python tools/lock.py BACKEND [--keep], where BACKEND is the generated backend of
examples/acme.toml with `tracing = true` in `[observability]`, which has every
dependency that a spec can switch on. uv resolves them, and emitters/src/files/lock.json
takes the answer, without a word about the index that it came from. With --keep, what is
locked stays at its version, and only what is new is added.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

LOCK = Path(__file__).parent.parent / "emitters/src/files/lock.json"
COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--no-config"),
    *("--universal", "--generate-hashes", "--no-header", "--no-emit-index-url"),
    # pip takes `coverage==7.1` for no pin of the `coverage[toml]` that another package
    # asks for, and refuses to install once there is a newer one.
    "--no-strip-extras",
    # The oldest Python that a spec can ask for, whichever runs this; one version for all.
    *("--python-version", "3.11", "--fork-strategy", "fewest"),
)
ENTRY = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[(?P<extras>[a-z0-9,-]+)\])?"
    r"==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?(?: \\)?$"
)
HASH = re.compile(r"^    --hash=(?P<hash>sha256:[0-9a-f]{64})(?: \\)?$")
VIA = re.compile(r"^    #(?: via)? +(?P<name>[a-z0-9-]+)$")
PROJECT = re.compile(r"^    #(?: via)? +\S+ \(\S+\)$")


class Package(TypedDict):
    """A package at one version."""

    name: str
    extras: list[str]
    version: str
    marker: str | None
    required_by: list[str]
    hashes: list[str]


def read(lines: list[str]) -> list[Package]:
    """Read what uv printed; a line that is not known is an error."""
    packages: list[Package] = []
    for line in lines:
        if entry := ENTRY.match(line):
            packages.append(
                Package(
                    name=entry["name"],
                    extras=entry["extras"].split(",") if entry["extras"] else [],
                    version=entry["version"],
                    marker=entry["marker"],
                    required_by=[],
                    hashes=[],
                )
            )
        elif found := HASH.match(line):
            packages[-1]["hashes"].append(found["hash"])
        elif found := VIA.match(line):
            packages[-1]["required_by"].append(found["name"])
        elif not PROJECT.match(line) and line.strip() != "# via":
            raise SystemExit(f"tools/lock.py cannot read {line!r}")
    return packages


def locked_versions() -> str:
    """Return what is locked now, as constraints."""
    packages = json.loads(LOCK.read_text())["packages"]
    return "".join(f"{one['name']}=={one['version']}\n" for one in packages)


def main() -> None:
    """Resolve, and write the lock."""
    pyproject = Path(sys.argv[1]) / "pyproject.toml"
    command = [*COMPILE, str(pyproject), "--group", f"{pyproject}:dev"]
    constraints = None
    if "--keep" in sys.argv[2:]:
        command += ["--constraints", "-"]
        constraints = locked_versions()
    answer = subprocess.run(
        command, check=True, capture_output=True, text=True, input=constraints
    )
    packages = read(answer.stdout.splitlines())
    LOCK.write_text(json.dumps({"packages": packages}, indent=1) + "\n")
    print(f"{LOCK}: {len(packages)} packages")


if __name__ == "__main__":
    main()

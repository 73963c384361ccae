"""Write the lock files and environment.yml from pyproject.toml: `make lock`.

uv looks for versions that fit Python 3.11 to 3.13 on Linux, macOS and Windows at once. The files
hold plain `name==version` rows: no hashes, no local suffixes such as `+cpu`, no paths, no addresses
of indexes, and nothing that only a CUDA build of PyTorch wants (its wheel asks for that by itself).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FULL, LIGHT, TOOLS = "requirements.lock", "requirements-light.lock", "requirements-dev.lock"
CONDA = "environment.yml"
CONDA_PYTHON = "3.12"
HEADS = {
    FULL: "Everything the course needs.",
    LIGHT: "The course without PyTorch and TensorFlow.",
    TOOLS: "What tests and linters need besides.",
}
ROW = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*( ; [^#@/\\]+)?")
CUDA = re.compile(r"(nvidia|cuda|triton)\b")


def declared(project: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what each lock file starts from, read from a parsed pyproject.toml."""
    core = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    heavy = project["tool"]["chainrule"]["frameworks"]
    light = [row for row in core if re.split(r"[^\w.-]", row)[0] not in heavy]
    return {FULL: core, LIGHT: light, TOOLS: extras["test"] + extras["dev"]}


def refused(text: str) -> list[str]:
    """Return the rows of a lock file that may not stand in it."""
    rows = [row for row in text.splitlines() if row and not row.startswith("#")]
    return [row for row in rows if not ROW.fullmatch(row) or CUDA.match(row)]


def needed_here(text: str) -> dict[str, str]:
    """Return the versions of the rows of a lock file whose markers hold on this machine."""
    from packaging.requirements import Requirement

    rows = (Requirement(row) for row in text.splitlines() if row and not row.startswith("#"))
    return {
        row.name: str(row.specifier).removeprefix("==")
        for row in rows
        if row.marker is None or row.marker.evaluate()
    }


def resolve(requirements: Sequence[str], constraints: str, previous: str) -> list[str]:
    """Return rows `name==version ; marker` for requirements and all that they need.

    `constraints` are rows to agree with; versions in `previous` are kept where they still fit.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, agreed, answer = (Path(folder, name) for name in ("in.txt", "with.txt", "out.txt"))
        asked.write_text("\n".join(requirements))
        agreed.write_text(constraints)
        answer.write_text(previous)
        command = [
            *(sys.executable, "-m", "uv", "pip", "compile", str(asked), "-c", str(agreed)),
            *("--universal", "--python-version", "3.11", "--fork-strategy", "fewest"),
            *("--no-config", "--no-header", "--no-annotate", "--quiet", "-o", str(answer)),
        ]
        plain = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
        subprocess.run(command, check=True, env=plain)
        rows = answer.read_text().splitlines()
    return [row for row in rows if not CUDA.match(row)]


def lock_text(name: str, rows: Sequence[str]) -> str:
    """Return the whole text of a lock file."""
    head = f"# {HEADS[name]} Written by `make lock` from pyproject.toml.\n"
    return head + "".join(f"{row}\n" for row in rows)


def conda_text(lock: str) -> str:
    """Return environment.yml for the text of the full lock file."""
    rows = [row for row in lock.splitlines() if row and not row.startswith("#")]
    return "\n".join(
        [
            f"# Written by `make lock` from pyproject.toml and {FULL}.",
            "name: chainrule",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            f"  - python={CONDA_PYTHON}",
            "  - pip",
            "  - pip:",
            *(f"      - {row}" for row in rows),
            "      - -e .",
            "",
        ]
    )


def write(path: Path, text: str) -> None:
    """Put a whole file in the place of another."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the lock files and environment.yml."""
    parser = argparse.ArgumentParser(prog="make lock", description=main.__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    args = parser.parse_args(arguments)
    asked = declared(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    texts: dict[str, str] = {}
    for name in (FULL, LIGHT, TOOLS):
        known = ROOT / name
        previous = known.read_text() if known.exists() and not args.upgrade else ""
        try:
            rows = resolve(asked[name], texts.get(FULL, ""), previous)
        except subprocess.CalledProcessError:
            print(f"make lock: uv found no versions for {name}; see above.", file=sys.stderr)
            return 2
        texts[name] = lock_text(name, rows)
        print(f"{name}: {len(rows)} packages")
    texts[CONDA] = conda_text(texts[FULL])
    for name, text in texts.items():
        write(ROOT / name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

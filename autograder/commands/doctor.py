"""`autograder doctor`: what this machine has, what is missing, and the command that adds it."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.course import find_course
from autograder.sandbox.view import offered
from autograder.setup.bootstrap import fits
from autograder.setup.install import FULL, LIGHT, TOOLS
from autograder.setup.locks import needed_here

SUMMARY = "say what this machine has for the course, what is missing, and how to add it"
HEAVY = ("torch", "tensorflow")  # what a person would name, before what these need
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `state` is ok, missing, or optional: missing, and the course runs."""

    what: str
    state: str
    says: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the findings. Status 1 when something that the course needs is missing."""
    findings = list(examine(find_course().root))
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            print(f"{finding.state:<9} {finding.what:<{width}}  {finding.says}")
    return int(any(finding.state == "missing" for finding in findings))


def examine(root: Path) -> Iterator[Finding]:
    """Yield a finding for each thing that the course or its tests use."""
    yield python()
    yield packages(root / LIGHT, "packages", "missing", "make lab LIGHT=1")
    yield packages(root / FULL, "PyTorch, TensorFlow", "optional", "make lab")
    yield packages(root / TOOLS, "test tools", "optional", "make tools")
    yield program("Chromium", BROWSERS, "sudo apt install chromium", "the browser tests")
    yield sandbox()


def python() -> Finding:
    """Look at the version of this Python."""
    version = platform.python_version()
    if fits(sys.version_info):
        return Finding("Python", "ok", f"{version}, {platform.system()} {platform.machine()}")
    return Finding("Python", "missing", f"this is {version}; 3.11 to 3.13 are known to work")


def packages(lock: Path, what: str, state: str, command: str) -> Finding:
    """Compare what is installed with a lock file; `command` brings it up to date."""
    if not lock.is_file():
        return Finding(what, "ok", f"there is no {lock.name} here to compare with")
    absent, other = [], []
    wanted = needed_here(lock.read_text(encoding="utf-8"))
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            absent.append(name)
            continue
        if found != version:
            other.append(f"{name} {found} (locked: {version})")
    absent.sort(key=lambda name: name not in HEAVY)
    if not absent and not other:
        return Finding(what, "ok", f"{len(wanted)} as locked")
    said = "; ".join(
        f"{kind}: {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}"
        for kind, names in (("not installed", absent), ("other versions", other))
        if names
    )
    return Finding(what, state if absent else "optional", f"{said}; to mend it: {command}")


def program(what: str, names: tuple[str, ...], command: str, purpose: str) -> Finding:
    """Look for one of several commands on PATH; `purpose` is what goes without it."""
    for name in names:
        if path := shutil.which(name):
            return Finding(what, "ok", path)
    return Finding(what, "optional", f"not found, which {purpose} need; on Debian: {command}")


def sandbox() -> Finding:
    """Start a process in the sandbox, which is for Linux only, and see whether it is closed in."""
    if reason := offered():
        return Finding("sandbox", "optional", f"{reason}; grading here runs with your rights")
    return Finding("sandbox", "ok", "bubblewrap, namespaces and limits for every submission")

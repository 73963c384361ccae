"""Make the course's environment in `.venv`, or see in a moment that it stands.

Run by `bootstrap.py` under a bare Python, so nothing but the standard library is imported here.
What is installed comes from the lock files; a stamp beside it says from which ones, and is written
last, so an interrupted installation is never taken for a whole one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

# Relative, because the package is `setup` to bootstrap.py and `autograder.setup` to the rest.
from .pip_watch import Progress, explain, watch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[2]
FULL, LIGHT, TOOLS = "requirements.lock", "requirements-light.lock", "requirements-dev.lock"
# Room on the disk in GB: measured for the environment with everything in it, and some to spare.
ROOM = {FULL: 5.0, LIGHT: 1.5, TOOLS: 0.5}


class Stop(Exception):
    """The installation cannot go on; the message says why and what to do, in one sentence."""


def python_in(environment: Path) -> Path:
    """Return where a virtual environment keeps its interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_file(environment: Path, lock: str) -> Path:
    """Return the file that says from which text of a lock file the environment was filled."""
    return environment / "chainrule-stamps" / lock


def digest(root: Path, environment: Path, lock: str) -> str:
    """Return a hash of all that an installed lock file depends on.

    That is the lock itself, what pyproject.toml says of the package (not of its linters), and the
    environment's place, because the commands in a moved environment point to nowhere.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = (
        (root / lock).read_text(encoding="utf-8"),
        json.dumps([project["project"], project["build-system"], project["tool"].get("hatch")]),
        str(environment.resolve()),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def stands(root: Path, environment: Path, lock: str) -> bool:
    """Tell whether the environment was filled from this lock file as it is now."""
    stamp = stamp_file(environment, lock)
    return stamp.is_file() and stamp.read_text() == digest(root, environment, lock)


def missing(root: Path, environment: Path, light: bool, tools: bool) -> list[str]:
    """Return the lock files still to be installed. A full environment is a light one too."""
    core = LIGHT if light and not stands(root, environment, FULL) else FULL
    wanted = [core, TOOLS] if tools else [core]
    if not python_in(environment).exists():
        return wanted
    return [lock for lock in wanted if not stands(root, environment, lock)]


def works(environment: Path) -> bool:
    """Tell whether the environment's own Python starts, has pip, and is the one running us."""
    question = "import pip, sys; print(*sys.version_info[:2])"
    command = [str(python_in(environment)), "-c", question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, env=clean(), check=False)
    except OSError:
        return False
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def clean() -> dict[str, str]:
    """Return the environment variables without those that would lead pip elsewhere."""
    astray = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return kept | {"PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}


def make_environment(environment: Path) -> None:
    """Make an empty virtual environment, in place of a broken or older one."""
    if environment.exists() and not (environment / "pyvenv.cfg").exists():
        raise Stop(f"{environment} is in the way and is no environment; move it elsewhere first.")
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-m", "venv", "--clear", str(environment)]
    answer = subprocess.run(command, capture_output=True, text=True, env=clean(), check=False)
    if answer.returncode == 0:
        return
    said = (answer.stdout + answer.stderr).strip()
    if "ensurepip" in said or "No module named venv" in said:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Stop(
            "this Python comes without its venv module; on Debian or Ubuntu run: "
            f"sudo apt install python{version}-venv"
        )
    raise Stop(explain(said, environment) or f"python -m venv failed: {said.splitlines()[-1:]}")


def check_room(environment: Path, locks: Sequence[str]) -> None:
    """Stop before a long download that could not be unpacked."""
    free = shutil.disk_usage(environment.parent).free / 1e9
    needed = sum(ROOM[lock] for lock in locks)
    if free < needed:
        raise Stop(
            f"about {needed:.1f} GB are needed in {environment.parent} and {free:.1f} GB are free; "
            "make room, or install without PyTorch and TensorFlow: make lab LIGHT=1"
        )


def pip(environment: Path, *arguments: str, expected: int) -> None:
    """Run the environment's pip and show how far it is.

    Its own words go to `install.log` in the environment; `expected` is a guess at how many packages
    it will look at.
    """
    options = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
    command = [str(python_in(environment)), "-m", "pip", "install", *options, *arguments]
    log = environment / "install.log"
    packages = next(
        environment.glob("lib/python*/site-packages"), environment / "Lib/site-packages"
    )
    if watch(command, log, Progress(expected, packages), cwd=ROOT, env=clean()):
        return
    said = log.read_text(encoding="utf-8", errors="replace")
    if known := explain(said, environment):
        raise Stop(known)
    print("".join(f"      {line}\n" for line in said.splitlines()[-5:]), end="", file=sys.stderr)
    raise Stop(
        f"pip failed; its words are above and in {log}: mend what they name and run this again."
    )


def say(step: str) -> None:
    """Print one line of the installation at once."""
    print(step, flush=True)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep two terminals from filling one environment at the same time; the second one waits.

    The lock is on pyproject.toml and ends with the process that holds it, however that ends.
    """
    if fcntl is None:
        yield
        return
    with (root / "pyproject.toml").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another installation is at work here; waiting for it to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(root: Path, environment: Path, locks: Sequence[str]) -> None:
    """Fill the environment from the lock files, then add the course itself, then leave stamps."""
    check_room(environment, locks)
    fresh = not works(environment)
    if fresh:
        renewed = "anew " if environment.exists() else ""
        version = ".".join(str(part) for part in sys.version_info[:3])
        say(f"[1/3] Making the environment {renewed}in {environment.name}/ with Python {version}")
        make_environment(environment)
    else:
        say(f"[1/3] The environment in {environment.name}/ is there; bringing it up to date")
    for lock in locks:
        stamp_file(environment, lock).unlink(missing_ok=True)
    rows = [row for lock in locks for row in (root / lock).read_text().splitlines()]
    count = len({row for row in rows if re.match(r"\w", row) and "win32" not in row})
    first = "; the first time this takes some minutes" if fresh else ""
    say(f"[2/3] Installing about {count} packages{first}")
    pip(environment, *(word for lock in locks for word in ("-r", lock)), expected=count)
    say("[3/3] Adding the course's own commands")
    pip(environment, "--no-deps", "-e", ".", expected=1)
    for lock in locks:
        stamp = stamp_file(environment, lock)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest(root, environment, lock))


def main(arguments: Sequence[str]) -> int:
    """Bring `.venv` up to date. Status 0: it is; 2: it could not be."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=main.__doc__)
    parser.add_argument("--light", action="store_true", help="without PyTorch and TensorFlow")
    parser.add_argument("--tools", action="store_true", help="with what tests and linters need")
    args = parser.parse_args(arguments)
    environment = ROOT / ".venv"
    if not missing(ROOT, environment, args.light, args.tools):
        return 0
    begun = time.monotonic()
    try:
        with alone(ROOT):
            locks = missing(ROOT, environment, args.light, args.tools)
            if not locks:
                return 0
            install(ROOT, environment, locks)
    except Stop as stop:
        print(f"The installation stopped: {stop}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped before the end; run the same command to go on.", file=sys.stderr)
        return 130
    say(f"The environment is ready after {time.monotonic() - begun:.0f} s.")
    return 0

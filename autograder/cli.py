"""The command `autograder`: a table of verbs, each a module of `autograder.commands`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from autograder.environ import leave_slow_extras_out, put_tools_on_path
from autograder.errors import Problem

VERBS = (
    "lab", "build", "adopt", "new", "check", "solution", "audit",
    "grade", "feedback", "report", "export", "pack", "doctor",
)  # fmt: skip


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the command's parser, one sub-command per verb.

    With `only`, a verb, nothing else is loaded: some verbs import much, `lab` should start at once.
    """
    about = "Build, check and grade the course."
    root = argparse.ArgumentParser(prog="autograder", description=about)
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in [only] if only in VERBS else VERBS:
        module = importlib.import_module(f"autograder.commands.{verb}")
        sub = verbs.add_parser(verb, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(sub)
        sub.set_defaults(run=module.run, passes_on=getattr(module, "PASSES_ON", False))
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Status 0: done, 1: something was found, 2: could not run."""
    try:
        return _main(sys.argv[1:] if arguments is None else list(arguments))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "autograder", "chainrule"):
            raise
        print(
            f"autograder: the package {package} is missing here; `make lab` installs what the "
            "course needs, `autograder doctor` lists what is missing.",
            file=sys.stderr,
        )
        return 2


def _main(words: list[str]) -> int:
    leave_slow_extras_out()
    root = parser(words[0] if words else None)
    args, unknown = root.parse_known_args(words)
    if unknown and not args.passes_on:
        root.error(f"unrecognized arguments: {' '.join(unknown)}")
    args.passed_on = unknown
    put_tools_on_path()
    try:
        return int(args.run(args))
    except Problem as problem:
        print(f"autograder {args.verb}: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough: `autograder report 01 | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"autograder {args.verb}: stopped; what was written is whole.", file=sys.stderr)
        return 130

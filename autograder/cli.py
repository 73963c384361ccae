"""The command `autograder`: a table of verbs, each a module of `autograder.commands`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from autograder.environ import put_tools_on_path
from autograder.errors import Problem

VERBS = (
    "lab", "build", "adopt", "new", "check", "solution", "audit",
    "grade", "feedback", "report", "export", "release", "collect", "pack", "doctor",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the whole command's parser, one sub-command per verb that exists."""
    about = "Build, check and grade the course."
    root = argparse.ArgumentParser(prog="autograder", description=about)
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        try:
            module = importlib.import_module(f"autograder.commands.{verb}")
        except ModuleNotFoundError as error:
            if error.name == f"autograder.commands.{verb}":
                continue
            raise
        sub = verbs.add_parser(verb, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(sub)
        sub.set_defaults(run=module.run, passes_on=getattr(module, "PASSES_ON", False))
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Status 0: done, 1: something was found, 2: could not run."""
    root = parser()
    args, unknown = root.parse_known_args(arguments)
    if unknown and not args.passes_on:
        root.error(f"unrecognized arguments: {' '.join(unknown)}")
    args.passed_on = unknown
    put_tools_on_path()
    try:
        return int(args.run(args))
    except Problem as problem:
        print(f"autograder {args.verb}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"autograder {args.verb}: stopped; what was written is whole.", file=sys.stderr)
        return 130

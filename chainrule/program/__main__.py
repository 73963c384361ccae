"""Run a saved program: `python -m chainrule.program FILE.json --feed x=x.npy --out result.npz`.

What built the graph is not needed, and not imported. Variables that the run assigns are written
back with `--keep`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from chainrule.errors import ChainruleError, FeedError
from chainrule.program.execute import execute
from chainrule.program.files import load, save


def main(words: list[str] | None = None) -> int:
    """Run from the command line; 0 if it ran, 2 with one sentence if it could not."""
    parser = argparse.ArgumentParser(prog="python -m chainrule.program", description=__doc__)
    parser.add_argument("file", type=Path, help="the JSON file of a saved program")
    parser.add_argument(
        "--feed", action="append", default=[], metavar="NAME=FILE.npy", help="an array to feed"
    )
    parser.add_argument("--out", type=Path, help="write what is fetched to this .npz file")
    parser.add_argument("--seed", type=int, default=0, help="of random steps; default 0")
    parser.add_argument("--keep", action="store_true", help="save changed variables in FILE")
    args = parser.parse_args(words)
    try:
        program, state = load(args.file)
        feeds = dict(fed(word) for word in args.feed)
        values = execute(program, feeds, state, np.random.default_rng(args.seed))
        names = [program.steps[i].name for i in program.fetches]
        found = {n: v for n, v in zip(names, values, strict=True) if v is not None}
        for name, value in found.items():
            print(f"{name} {value.shape} {value.dtype}: {np.array2string(value, threshold=8)}")
        if args.out:
            np.savez(args.out, **found)
        if args.keep:
            save(program, args.file, state)
    except (ChainruleError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def fed(word: str) -> tuple[str, np.ndarray]:
    """Return the name and array of `NAME=FILE.npy`."""
    name, equals, path = word.partition("=")
    if not equals:
        raise FeedError(f"--feed takes NAME=FILE.npy, not {word!r}")
    try:
        return name, np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise FeedError(f"--feed {word}: no array can be read there ({error})") from None


if __name__ == "__main__":
    sys.exit(main())

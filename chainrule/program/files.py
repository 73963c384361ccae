"""Programs on disk: the steps as JSON, the arrays beside them as npz.

`save` writes `NAME.json` and `NAME.npz`; `load` reads them back after checking that nothing is
missing or changed. Neither knows how the graph was built.

>>> import tempfile, pathlib
>>> from chainrule import graph
>>> from chainrule.program.execute import execute
>>> with graph.Graph():
...     x = graph.placeholder("float32", (2,), name="x")
...     program = graph.lower([x * 2.0])
>>> with tempfile.TemporaryDirectory() as folder:
...     path = save(program, pathlib.Path(folder) / "double")
...     again, state = load(path)
>>> execute(again, {"x": [1.0, 2.0]})
[array([2., 4.], dtype=float32)]
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import GraphFileError
from chainrule.primitive import TABLE
from chainrule.program import At, Program, Step
from chainrule.program.execute import KINDS

VERSION = 1


def save(program: Program, path: str | Path, state: Mapping[str, np.ndarray] | None = None) -> Path:
    """Write a program, and the values of its variables, to `path`.json and `path`.npz.

    Returns:
        The path of the JSON file. Both files are whole or not there.

    Raises:
        GraphFileError: An option is something that a file cannot hold.
    """
    path = Path(path).with_suffix(".json")
    arrays: dict[str, np.ndarray] = {}
    body: dict[str, Any] = {
        "program": encode(program, arrays),
        "state": {name: encode(value, arrays) for name, value in (state or {}).items()},
    }
    store = io.BytesIO()
    np.savez(store, allow_pickle=False, **arrays)
    whole = {"version": VERSION, "arrays": digest(store.getvalue()), "body": digest(dumped(body))}
    write(path.with_suffix(".npz"), store.getvalue())
    write(path, json.dumps({**whole, **body}, indent=1).encode())
    return path


def load(path: str | Path) -> tuple[Program, dict[str, np.ndarray]]:
    """Return a saved program and the values of its variables.

    Raises:
        GraphFileError: A file is missing, cut off or changed, or asks for an unknown operation.
    """
    path = Path(path).with_suffix(".json")
    raw, stored = read(path), read(path.with_suffix(".npz"))
    try:
        whole = json.loads(raw)
    except ValueError as error:
        raise GraphFileError(f"{path} is cut off or no JSON: {error}") from None
    if not isinstance(whole, dict) or whole.get("version") != VERSION:
        raise GraphFileError(f"{path} is no saved program of version {VERSION}")
    body = {key: whole.get(key) for key in ("program", "state")}
    if whole.get("body") != digest(dumped(body)):
        raise GraphFileError(f"{path} was changed after it was saved; save it again")
    if whole.get("arrays") != digest(stored):
        raise GraphFileError(f"{path.with_suffix('.npz')} is not the file that belongs to {path}")
    try:
        with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
            program = decode(body["program"], dict(arrays))
            state = {name: decode(v, dict(arrays)) for name, v in dict(body["state"] or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise GraphFileError(f"{path} holds no whole program: {error}") from None
    verify(program, path)
    return program, state


def write(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def read(path: Path) -> bytes:
    """Return the bytes of a file; GraphFileError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise GraphFileError(f"{path} cannot be read: {error.strerror}") from None


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def dumped(body: Any) -> bytes:
    """Return JSON in the one form that is hashed."""
    return json.dumps(body, sort_keys=True).encode()


def verify(program: Program, path: Path) -> None:
    """Raise GraphFileError unless every step is known and comes after what it needs."""
    for place, step in enumerate(program.steps):
        if step.op not in TABLE and step.op not in KINDS:
            raise GraphFileError(f"{path}: step {step.name!r} asks for {step.op!r}, unknown here")
        if any(i >= place for i in step.needs()):
            raise GraphFileError(f"{path}: step {step.name!r} needs a value that is made later")
        for option in step.options.values():
            if isinstance(option, Program):
                verify(option, path)
    if any(i >= len(program.steps) for i in [*program.feeds.values(), *program.fetches]):
        raise GraphFileError(f"{path}: a feed or fetch points to no step")


# ------------------------------------------------------------------- values as JSON, and back


def encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON; arrays go to `arrays` under a name."""
    if isinstance(value, At):
        return {"at": int(value)}
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        return {"float": str(float(value))}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return encode(value.item(), arrays)
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, tuple):
        return {"tuple": [encode(v, arrays) for v in value]}
    if isinstance(value, list):
        return [encode(v, arrays) for v in value]
    if isinstance(value, slice):
        return {"slice": [encode(v, arrays) for v in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return {"dtype": np.dtype(value).name}
    if isinstance(value, Program):
        return {"program": encode_program(value, arrays)}
    raise GraphFileError(f"an option of a step cannot be saved: {value!r}")


FIELDS = ("op", "inputs", "options", "name", "shape", "dtype", "after", "line")


def encode_program(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a program as JSON."""
    steps = []
    for step in program.steps:
        record = {key: getattr(step, key) for key in FIELDS}
        record["options"] = {k: encode(v, arrays) for k, v in step.options.items()}
        for key in ("inputs", "shape", "after"):
            record[key] = [encode(v, arrays) for v in record[key]]
        steps.append(record)
    feeds = {name: int(place) for name, place in program.feeds.items()}
    return {"steps": steps, "feeds": feeds, "fetches": [int(i) for i in program.fetches]}


def decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return what `encode` was given."""
    if isinstance(value, list):
        return [decode(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    return DECODERS[kind](inner, arrays)


def decode_program(record: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Program:
    """Return the program of a JSON record."""
    steps = []
    for raw in record["steps"]:
        raw = {key: raw[key] for key in FIELDS}
        raw["options"] = {k: decode(v, arrays) for k, v in raw["options"].items()}
        for key in ("inputs", "shape", "after"):
            raw[key] = tuple(decode(v, arrays) for v in raw[key])
        steps.append(Step(**raw))
    feeds = {name: At(place) for name, place in record["feeds"].items()}
    return Program(steps, feeds, [At(i) for i in record["fetches"]])


DECODERS: dict[str, Any] = {
    "at": lambda inner, arrays: At(inner),
    "float": lambda inner, arrays: float(inner),
    "array": lambda inner, arrays: arrays[inner],
    "tuple": lambda inner, arrays: tuple(decode(v, arrays) for v in inner),
    "slice": lambda inner, arrays: slice(*[decode(v, arrays) for v in inner]),
    "ellipsis": lambda inner, arrays: Ellipsis,
    "dtype": lambda inner, arrays: np.dtype(inner),
    "program": decode_program,
}

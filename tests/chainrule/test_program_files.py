"""Saved programs: the same values in a process without the builder; damaged files are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import graph
from chainrule.program import At
from chainrule.program.execute import execute
from chainrule.program.files import decode, encode, load, save

WITHOUT_BUILDER = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("chainrule.graph", "chainrule.compiler")):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from chainrule.program.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run_alone(*words: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_BUILDER, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def training() -> tuple[Any, Any, Any]:
    """Return a graph with everything in it: variables, a loop, a branch, indices, constants."""
    x = graph.placeholder("float32", (4, 3), name="x")
    w = graph.Variable(np.full((3, 3), 0.5, "float32"), name="w")
    h = graph.while_loop(
        lambda i, h: i < 3, lambda i, h: (i + 1, (h @ w).tanh()), [graph.constant(0), x]
    )[1]
    h = graph.cond(h.sum() > 0, lambda: h[:, ::-1], lambda: -h)
    loss = cr.cross_entropy(h, graph.constant([0, 1, 2, 0])) + h.max(axis=-1).sum() * 0.1
    return loss, graph.GradientDescentOptimizer(0.1).minimize(loss), x


def test_a_saved_graph_trains_in_a_process_without_the_builder(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.save(tmp_path / "x.npy", data)
    with graph.Graph(), graph.Session() as session:
        loss, train, x = training()
        session.run(graph.global_variables_initializer())
        path = session.save(tmp_path / "net", [loss, train])
        expected = [session.run([loss, train], {x: data})[0] for _ in range(3)]
    for value in expected:
        words = (path, "--feed", f"x={tmp_path / 'x.npy'}", "--out", tmp_path / "o.npz", "--keep")
        done = run_alone(*words)
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / "o.npz") as out:
            (mine,) = out.values()
        assert mine == value
    assert expected[0] > expected[-1]


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    with graph.Graph():
        x = graph.placeholder("float32", (2,), name="x")
        path = save(graph.lower([x.exp()]), tmp_path / "e")
    for words, sentence in (
        ((tmp_path / "none",), "cannot be read"),
        ((path,), "'x' must be fed"),
        ((path, "--feed", "x"), "NAME=FILE.npy"),
        ((path, "--feed", "x=nowhere.npy"), "no array can be read"),
    ):
        done = run_alone(*words)
        assert done.returncode == 2 and sentence in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with graph.Graph():
        x = graph.placeholder("float32", (2,), name="x")
        return save(graph.lower([x * graph.constant([1.0, 2.0])]), tmp_path / "p")


def test_damaged_files_are_refused(saved: Path) -> None:
    whole = saved.read_text()
    arrays = saved.with_suffix(".npz").read_bytes()

    def refused(text: str, npz: bytes, sentence: str) -> None:
        saved.write_text(text)
        saved.with_suffix(".npz").write_bytes(npz)
        with pytest.raises(cr.GraphFileError, match=sentence):
            load(saved)

    refused(whole[: len(whole) // 2], arrays, "cut off")
    refused(whole.replace("multiply", "add"), arrays, "changed after")
    refused(whole, arrays[:-20], "not the file that belongs")
    refused(whole, b"", "not the file that belongs")
    refused("[]", arrays, "no saved program")
    refused(json.dumps({**json.loads(whole), "version": 99}), arrays, "version 1")
    saved.write_text(whole)
    saved.with_suffix(".npz").write_bytes(arrays)
    load(saved)


def test_steps_that_no_builder_would_write_are_refused(tmp_path: Path) -> None:
    with graph.Graph():
        x = graph.placeholder("float32", (2,), name="x")
        program = graph.lower([x * 2.0 + 1.0])
    for change, sentence in (
        ({"op": "launch"}, "unknown here"),
        ({"inputs": (At(2), 2.0)}, "made later"),
    ):
        changed = graph.lower([x * 2.0 + 1.0])
        changed.steps[1] = type(program.steps[1])(**{**vars(program.steps[1]), **change})
        with pytest.raises(cr.GraphFileError, match=sentence):
            load(save(changed, tmp_path / "p"))
    program.fetches.append(At(9))
    with pytest.raises(cr.GraphFileError, match="points to no step"):
        load(save(program, tmp_path / "p"))
    program.steps[1].options["strange"] = object()
    with pytest.raises(cr.GraphFileError, match="cannot be saved"):
        save(program, tmp_path / "p")


def test_options_come_back_as_they_were() -> None:
    value = (slice(None, 3, -1), ..., None, (1, [2.5, True]), At(4), np.dtype("int8"), "text")
    arrays: dict[str, np.ndarray] = {}
    again = decode(json.loads(json.dumps(encode(value, arrays))), arrays)
    assert again == value and isinstance(again[4], At)
    assert np.isnan(decode(encode(float("nan"), arrays), arrays))
    assert decode(encode(-np.inf, arrays), arrays) == -np.inf


def test_a_saved_program_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with graph.Graph():
            x = graph.placeholder("float32", (2,), name="x")
            save(graph.lower([x * graph.constant([1.0, 2.0])]), tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    program, _ = load(tmp_path / "a")
    np.testing.assert_array_equal(execute(program, {"x": [3.0, 4.0]})[0], [3, 8])

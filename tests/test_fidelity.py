"""A cell shows in our answer process what it shows in a notebook: both are run and compared.

The cells of `fidelity_cells.txt` go through nbgrader's Execute and a kernel behind sockets, and
through the `Shell`, each from the first to the last in one process. What differs from run to run is
masked: addresses, ids, counts, times, process ids, file names of cells.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.preprocessors import Execute

from autograder.page import MAX_OUTPUTS, MAX_SHOWN, settle
from autograder.shell import Shell
from autograder.streams import MAX_TEXT

TIMEOUT = 3
STOPS = ("stopped", "stopped_stubborn")

CELLS = {
    name: source.strip("\n")
    for name, source in re.findall(
        r"^# %% (\w+)\n(.*?)(?=^# %% |\Z)",
        Path(__file__).with_name("fidelity_cells.txt").read_text(),
        re.DOTALL | re.MULTILINE,
    )
}
"""Name -> source, in the order in which they run."""

RUNNER = """
import json, sys
from autograder.shell import Shell
cells, limits = json.load(sys.stdin)
shell = Shell()
print(json.dumps([shell.run(source, limit) for source, limit in zip(cells, limits)]))
"""


def real_kernel(cells: list[str]) -> tuple[list[Any], Any]:
    """Run cells in a kernel; return the outputs and the state of widgets."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)  # it would keep ipykernel from 1 and 2
        Execute(timeout=TIMEOUT, kernel_name="python3").preprocess(notebook, {})
    return [cell.outputs for cell in notebook.cells], notebook.metadata.get("widgets", {})


def our_shell(cells: list[str], limits: list[float]) -> tuple[list[Any], Any]:
    """Run cells in the shell; return the outputs and the state of widgets."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps([cells, limits]),
        capture_output=True,
        text=True,
        check=True,
    )
    outputs: list[Any] = []
    widgets: dict[str, Any] = {}
    for found in json.loads(done.stdout):
        for one in found:
            if one["output_type"] == "widget_state":
                widgets |= one["state"]
        outputs.append(settle(found, outputs))
    return outputs, widgets


MASKS = (
    (r"/tmp/ipykernel_\d+/\d+\.py", "<cell>"),
    (r"0x[0-9a-f]{6,}", "<address>"),
    (r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", "<id>"),
    (r"(In|Out) ?(\x1b\[[\d;]*m)*\[(\x1b\[[\d;]*m)*\d+", r"\1[n"),
    (r"(?m)^(CPU times|Wall time): .*$", "<time>"),
    (r"Thread-\d+", "Thread-n"),
    (r"ForkPoolWorker-\d+|pid=\d+", "<process>"),
    (r"kernel_\d+", "<kernel>"),
)


def without_ids(states: Any) -> list[Any]:
    """Return the states of widgets in an order that does not depend on their ids."""
    return sorted((masked(state) for state in states.values()), key=repr)


def masked(value: Any) -> Any:
    """Return outputs without what differs from run to run."""
    if isinstance(value, str):
        for pattern, stands_for in MASKS:
            value = re.sub(pattern, stands_for, value)
        return value
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, dict):
        if value.get("ename") == "CellTimeoutError":
            return "stopped, each in its own words"
        kept = {k: v for k, v in value.items() if k not in ("execution_count", "transient")}
        return {masked(key): masked(one) for key, one in kept.items()}
    return value


def joined(outputs: list[Any]) -> list[Any]:
    """Return outputs with each stream in one piece between two displays, stdout first.

    When a kernel sends what was printed depends on its clock, and so does the order of the two.
    """
    done: list[Any] = []
    waiting: dict[str, str] = {}
    for one in [*outputs, None]:
        if one and one["output_type"] == "stream":
            waiting[one["name"]] = waiting.get(one["name"], "") + one["text"]
            continue
        done += [
            {"output_type": "stream", "name": n, "text": waiting[n]} for n in sorted(waiting)[::-1]
        ]
        waiting = {}
        if one:
            done.append(dict(one))
    return done


@pytest.fixture(scope="module")
def both() -> dict[str, tuple[Any, Any]]:
    names, cells = list(CELLS), list(CELLS.values())
    real, real_widgets = real_kernel(cells)
    limits = [1.0 if name in STOPS else 20.0 for name in names]
    ours, our_widgets = our_shell(cells, limits)
    pairs = dict(zip(names, zip(real, ours, strict=True), strict=True))
    return pairs | {"widget state": (real_widgets, our_widgets)}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_what_it_shows_in_a_notebook(name: str, both: dict[str, Any]) -> None:
    real, ours = (masked(joined(outputs)) for outputs in both[name])
    assert ours == real


def test_widgets_have_the_state_that_they_have_in_a_notebook(both: dict[str, Any]) -> None:
    real, ours = both["widget state"]
    stored = real["application/vnd.jupyter.widget-state+json"]["state"]
    assert len(stored) > 10
    assert without_ids(ours) == without_ids(stored)


@pytest.fixture(scope="module")
def shell() -> Shell:
    return Shell()


def texts(outputs: list[dict[str, Any]]) -> str:
    return "".join(one.get("text", "") for one in outputs)


def test_an_await_that_never_ends_is_stopped(shell: Shell) -> None:
    # An ipykernel of version 7.4 cannot be interrupted here; nbgrader gives up on the notebook.
    outputs = shell.run("import asyncio\nawait asyncio.sleep(60)", 0.3)
    assert [one["ename"] for one in outputs] == ["CancelledError", "CellTimeoutError"]
    assert texts(shell.run("print('alive')", 5)) == "alive\n"


def test_a_deep_traceback_keeps_both_ends(shell: Shell) -> None:
    (error,) = shell.run("def deep():\n    return deep()\ndeep()", 30)
    assert error["ename"] == "RecursionError" and len(error["traceback"]) < 500
    assert "maximum recursion depth" in error["traceback"][-1]


def test_what_one_cell_shows_is_bounded(shell: Shell) -> None:
    assert len(texts(shell.run("for _ in range(3000):\n    print('x' * 1000)", 30))) == MAX_TEXT
    assert len(shell.run("for _ in range(3000):\n    display('x')", 30)) == MAX_OUTPUTS
    big = shell.run("for _ in range(50):\n    display('x' * 100_000)", 30)
    assert sum(len(one["data"]["text/plain"]) for one in big) <= MAX_SHOWN
    flood = "import subprocess\nsubprocess.run('yes | head -c 3000000', shell=True);"
    assert len(texts(shell.run(flood, 30))) == MAX_TEXT


def test_a_forked_shell_goes_on_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS], capture_output=True, text=True, check=True, timeout=60
    )
    lines = json.loads(done.stdout)
    assert lines == [["parent\n", "raw\n", "2"], ["child\n", "raw\n", "2"]]


FORKS = """
import json, os, threading
from autograder.shell import Shell
shell = Shell()
assert threading.active_count() == 1
shell.run("import asyncio, os; x = 1; await asyncio.sleep(0)", 9)
def go(name):
    found = [shell.run(f"print({name!r})", 9), shell.run("os.write(1, b'raw\\\\n');", 9)]
    found = [one["text"] for (one,) in found]
    (result,) = shell.run("await asyncio.sleep(0.01, x + 1)", 9)
    return [*found, result["data"]["text/plain"]]
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, json.dumps(go("child")).encode())
    os._exit(0)
print(json.dumps([go("parent"), json.loads(os.read(read, 10_000))]))
"""


def test_an_update_reaches_a_cell_that_ran_before(shell: Shell) -> None:
    first = settle(shell.run("h = display('old', display_id=True)", 5), [])
    second = settle(shell.run("h.update('new')", 5), [first])
    assert second == []
    assert first[0]["data"] == {"text/plain": "'new'"}


def test_a_students_source_is_found(shell: Shell) -> None:
    shell.run("def double(x):\n    return 2 * x", 5)
    assert inspect.getsource(shell.namespace["double"]) == "def double(x):\n    return 2 * x\n"
    assert shell.namespace["__name__"] == "__main__"

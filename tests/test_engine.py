"""The engine keeps points as they are earned, whatever a notebook does to its process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import engine as module
from autograder.engine import Engine, Lost, Session
from autograder.master import MasterCell

DOUBLE = """@autograder.test
def _(rng):
    "Doubles."
    same(call({name}, 2.0), 4.0, "twice two")
    ### BEGIN HIDDEN TESTS
    x = rng.normal(size=3)
    same(call({name}, x), 2 * x, "fresh numbers")
    ### END HIDDEN TESTS
"""
GOOD = "def {name}(x):\n    return 2 * x\n"


@pytest.fixture(scope="module")
def warm() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


def cells(**answers: str) -> list[MasterCell]:
    """Return a notebook: setup, then for each name its answer cell and its test."""
    made = [MasterCell(0, "setup", "code", "given", "import autograder\nimport numpy as np")]
    for name, source in answers.items():
        at = len(made)
        made.append(MasterCell(at, name, "code", "exercise", source, exercise=name))
        made.append(
            MasterCell(
                at + 1,
                f"{name}-t",
                "code",
                "tests",
                DOUBLE.format(name=name),
                grade_id=f"{name}-t",
                points=2.0,
                exercise=name,
                behaviour="t",
                sentence="Doubles.",
            )
        )
    return made


def good(name: str) -> str:
    return GOOD.format(name=name)


def verdicts(engine: Engine, **answers: str) -> dict[str, str]:
    run = engine.run(cells(**answers))
    return {record.exercise: record.verdict for record in run.records.values()}


ENDINGS = {
    "forks_in_a_call": "import os\ndef b(x):\n    os.fork()\n    return 3 * x",
    "forks_in_a_cell": "import os\nos.fork()\ndef b(x):\n    return 3 * x",
    "exit_in_a_call": "def b(x):\n    import os\n    os._exit(0)",
    "exit_in_a_cell": "import os\nos._exit(0)",
    "segfault": "import ctypes\ndef b(x):\n    ctypes.string_at(0)",
    "sys_exit": "import sys\nsys.exit()",
    "raise_in_a_cell": "raise RuntimeError('no')",
    "syntax_error": "def b(x) return",
    "closed_files": "import os\ndef b(x):\n    os.closerange(3, 99)\n    return 2 * x",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_an_ending_costs_only_its_own_points(warm: Engine, name: str) -> None:
    found = verdicts(warm, a=good("a"), b=ENDINGS[name], c=good("c"))
    assert found == {"a": "pass", "b": "fail", "c": "pass"}


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "while True:\n        try:\n            time.sleep(9)\n        except BaseException: pass",
    ],
    ids=["polite", "swallows_everything"],
)
def test_an_endless_call_is_stopped_at_its_limit(
    warm: Engine, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.Session.ask, "__defaults__", (None, 1.0))
    monkeypatch.setattr("autograder.engine.session.GRACE", 1.0)
    start = time.monotonic()
    answers = {"a": good("a"), "b": f"import time\ndef b(x):\n    {body}", "c": good("c")}
    run = warm.run(cells(**answers))
    found = {record.exercise: record.verdict for record in run.records.values()}
    assert found == {"a": "pass", "b": "fail", "c": "pass"}
    assert "more than 1 seconds" in run.records["b-t"].message
    assert time.monotonic() - start < 30


def test_an_endless_cell_is_stopped_and_the_rest_is_graded(
    warm: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.Session.run_cell, "__defaults__", (None, 1.0))
    found = verdicts(warm, a=good("a"), b="while True:\n    pass", c=good("c"))
    assert found == {"a": "pass", "b": "fail", "c": "pass"}


def test_a_later_redefinition_changes_nothing(warm: Engine) -> None:
    assert verdicts(warm, a=good("a"), b=good("b") + "def a(x):\n    return 0.0") == {
        "a": "pass",
        "b": "pass",
    }


def test_students_may_use_any_names(warm: Engine) -> None:
    names = "call = same = beside = test = rng = np = len = sum = autograder = 3\n"
    assert verdicts(warm, a=names + good("a"), b=good("b")) == {"a": "pass", "b": "pass"}


def test_an_answers_cell_that_stops_is_named_in_its_verdict(warm: Engine) -> None:
    run = warm.run(cells(a="import nothing_such\n" + good("a"), b=good("b")))
    assert "cell itself stopped with ModuleNotFoundError" in run.records["a-t"].message
    assert run.records["b-t"].verdict == "pass"


def test_no_record_means_no_points(warm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "_judge", lambda *_: None)
    run = warm.run(cells(a=good("a")))
    assert run.records["a-t"].points == 0.0


def test_a_tester_that_dies_takes_one_verdict_with_it(warm: Engine) -> None:
    notebook = cells(a=good("a"))
    with contextlib.closing(warm.open()) as session:
        session.run_cell(notebook[1].source)
        assert session.ask(notebook[2]).verdict == "pass"
        ended = DOUBLE.format(name="a").replace("x = rng", "import os; os._exit(1); x = rng")
        assert session.ask(notebook[2], ended).verdict != "pass"
        assert session.ask(notebook[2]).verdict == "pass"


def test_each_process_has_a_tester_of_its_own_and_it_ends_with_it(warm: Engine) -> None:
    test = cells(a=good("a"))[2]
    told = DOUBLE.format(name="a").replace(
        "x = rng", "import os; require(False, str(os.getpid()))\n    x = rng"
    )
    testers = []
    for _ in range(2):
        with contextlib.closing(warm.open()) as session:
            session.run_cell(good("a"))
            testers += [session.ask(test, told).message for _ in range(2)]
    assert testers[0] == testers[1] != testers[2] == testers[3]
    waited = time.monotonic() + 10
    while time.monotonic() < waited and any(Path(f"/proc/{pid}/fd/0").exists() for pid in testers):
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}/fd/0").exists() for pid in testers)


def test_a_broken_check_is_an_error_and_not_the_students_fault(warm: Engine) -> None:
    notebook = cells(a=good("a"))
    broken = notebook[2].with_source(DOUBLE.format(name="a").replace("same(", "sume(", 1))
    record = warm.run([*notebook[:2], broken]).records["a-t"]
    assert (record.verdict, record.points) == ("error", 0.0)
    assert "the check is broken" in record.message


def test_hidden_tests_are_nowhere_beside_the_student(warm: Engine) -> None:
    spy = (
        "import gc, linecache, sys\n"
        "def a(x):\n"
        "    texts = [o for o in gc.get_objects() if isinstance(o, str)]\n"
        "    texts += [l for e in list(linecache.cache.values()) for l in e[2]]\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        texts += [repr(frame.f_locals)[:5000]]\n"
        "        frame = frame.f_back\n"
        "    return 2 * x if any('fresh ' + 'numbers' in t for t in texts) else 0 * x\n"
    )
    assert verdicts(warm, a=spy) == {"a": "fail"}


def test_a_branch_goes_its_own_way(warm: Engine) -> None:
    notebook = cells(a="")
    session = warm.open()
    session.run_cell(notebook[0].source)
    branches = [session.fork() for _ in range(2)]
    for branch, source in zip(branches, (good("a"), "def a(x):\n    return x"), strict=True):
        branch.run_cell(source)
    found = [branch.ask(notebook[2]).verdict for branch in branches]
    assert found == ["pass", "fail"]
    assert session.ask(notebook[2]).message.startswith("your notebook has no `a`")
    session.close()
    with pytest.raises(Lost):
        session.run_cell("1")


def test_cells_give_a_notebooks_outputs(warm: Engine) -> None:
    session = warm.open()
    source = (
        "import sys\nprint('one')\nprint('two', file=sys.stderr)\n"
        "from IPython.display import display, HTML\ndisplay(HTML('<b>three</b>'))\n4"
    )
    kinds = [(o["output_type"], o.get("name")) for o in session.run_cell(source)]
    assert kinds == [
        ("stream", "stdout"),
        ("stream", "stderr"),
        ("display_data", None),
        ("execute_result", None),
    ]
    (error,) = session.run_cell("1 / 0")
    assert error["ename"] == "ZeroDivisionError"
    assert session.run_cell("5;") == []
    figure = session.run_cell("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert any("image/png" in o.get("data", {}) for o in figure)
    session.close()


def test_another_seed_draws_other_numbers_and_one_seed_the_same(warm: Engine) -> None:
    echo = "def a(x):\n    print(x)\n    return 2 * x"
    printed = [warm.run(cells(a=echo), seed=seed).records["a-t"].printed for seed in (1, 2, 1)]
    assert printed[0] == printed[2] != printed[1]


def test_slow_modules_that_an_exercise_allows_are_imported_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name != "tensorflow")
    assert module.preload_for(("numpy",)) == module.PRELOAD
    assert module.preload_for(("numpy", "torch")) == (*module.PRELOAD, "torch")
    assert module.preload_for(("tensorflow",)) == module.PRELOAD, "not installed here"


def test_what_is_preloaded_is_there_without_an_import() -> None:
    with Engine(("colorsys",)) as engine:
        session = engine.open()
        shown = session.run_cell("import sys; print('colorsys' in sys.modules)")
        session.close()
    assert shown[0]["text"] == "True\n"


GARBAGE = {
    "bytes": "junk",
    "a_huge_frame": "b'\\xff' * 64",
    "an_empty_frame": "bytes(8)",
    "a_frame_that_says_stopped": "struct.pack('<Q', 3) + b'Xhm'",
    "a_forged_hello": "struct.pack('<Q', 5) + b'hello'",
    "many_answers": "(struct.pack('<Q', 2) + b'AN') * 1000",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_bytes_written_into_the_line_cost_only_the_writer(warm: Engine, name: str) -> None:
    junk = "bytes(range(256))" if name == "bytes" else GARBAGE[name]
    answer = (
        "import os, stat, struct\n"
        "def b(x):\n"
        "    for fd in range(3, 200):\n"
        "        try:\n"
        "            if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        f"                os.write(fd, {junk})\n"
        "        except OSError:\n"
        "            pass\n"
        "    return 0.0 * x\n"
    )
    found = verdicts(warm, a=good("a"), b=answer, c=good("c"))
    assert found["a"] == "pass"
    assert found["b"] == "fail"
    assert verdicts(warm, a=good("a")) == {"a": "pass"}


def test_a_parent_in_doubt_is_started_anew(warm: Engine) -> None:
    assert verdicts(warm, a=good("a")) == {"a": "pass"}
    warm.parents[None].process.kill()
    warm.parents[None].process.wait()
    assert verdicts(warm, a=good("a")) == {"a": "pass"}
    with Engine() as engine:
        engine.open().close()
        engine.parents[None].control.close()
        assert verdicts(engine, a=good("a")) == {"a": "pass"}
        engine.testers.process.kill()
        engine.testers.process.wait()
        assert verdicts(engine, a=good("a")) == {"a": "pass"}
        engine.testers.control.close()
        assert verdicts(engine, a=good("a")) == {"a": "pass"}


FLOOD = """import autograder.shell as shell
run = shell.Shell.run
def flood(self, source, limit):
    if "much" in source:
        return [{"output_type": "stream", "name": "stdout", "text": "x" * SIZE}]
    return run(self, source, limit)
shell.Shell.run = flood
"""


@pytest.mark.parametrize(("size", "count"), [(60_000_000, 1), (15_000_000, 12)])
def test_what_cells_show_is_bounded_here_too(warm: Engine, size: int, count: int) -> None:
    flood = {f"f{i}": "much = 1" for i in range(count)}
    answers = {"a": FLOOD.replace("SIZE", str(size)) + good("a"), **flood, "b": good("b")}
    run = warm.run(cells(**answers))
    assert run.records["a-t"].verdict == run.records["b-t"].verdict == "pass"
    assert sum(len(repr(shown)) for shown in run.outputs.values()) < 80_000_000
    assert "was not kept" in repr(run.outputs)


def test_outputs_that_no_notebook_holds_are_dropped(warm: Engine) -> None:
    odd = FLOOD.replace('"x" * SIZE', "__import__('numpy').ones(3)")
    run = warm.run(cells(a=odd + good("a"), b="much = 1", c=good("c")))
    assert run.records["c-t"].verdict == "pass"


def test_a_restart_takes_no_more_time_than_a_notebook_has(
    warm: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.engine.walk.NOTEBOOK_SECONDS", 4.0)
    slow = "import time\nif not called:\n    time.sleep(2)"
    counting = "called = 0\ndef a(x):\n    global called\n    called += 1\n    return 2 * x"
    answers = {"a": counting, **{f"s{i}": slow for i in range(8)}}
    begun = time.monotonic()
    run = warm.run(cells(**answers, z="import os\nif called:\n    os._exit(0)"))
    assert time.monotonic() - begun < 12
    assert run.records["a-t"].verdict == "pass"
    assert run.records["z-t"].verdict != "pass"

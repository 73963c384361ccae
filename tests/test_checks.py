"""Test cells inside one process: what a student reads, and what the cell leaves behind."""

from __future__ import annotations

import json
import linecache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import autograder
from autograder.checks import judge, vjp_by_complex_step, vjp_by_differences, wire
from autograder.checks.desk import Desk
from autograder.checks.verdict import Failed, NotYet, StudentRaised

HEAD = '@autograder.test\ndef _(rng):\n    "It doubles."\n'


def run(student: str, body: str, **names: Any) -> dict[str, Any]:
    """Run student code, then a test with this body, in one namespace; return the namespace."""
    space: dict[str, Any] = {"__name__": "__main__", "np": np, "autograder": autograder, **names}
    test = HEAD + "".join(f"    {line}\n" for line in body.splitlines())
    for filename, source in (("<student>", student), ("<test>", test)):
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), space)
    return space


def verdict(student: str, body: str, **names: Any) -> str:
    """Return the words of a failing test."""
    with pytest.raises(NotYet) as caught:
        run(student, body, **names)
    return str(caught.value)


DOUBLE = "def double(x):\n    return 2 * x"


def test_a_pass_says_so_and_leaves_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    space = run(DOUBLE, 'same(call(double, 2.0), 4.0, "twice two")', _="before")
    assert capsys.readouterr().out == "check: pass\n"
    assert set(space) == {"__name__", "__builtins__", "np", "autograder", "double", "_"}
    assert space["_"] == "before"


def test_a_stack_within_a_message_is_not_shown() -> None:
    words = 'Graph execution error:\n\n    File "/lib/x.py", line 3, in run\nNode: it'
    said = verdict("def double(x):\n    raise ValueError(words)", "call(double, 2.0)", words=words)
    assert "ValueError: Graph execution error:" in said
    assert "Node: it" in said
    assert "x.py" not in said


def test_names_of_the_student_cannot_disturb_a_test() -> None:
    run("same = call = len = np = 3\n" + DOUBLE, 'same(call(double, 2.0), 4.0, "twice two")')


def test_a_variable_called_like_a_builtin_does_not_break_a_beside_function() -> None:
    run(
        "sum = 3\n" + DOUBLE,
        "@beside\ndef total(n):\n    return sum(double(i) for i in range(n))\n"
        'same(total(4), 12, "a total")',
    )


def test_the_students_own_error_is_trimmed_to_their_lines() -> None:
    said = verdict(
        "def inner(x):\n    return x.shape[7]\ndef double(x):\n    return inner(x)",
        'same(call(double, np.ones(2)), np.ones(2), "x")',
    )
    assert "your code raised IndexError: tuple index out of range" in said
    assert "in double, line 4: return inner(x)" in said
    assert "in inner, line 2: return x.shape[7]" in said
    assert "judge" not in said and "desk" not in said


def test_an_error_tells_what_the_code_was_called_with() -> None:
    body = "def double(x, *more, **named):\n    return x.shape[7]"
    said = verdict(body, "call(double, np.ones((0, 3)), 0.5, None, how='sum', g=callback(len))")
    line = "    called with an array of shape (0, 3) and dtype float64, 0.5, None, how='sum', "
    assert line + "g=a function\n" in said + "\n"
    said = verdict(body, "call(double, [np.ones(3)], {}, *'abcdefg')")
    assert "    called with a list of 1, a dict of 0, 'a', 'b', 'c', 'd' and 3 more" in said
    body = "def double(x): raise ValueError('no')"
    said = verdict(body, "@beside\ndef run(x):\n    return double(x)\nrun(2.5)")
    assert "called with 2.5" in said


def test_a_missing_function_is_named() -> None:
    assert "your notebook has no `double`" in verdict("", 'same(call(double, 1.0), 2.0, "x")')


def test_a_name_missing_beside_is_named_too() -> None:
    body = "@beside\ndef run():\n    class Box:\n        v = 1\n        w = v\n"
    body += "    return double(Box.w)\n"
    assert "your notebook has no `double`" in verdict("", body + 'same(run(), 2, "x")')
    run(DOUBLE, body + 'same(run(), 2, "x")')


def test_a_result_of_another_form_is_not_called_an_error_of_the_students_code() -> None:
    body = "@beside\ndef run():\n    a, b = double(1.0)\n    return a\n"
    said = verdict("def double(x):\n    pass", body + 'same(run(), 2.0, "x")')
    assert "using what it returned, raised TypeError: cannot unpack" in said


def test_a_broken_check_says_that_it_is_not_the_students_fault() -> None:
    assert "not your fault" in verdict(DOUBLE, 'same(double(1.0), 2.0, "x")')
    assert "not your fault" in verdict(DOUBLE, 'same(call(double, 1.0), undefined + 1, "x")')


def test_what_student_code_prints_is_shown_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    noisy = "import sys\ndef double(x):\n    print('hello')\n"
    noisy += "    print('odd', file=sys.stderr)\n    return 2 * x"
    run(noisy, 'same(call(double, 2.0), 4.0, "twice two")')
    shown = capsys.readouterr()
    assert "hello" in shown.out and "odd" in shown.out
    assert shown.err == ""


def test_an_endless_call_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.checks import judge

    monkeypatch.setattr(judge.Session, "limit", 0.2)
    defaults = tuple(
        0.2 if value == 10.0 else value for value in judge.Session.__init__.__defaults__
    )
    monkeypatch.setattr(judge.Session.__init__, "__defaults__", defaults)
    said = verdict("def double(x):\n    while True: pass", 'same(call(double, 2.0), 4.0, "x")')
    assert "ran for more than 0.2 seconds" in said


def test_the_global_random_state_is_as_it_was() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    run("def double(x):\n    return 2 * x + 0 * np.random.rand()",
        'same(call(double, 2.0), 4.0, "x")')  # fmt: skip
    assert (np.random.get_state()[1] == before).all()


PURE = "pure(f, np.array([1.0, 2.0]))"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x += 1\n    return x.copy()", "argument 1 was changed"),
        ("return x", "shares memory with argument 1"),
        ("return {'view': [x[::2]]}", "shares memory with argument 1"),
        ("return x + np.random.rand()", "global random state"),
    ],
)
def test_impure_functions_are_caught(body: str, words: str) -> None:
    assert words in verdict(f"def f(x):\n    {body}", PURE)


def test_a_pure_function_is_accepted_and_its_value_returned() -> None:
    run("def f(x):\n    return x + 1", f'same({PURE}, np.array([2.0, 3.0]), "x + 1")')


LOOPS = {
    "def f(x):\n    return x @ x": 0,
    "def f(x):\n    return sum(v for v in x)": 1,
    "def g(x):\n    while x: x -= 1\n\ndef f(x):\n    return g(x)": 1,
    "def f(x):\n    return [a for b in x for a in b]": 2,
    "def f(x):\n    return np.vectorize(abs)(x)": 1,
}


@pytest.mark.parametrize("source", LOOPS)
def test_loops_are_counted(source: str) -> None:
    run(source, f"require(loops(f) == {LOOPS[source]}, 'another count')")


def test_a_callback_counts_here_and_its_errors_reach_the_student() -> None:
    run(
        "def f(g):\n    try:\n        g(-1.0)\n    except ValueError as error:\n"
        "        return [str(error), g(2.0)]",
        "def g(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x + 1\n"
        "count = callback(g)\nsame(call(f, count), ['negative', 3.0], 'x')\n"
        "require(count.calls == 2, 'calls')",
    )


def test_what_a_callback_requires_cannot_be_swallowed() -> None:
    said = verdict(
        "def f(g):\n    try:\n        g(-1.0)\n    except Exception as error:\n        return 1.0",
        "def g(x):\n    require(x > 0, 'g takes positive numbers only')\n"
        "same(call(f, callback(g)), 1.0, 'x')",
    )
    assert "g takes positive numbers only" in said


def test_a_callbacks_own_name_is_not_told() -> None:
    run(
        "def f(g):\n    try:\n        g()\n    except TypeError as e:\n        return str(e)",
        "def telling_name(x):\n    return x\nwords = call(f, callback(telling_name))\n"
        "require('telling' not in words and 'missing 1' in words, words)",
    )


def test_a_check_that_breaks_on_hidden_numbers_does_not_quote_them() -> None:
    hidden = "### BEGIN HIDDEN TESTS\ncall(f)['{}']\n### END HIDDEN TESTS"
    said = verdict("def f():\n    return {}", hidden.format("hidden_key"))
    assert "this check is broken" in said and "hidden_key" not in said


FORGED = {
    "long": ["raised", ["E" * 10**6] * 10**3, "m" * 10**6, ["t" * 10**6] * 10**3, "p" * 10**6],
    "no class": ["raised", [], "m", [], ""],
    "no list": ["raised", 3, "m", [], ""],
    "no number": ["limit", "soon", ""],
    "no value": ["value"],
    "nothing": [],
    "a name": ["missing", "\x1b[2J" + "n" * 10**6],
}


@pytest.mark.parametrize("name", FORGED)
def test_replies_are_read_with_care_whatever_they_say(name: str) -> None:
    now = judge.Session(ask=lambda request, called: wire.encode(FORGED[name]))
    with pytest.raises((Failed, StudentRaised)) as caught:
        now.request(["call"])
    words = caught.value.words() if isinstance(caught.value, StudentRaised) else str(caught.value)
    assert 0 < len(words) < 30_000 and "\x1b" not in words
    assert sum(map(len, now.printed)) <= 4_000


def test_the_name_of_an_object_is_made_harmless() -> None:
    reply = ["value", wire.Opaque(0, "\x1b[31mEVIL\u202e"), ""]
    now = judge.Session(ask=lambda request, called: wire.encode(reply))
    assert "\x1b" not in now.request(["call"]).type_name


def test_an_opaque_object_comes_back_and_can_be_handed_in() -> None:
    run(
        "class Box:\n    def __init__(self, v):\n        self.v = v\n"
        "def make(v):\n    return Box(v)\ndef read(box):\n    return box.v",
        "box = call(make, 3.0)\nsame(call(read, box), 3.0, 'the value in the box')",
    )


@pytest.mark.parametrize(
    ("helper", "passes"),
    [
        ("at_most(call(f), 1.0, 'it')", "lambda: 1.0"),
        ("at_least(call(f), 1.0, 'it')", "lambda: 1.0"),
    ],
)
def test_bounds_never_let_nan_by(helper: str, passes: str) -> None:
    run(f"f = {passes}", helper)
    for wrong in ("float('nan')", "None", "np.ones(2)", "'1'"):
        verdict(f"f = lambda: {wrong}", helper)
    verdict("f = lambda: 2.0 if 'most' else 0", "at_most(call(f), 1.0, 'it')")
    verdict("f = lambda: 0.0", "at_least(call(f), 1.0, 'it')")


def test_a_trajectory_names_the_step_at_which_it_departs() -> None:
    said = verdict("f = lambda: [1.0, 2.0, 4.0]", "trajectory(call(f), [1.0, 2.0, 3.0], 'w')")
    assert "w, step 2: expected 3, came 4" in said
    assert "expected 3 steps" in verdict(
        "f = lambda: [1.0]", "trajectory(call(f), [1.0, 2, 3], 'w')"
    )


def test_require_takes_nothing_but_a_bool() -> None:
    assert "not your fault" in verdict("", "require(np.bool_(True), 'x')")


def test_oracles_agree_with_calculus() -> None:
    rng = np.random.default_rng(0)
    a, b, u = rng.normal(size=(2, 3)), rng.normal(size=(3, 2)), rng.normal(size=(2, 2))

    def f(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.tanh(a @ b)

    local = u * (1 - np.tanh(a @ b) ** 2)
    exact = (local @ b.T, a.T @ local)
    for oracle, rtol in ((vjp_by_complex_step, 1e-13), (vjp_by_differences, 1e-7)):
        for got, want in zip(oracle(f, (a, b), u), exact, strict=True):
            np.testing.assert_allclose(got, want, rtol=rtol)


# ---------------------------------------------------------------------------------------------
# In a real kernel: metadata is found, a verdict shows without a traceback, stderr stays empty.


def notebook(folder: Path, student: str, metadata: dict[str, Any]) -> Any:
    test = HEAD + '    same(call(double, 2.0), 4.0, "twice two")\n'
    cells = [
        new_code_cell("import numpy as np\nimport autograder"),
        new_code_cell(student),
        new_code_cell(test, metadata={"autograder": metadata}),
        new_code_cell("print(sorted(n for n in dir() if n[0] != '_'))"),
    ]
    built = new_notebook(cells=cells)
    nbformat.write(built, folder / "lesson.ipynb")
    NotebookClient(built, allow_errors=True, resources={"metadata": {"path": folder}}).execute()
    return built


def test_in_a_kernel_a_verdict_is_shown_without_a_traceback(tmp_path: Path) -> None:
    about = {"exercise": "double", "behaviour": "values", "allow": ["numpy"]}
    built = notebook(tmp_path, "def double(x):\n    return x", about)
    (shown,) = built.cells[2].outputs
    assert shown.output_type == "error"
    assert shown.traceback[0] == "double · values: not yet"
    assert "expected 4, came 2" in "\n".join(shown.traceback)
    assert "File" not in json.dumps(shown.traceback)


def test_in_a_kernel_a_forbidden_module_is_named(tmp_path: Path) -> None:
    about = {"exercise": "double", "behaviour": "values", "allow": []}
    built = notebook(tmp_path, "def double(x):\n    return np.add(x, x)", about)
    assert "asked without numpy" in "\n".join(built.cells[2].outputs[0].traceback)


def test_an_attribute_called_like_a_forbidden_module_is_no_use_of_it(tmp_path: Path) -> None:
    about = {"exercise": "double", "behaviour": "values", "allow": []}
    answer = "def double(x):\n    import types\n    return types.SimpleNamespace(np=2).np * x"
    built = notebook(tmp_path, answer, about)
    assert built.cells[2].outputs[0].text.endswith("double · values: pass\n")


def test_what_a_function_reaches_is_looked_up_again_for_each_test() -> None:
    space: dict[str, object] = {}
    exec("def double(x):\n    return np and 2 * x", space)
    space["np"] = True
    desk = Desk(space, lambda data: data)
    begin = wire.encode(["begin", 1, 10.0, []])
    ask = wire.encode(["call", wire.Ref("double"), [3], {}])
    desk.answer(begin)
    assert [wire.decode(desk.answer(ask))[0] for _ in range(2)] == ["value", "value"]
    space["np"] = np
    desk.answer(begin)
    assert [wire.decode(desk.answer(ask))[0] for _ in range(2)] == ["forbidden", "forbidden"]


def test_in_a_kernel_a_pass_writes_to_stdout_only_and_leaves_no_name(tmp_path: Path) -> None:
    about = {"exercise": "double", "behaviour": "values"}
    noisy = "def double(x):\n    np.log(np.float64(0))\n    return 2 * x"
    built = notebook(tmp_path, noisy, about)
    (shown,) = built.cells[2].outputs
    assert shown.name == "stdout" and "RuntimeWarning: divide by zero" in shown.text
    assert shown.text.endswith("\ndouble · values: pass\n")
    names = built.cells[3].outputs[0].text
    assert not {"test", "same", "call"} & set(names.replace("'", " ").split())

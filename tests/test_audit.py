"""The audit: a good lesson is found good, and each thing that should not be is found."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from autograder import cli
from autograder.audit.audit import Audit
from autograder.audit.report import text
from autograder.audit.rules import remarks, violations
from tests.audit_course import LESSON, RIGHT, WRONG, audit, row, write_course

ANSWER = '# %% answer="{exercise}" name="{name}"{loses}\n# {comment}\n{source}\n\n'


def answer(exercise: str, name: str, source: str, loses: str = "", comment: str = "Told.") -> str:
    marker = f' loses="{loses}"' if loses else ""
    return ANSWER.format(exercise=exercise, name=name, source=source, loses=marker, comment=comment)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audit(write_course(tmp_path_factory.mktemp("good")), mutants=True)


def test_a_good_lesson_is_found_good(good: Audit) -> None:
    assert violations(good) == []
    assert row(good, "center", "solution").points == 3
    assert row(good, "center", "blank").points == 0
    assert row(good, "center", "rows").lost == ["values"]
    assert row(good, "spread", "by_std").lost == []
    assert all(one.lost for one in good.rows if one.candidate.kind == "mutant")


def test_rows_are_in_order_and_each_answer_has_one(good: Audit) -> None:
    kinds = [one.candidate.kind for one in good.rows if one.candidate.exercise == "center"]
    assert kinds[:6] == ["solution", "blank", "right", "wrong", "wrong", "mutant"]
    names = [(one.candidate.exercise, one.candidate.name) for one in good.rows]
    assert len(set(names)) == len(names)
    assert [name for name, _ in names] == sorted(name for name, _ in names)


def test_json_is_as_the_design_says(good: Audit) -> None:
    assert row(good, "center", "rows").to_json() == {
        "lesson": "03_scales", "exercise": "center", "answer": "rows", "kind": "wrong",
        "visible": "fail", "hidden": "fail", "points": 1.0, "max_points": 3.0, "lost": ["values"],
        "expected_lost": ["values"], "excused": None,
    }  # fmt: skip


def test_the_table_counts_and_sums_up(good: Audit) -> None:
    shown = text(good, 1.0)
    lines = [line.split() for line in shown.splitlines()]
    assert ["center", "solution", "1", "1"] in lines
    assert ["wrong", "2", "2", "2"] in lines
    assert "Not as it should be" not in shown
    assert "all as it should be" in shown
    assert "in_two_steps" in text(good, 1.0, every_row=True)


FAULTS = {
    "keeps": answer("center", "keeps", "def center(x):\n    return x - x.mean(axis=0)"),
    "misses": answer(
        "center", "misses", "def center(x):\n    x -= x.mean(axis=0)\n    return x", "values"
    ),
    "undefined": answer("center", "undefined", "center = centre", "values"),
    "odd_rows": answer(
        "center",
        "odd_rows",
        "def center(x):\n    return x - x.mean(axis=0) + (len(x) == 1)",
        "values",
    ),
    "generous": answer("spread", "generous", "def spread(x):\n    return 0 * x", "values"),
}
RIGHT_FAULTS = {
    "not_right": answer("spread", "not_right", "def spread(x):\n    return x.var(axis=0)"),
    "breaks": answer(
        "center", "breaks", "def center(x):\n    return Mine(x - x.mean(axis=0))\n"
        "class Mine(np.ndarray):\n    def __new__(cls, x):\n        return x.view(cls)\n"
        "    def __pow__(self, n):\n        return 1",
    ),
    "breaks_a_cell": answer(
        "center", "breaks_a_cell", "def center(x):\n    return Mine(x - x.mean(axis=0))\n"
        "class Mine(np.ndarray):\n    def __new__(cls, x):\n        return x.view(cls)\n"
        "    @property\n    def shape(self):\n        raise RuntimeError('no shape')",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    excuses = (
        '# %% equivalent="center" mutant="center.L7.gone.1"\n# It is not there.\n\n'
        '# %% equivalent="center" mutant="center.L1.sub_to_add.1"\n# It is killed.\n'
    )
    course = write_course(
        tmp_path_factory.mktemp("faulty"),
        right=RIGHT + "".join(RIGHT_FAULTS.values()) + excuses,
        wrong=WRONG + "".join(FAULTS.values()),
    )
    return audit(course, mutants=True)


def complaints(found: Audit, name: str) -> list[str]:
    return [words for words in violations(found) if f" {name} (" in words]


def test_a_wrong_answer_that_passes_is_found(faulty: Audit) -> None:
    (words,) = complaints(faulty, "keeps")
    assert words.startswith("center: wrong answer keeps (")
    assert "wrong_answers.py:" in words and words.endswith("so it earns full points")
    assert row(faulty, "center", "keeps").to_json()["hidden"] == "pass"


def test_a_wrong_answer_that_keeps_what_it_names_is_found(faulty: Audit) -> None:
    (words,) = complaints(faulty, "misses")
    assert words.endswith("keeps values, which it must lose")


def test_losing_more_than_named_is_a_remark(tmp_path: Path) -> None:
    wrong = answer("center", "nothing", "def center(x):\n    x[:] = 0\n    return x", "values")
    found = audit(write_course(tmp_path, wrong=wrong))
    assert violations(found) == []
    assert [words for words in remarks(found) if "also loses inputs_kept" in words]


def test_an_answer_that_raises_by_itself_is_found(faulty: Audit) -> None:
    (words,) = complaints(faulty, "undefined")
    assert "raises by itself" in words and "NameError" in words


def test_visible_tells_what_a_student_sees(faulty: Audit) -> None:
    found = row(faulty, "center", "odd_rows")
    assert found.visible and found.lost == ["values"]
    assert complaints(faulty, "odd_rows") == []


def test_a_right_answer_that_loses_is_found(faulty: Audit) -> None:
    (words,) = complaints(faulty, "not_right")
    assert "loses spread-values: two rows" in words


def test_a_right_answer_that_loses_for_a_later_exercise_is_found(faulty: Audit) -> None:
    found = row(faulty, "center", "breaks")
    assert found.lost == ["spread-values"] and found.points == 3
    assert any("loses spread-values" in words for words in complaints(faulty, "breaks"))


def test_a_right_answer_that_breaks_a_later_cell_is_found(faulty: Audit) -> None:
    words = " ".join(complaints(faulty, "breaks_a_cell"))
    assert "of the notebook raise RuntimeError: no shape" in words


def test_stale_excuses_are_found(faulty: Audit) -> None:
    found = violations(faulty)
    assert any("there is no mutant 'center.L7.gone.1'" in words for words in found)
    assert any("center.L1.sub_to_add.1" in w and "listed as equivalent but" in w for w in found)


def test_a_surviving_mutant_is_found_and_may_be_excused(tmp_path: Path) -> None:
    lesson = LESSON.replace("return x - x.mean(axis=0)", "return x - np.max([0]) - x.mean(axis=0)")
    survivor = "center.L1.sibling.1"
    found = audit(write_course(tmp_path / "one", lesson), mutants=True)
    (words,) = [words for words in violations(found) if survivor in words]
    assert words.endswith("survives: no behaviour notices it") and "np.min([0])" in words
    reason = "The largest and the smallest of one number are that number."
    excuse = f'# %% equivalent="center" mutant="{survivor}"\n# {reason}\n'
    excused = audit(write_course(tmp_path / "two", lesson, RIGHT + "\n" + excuse), mutants=True)
    assert not [words for words in violations(excused) if survivor in words]
    assert row(excused, "center", survivor).to_json()["excused"] == reason


def test_a_blank_that_earns_is_found(tmp_path: Path) -> None:
    lesson = LESSON.replace(
        "pure(center, np.array([[1.0], [3.0]]))",
        'raises(RuntimeError, center, "no array") if False else require(True, "")',
    )
    found = audit(write_course(tmp_path, lesson))
    assert "center: the blank notebook earns center-inputs_kept" in violations(found)


def test_a_solution_that_loses_and_a_cell_that_raises_are_found(tmp_path: Path) -> None:
    lesson = LESSON.replace("**2).mean", "**4).mean").replace("print(shown.shape)", "print(absent)")
    found = violations(audit(write_course(tmp_path, lesson)))
    assert any(words.startswith("spread: the solution loses spread-values") for words in found)
    assert any("of the solved notebook raises NameError" in words for words in found)


def test_a_cell_that_shows_what_no_exercise_may_use_is_no_fault(tmp_path: Path) -> None:
    shown = "from chainrule.widgets import TinyNet\n\nTinyNet()\nprint(shown.shape)"
    found = violations(audit(write_course(tmp_path, LESSON.replace("print(shown.shape)", shown))))
    assert not [words for words in found if "of the solved notebook raises" in words]


def test_a_check_that_breaks_on_an_answer_is_found(tmp_path: Path) -> None:
    lesson = LESSON.replace(
        'same(call(spread, x), np.array([1.0, 2.0]), "two rows")',
        'same(call(spread, x)[1], 2.0, "the second")',
    )
    wrong = answer("spread", "number", "def spread(x):\n    return 1.0")
    found = violations(audit(write_course(tmp_path, lesson, wrong=wrong)))
    assert any("breaks the check spread-values itself" in words for words in found)


def test_an_endless_answer_costs_seconds(tmp_path: Path) -> None:
    endless = "def center(x):\n    while True:\n        pass"
    course = write_course(tmp_path, wrong=answer("center", "endless", endless))
    started = time.monotonic()
    found = audit(course)
    assert row(found, "center", "endless").lost == ["values", "inputs_kept"]
    assert time.monotonic() - started < 40


def test_a_library_with_threads_of_its_own_is_audited(tmp_path: Path) -> None:
    """A forked copy would wait for threads that it does not have, as with TensorFlow's."""
    pool = "from concurrent.futures import ThreadPoolExecutor\n\nPOOL = ThreadPoolExecutor(1)\n"
    threaded = LESSON.replace("import autograder\n", "import autograder\n" + pool, 1)
    work = "POOL.submit(np.subtract, x, x.mean(axis=0)).result()"
    threaded = threaded.replace("return x - x.mean(axis=0)", f"return {work}")
    found = audit(write_course(tmp_path, threaded))
    assert violations(found) == []


def test_luck_under_one_seed_counts_as_passing(tmp_path: Path) -> None:
    lucky = "def center(x):\n    late = len(x) == 4 and x[0, 0] > x[1, 0]\n"
    lucky += "    return x - x.mean(axis=0) + late"
    course = write_course(tmp_path, wrong=answer("center", "lucky", lucky, "values"))
    outcomes = {tuple(row(audit(course, seeds=(s,)), "center", "lucky").lost) for s in range(4)}
    assert outcomes == {(), ("values",)}
    assert row(audit(course, seeds=tuple(range(4))), "center", "lucky").lost == []


# -- the command --------------------------------------------------------------------------------


def run(course: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(course)
    return cli.main(["audit", "--no-mutants", "--seeds", "1", *arguments])


def test_the_command_prints_json_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_course(tmp_path)
    assert run(tmp_path, monkeypatch, "--json") == 0
    rows = json.loads(capfd.readouterr().out)
    assert len(rows) == 9 and {one["lesson"] for one in rows} == {"03_scales"}


def test_answers_from_elsewhere_are_judged_by_their_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_course(tmp_path / "course")
    good = "def spread(x):\n    return np.std(x, axis=0)"
    for kind in ("right", "wrong", "other"):
        (tmp_path / f"{kind}_more.py").write_text(answer("spread", "outside", good))
    files = [str(tmp_path / f"{kind}_more.py") for kind in ("right", "wrong")]
    assert run(tmp_path / "course", monkeypatch, "--answers", files[0]) == 0
    assert run(tmp_path / "course", monkeypatch, "scales", "--answers", *files) == 1
    assert "wrong answer outside" in capfd.readouterr().out
    other = str(tmp_path / "other_more.py")
    assert run(tmp_path / "course", monkeypatch, "--answers", other) == 2
    assert "starts with 'right' or 'wrong'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "there is no lesson 'nowhere'"),
        (("--answers", "right_gone.py"), "right_gone.py does not exist"),
    ],
)
def test_what_cannot_be_audited_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    write_course(tmp_path)
    assert run(tmp_path, monkeypatch, *arguments) == 2
    assert words in capfd.readouterr().err


def test_a_course_without_lessons_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    assert run(tmp_path, monkeypatch) == 2
    assert "no lessons/ to audit" in capfd.readouterr().err

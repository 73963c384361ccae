"""What a lesson's solution imports is learned once, by its cells and by the questions about it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from autograder.engine import Engine
from autograder.engine.learn import FOLDER, learn, recall
from autograder.master import Master, MasterCell

ANSWER = """
import colorsys
def f(x):
    import shelve
    return 2 * x
"""
TEST = """@autograder.test
def _(rng):
    "Doubles."
    same(call(f, 2.0), 4.0, "twice two")
"""
ALLOW = ("numpy",)


def master(root: Path) -> Master:
    """Return a lesson of one exercise, with free cells around it that import something else."""
    test = MasterCell(
        3, "f-t", "code", "tests", TEST, grade_id="f-t", points=1.0, exercise="f", behaviour="t",
        sentence="Doubles.", allow=ALLOW,
    )  # fmt: skip
    cells = (
        MasterCell(0, "setup", "code", "given", "import autograder\nimport numpy as np"),
        MasterCell(1, "free", "code", "code", "import sndhdr"),
        MasterCell(2, "f", "code", "exercise", ANSWER, exercise="f", allow=ALLOW),
        test,
        MasterCell(4, "later", "code", "given", "import wave"),
    )
    path = root / "solutions" / "ps" / "ps.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    return Master(path, "ps", 1, "PS", cells)


def test_a_lesson_is_learned_by_its_cells_and_by_what_its_tests_ask(tmp_path: Path) -> None:
    one = master(tmp_path)
    assert not recall(one)
    with Engine.for_master(one, many=True) as engine:
        names = engine.learned[ALLOW]
        assert {"colorsys", "shelve"} <= set(names)
        assert not {"sndhdr", "wave", "chainrule", "autograder"} & set(names)
        assert set(names) <= set(engine.open(1, ALLOW).modules())
    assert {allow: tuple(found) for allow, found in recall(one).items()} == {ALLOW: names}


def test_another_solution_is_learned_anew(tmp_path: Path) -> None:
    one = master(tmp_path)
    with Engine.for_master(one) as engine:
        learn(engine, one)
    assert recall(one)
    cells = tuple(cell.with_source(cell.source + "\n") for cell in one.cells)
    assert not recall(dataclasses.replace(one, cells=cells))


def test_a_course_that_cannot_be_written_to_is_graded_without_a_list(tmp_path: Path) -> None:
    one = master(tmp_path)
    (tmp_path / FOLDER).parent.write_text("a file where the folder would be")
    with Engine.for_master(one, many=True) as engine:
        assert "shelve" in engine.learned[ALLOW]
        assert engine.run(one.cells).records["f-t"].points == 1.0
    assert not recall(one)

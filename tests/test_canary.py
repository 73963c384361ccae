"""The canary: both engines on a lesson's own answers, and a mark where honest work differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder import cli
from autograder.audit.plan import make_plans
from autograder.course import Course
from autograder.grading import canary
from tests.audit_course import write_course

FOLDER = "03_scales"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = write_course(tmp_path_factory.mktemp("canary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        assert cli.main(["build"]) == 0
    return course


def test_notebooks_hold_one_answer_per_exercise(course: Course) -> None:
    (plan,) = make_plans(course, [FOLDER], [], every=0)
    chosen = canary.notebooks(plan, right=3, wrong=3)
    assert chosen["solution"] == {}
    assert set(chosen["right1"]) <= {"center", "spread"} and "wrong1" in chosen
    for name, answers in chosen.items():
        for exercise, source in answers.items():
            (kind,) = (
                one.kind
                for one in plan.candidates
                if (one.exercise, one.source) == (exercise, source)
            )
            assert name.startswith(kind)


def test_both_engines_agree_on_honest_work(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course.root)
    assert cli.main(["build", FOLDER, "--canary"]) == 0
    said = capsys.readouterr().out
    assert "canary" in said and "0 difference(s) on honest work" in said
    assert canary.why_not_fast(course, FOLDER) == ""
    assert not (course.root / "gradebook.db").exists(), "the real gradebook is not touched"


def test_a_difference_on_honest_work_turns_the_fast_engine_off(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def points(room: Any, engine: str) -> dict[str, dict[str, float]]:
        return {"right1": {"center-values": 2.0 if engine == "fast" else 0.0}, "wrong1": {"a": 1.0}}

    monkeypatch.setattr(canary, "_points", points)
    monkeypatch.chdir(course.root)
    assert cli.main(["build", FOLDER, "--canary"]) == 1
    said = capsys.readouterr().out
    assert "right1, center-values: fast 2, nbgrader 0" in said and "is off" in said
    reason = canary.why_not_fast(course, FOLDER)
    assert "stock nbgrader" in reason and "fast 2, nbgrader 0" in reason
    path = course.master(FOLDER)
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    assert canary.why_not_fast(course, FOLDER) == "", "another notebook was never heard"
    path.write_bytes(before)
    released = course.root / "notebooks" / FOLDER / f"{FOLDER}.ipynb"
    folder = course.root / "submitted" / "ada" / FOLDER
    folder.mkdir(parents=True)
    (folder / released.name).write_bytes(released.read_bytes())
    assert cli.main(["grade", FOLDER, "--json"]) == 0
    out, errors = capsys.readouterr()
    assert "stock nbgrader" in errors and json.loads(out)[0]["score"] == 0


def test_a_difference_on_wrong_answers_is_told_and_turns_nothing_off(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def points(room: Any, engine: str) -> dict[str, dict[str, float]]:
        return {"solution": {"a": 1.0}, "wrong2": {"a": 1.0 if engine == "stock" else 0.0}}

    monkeypatch.setattr(canary, "_points", points)
    found = canary.sing(course, FOLDER)
    assert [one.words() for one in found.wrong] == ["wrong2, a: fast 0, nbgrader 1"]
    assert found.honest == [] and canary.why_not_fast(course, FOLDER) == ""


def test_a_mark_that_cannot_be_read_is_none(course: Course) -> None:
    path = course.root / ".autograder" / "canary" / f"{FOLDER}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    assert canary.why_not_fast(course, FOLDER) == ""

"""Every command of the README does what stands beside it; the audit's table counts right."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSON = "01_why_frameworks"
COURSE = ("lessons", "solutions", "notebooks", "autograder", "chainrule", "datasets", "docs")
FILES = ("nbgrader_config.py", "pyproject.toml", "README.md", "LICENSE", "Makefile")
ELSEWHERE = {
    "make lab": ".ci/fresh_lab",
    "make test": ".ci/run",
    "autograder lab --reset 01": "tests/test_lab.py",
    "autograder audit 01": ".ci/run",
}
"""Commands that are run by something else than this file, and by what."""


def commands() -> list[str]:
    """Return the commands in the README's code blocks, without their comments."""
    blocks = re.findall(r"^```\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(autograder|nbgrader|make|python) ", line)]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the course, with a student's solved copy and two of the demo class.

    Its lessons/ has one folder: building all of them is a test of its own.
    """
    place = tmp_path_factory.mktemp("readme") / "course"
    junk = shutil.ignore_patterns("__pycache__", ".*")
    for name in COURSE:
        one = f"/{LESSON}" if name == "lessons" else ""
        shutil.copytree(f"{ROOT / name}{one}", f"{place / name}{one}", ignore=junk)
    for name in (*FILES, *(path.name for path in ROOT.glob("requirements*.lock"))):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(place / "solutions", place / "work")
    run(place, f"{sys.executable} -m autograder.grading.demo demo")
    for student in ("misled", "broken_file"):
        shutil.copytree(place / "demo/submitted" / student, place / "submitted" / student)
    return place


def run(place: Path, command: str, status: int = 0) -> str:
    """Run a command of ours in the course and return what it printed."""
    words = command.split()
    words = [sys.executable, "-m", *words] if words[0] == "autograder" else words
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=500)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def check(place: Path, command: str) -> None:
    assert "47" in run(place, command)


def solution(place: Path, command: str) -> None:
    assert "def backward(cache, upstream):" in run(place, command)


def grade(place: Path, command: str) -> None:
    table = run(place, command, status=1)  # a submission was refused
    assert re.search(r"misled +graded +18", table)
    assert re.search(r"broken_file +refused +0", table)


def feedback(place: Path, command: str) -> None:
    run(place, command)
    page = (place / "feedback/misled" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "not yet" in page and "HIDDEN TESTS" not in page and "oracle" not in page


def report(place: Path, command: str) -> None:
    assert "units_off" in run(place, command)


def export(place: Path, command: str) -> None:
    run(place, command)
    assert "misled" in (place / "grades.csv").read_text(encoding="utf-8")


def pack(place: Path, command: str) -> None:
    run(place, command)
    assert (place / "bundle/notebooks" / LESSON / f"{LESSON}.ipynb").is_file()
    assert not (place / "bundle/solutions").exists() and not (place / "bundle/lessons").exists()


def build(place: Path, command: str) -> None:
    run(place, command)
    assert "up to date" in run(place, f"{command} --check")


def adopt(place: Path, command: str) -> None:
    before = (place / "lessons" / LESSON / "lesson.py").read_bytes()
    run(place, command)
    assert (place / "lessons" / LESSON / "lesson.py").read_bytes() == before


HERE: dict[str, Callable[[Path, str], None]] = {
    f"autograder check work/{LESSON}/{LESSON}.ipynb": check,
    "autograder solution 01 backward": solution,
    "autograder grade 01": grade,
    "autograder feedback 01": feedback,
    "autograder report 01": report,
    "autograder export 01 --csv grades.csv": export,
    "autograder pack bundle": pack,
    "autograder build": build,
    f"autograder adopt solutions/{LESSON}/{LESSON}.ipynb": adopt,
}


def test_every_command_is_tried_somewhere() -> None:
    assert set(commands()) == set(HERE) | set(ELSEWHERE)
    for place in ELSEWHERE.values():
        assert (ROOT / place).is_file()
    assert "python -m autograder.grading.demo demo" in README


@pytest.mark.slow
@pytest.mark.parametrize("command", HERE)
def test_a_command_does_what_the_readme_says(course: Path, command: str) -> None:
    HERE[command](course, command)


def test_the_audits_table_in_the_docs_counts_what_there_is() -> None:
    """The verdicts are `make audit`'s to prove; here: no answer was added or lost since."""
    from autograder.audit.plan import make_plans
    from autograder.course import find_course

    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    for plan in make_plans(find_course(ROOT), [], []):
        section = page.split(f"## Lesson {plan.lesson.number:02d}")[1].split("\n## ")[0]
        for exercise in plan.lesson.exercises:
            rows = section[section.index(f"\n{exercise.name} ") :]
            for kind in ("right", "wrong", "mutant"):
                count = sum(c.exercise == exercise.name and c.kind == kind for c in plan.candidates)
                found = re.search(rf"{kind} +(\d+)", rows)
                assert found is not None and int(found[1]) == count, (exercise.name, kind)
        for one in plan.candidates:
            assert one.excused is None or f"`{one.name}`" in section

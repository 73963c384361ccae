"""What a student's own notebooks say: which checks passed when they were last run and saved.

    for lesson in read_progress(course):
        print(lesson.title, lesson.passed, "of", lesson.checks)

Only saved outputs are read, nothing is run; a grade is another thing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Course


@dataclass(frozen=True)
class ExerciseProgress:
    """One exercise: how many of its checks passed."""

    name: str
    minutes: int
    checks: int
    passed: int = 0
    tried: int = 0
    """Checks that have an output at all."""

    @property
    def state(self) -> str:
        """One word or two: done, begun, not begun."""
        if self.passed == self.checks:
            return "done"
        return "begun" if self.tried else "not begun"


@dataclass(frozen=True)
class LessonProgress:
    """One lesson of the map."""

    folder: str
    slug: str
    number: int
    title: str
    minutes: int
    needs: tuple[str, ...]
    """Slugs of lessons that it builds on."""
    exercises: tuple[ExerciseProgress, ...]

    @property
    def checks(self) -> int:
        """How many checks the lesson has."""
        return sum(one.checks for one in self.exercises)

    @property
    def passed(self) -> int:
        """How many of them passed."""
        return sum(one.passed for one in self.exercises)

    @property
    def state(self) -> str:
        """One word or two: done, begun, not begun."""
        if self.checks and self.passed == self.checks:
            return "done"
        return "begun" if any(one.tried for one in self.exercises) else "not begun"

    @property
    def minutes_left(self) -> int:
        """Estimated minutes of the exercises that are not done."""
        return sum(one.minutes for one in self.exercises if one.state != "done")


def read_progress(course: Course) -> tuple[LessonProgress, ...]:
    """Return every lesson that is here, in order, with what the copy in `work/` shows."""
    found = []
    for folder in course.lesson_names():
        released = _notebook(course.notebooks / folder / f"{folder}.ipynb")
        if released is not None:
            own = _notebook(course.work / folder / f"{folder}.ipynb")
            found.append(_lesson(folder, released, own or {}))
    return tuple(found)


def next_lesson(lessons: tuple[LessonProgress, ...]) -> LessonProgress | None:
    """Return where to go on: one that is begun, else the first whose needs are done."""
    done = {one.slug for one in lessons if one.state == "done"}
    here = {one.slug for one in lessons}
    begun = [one for one in lessons if one.state == "begun"]
    open_now = [
        one for one in lessons if one.state == "not begun" and set(one.needs) & here <= done
    ]
    rest = [one for one in lessons if one.state != "done"]
    return next(iter([*begun, *open_now, *rest]), None)


def _notebook(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _lesson(folder: str, released: dict[str, Any], own: dict[str, Any]) -> LessonProgress:
    about = released.get("metadata", {}).get("autograder", {})
    verdicts = _verdicts(own)
    minutes: dict[str, int] = {}
    checks: dict[str, list[str | None]] = {}
    for cell in released.get("cells", []):
        ours = cell.get("metadata", {}).get("autograder", {})
        name = ours.get("exercise", "")
        if ours.get("role") == "exercise":
            minutes[name] = int(ours.get("minutes", 0))
        elif ours.get("role") == "tests":
            checks.setdefault(name, []).append(verdicts.get(f"{name} · {ours.get('behaviour')}"))
    return LessonProgress(
        folder=folder,
        slug=str(about.get("lesson", folder)),
        number=int(about.get("number", 0)),
        title=str(about.get("title", folder)),
        minutes=int(about.get("minutes", 0)),
        needs=tuple(about.get("needs", ())),
        exercises=tuple(
            ExerciseProgress(
                name,
                minutes.get(name, 0),
                len(told),
                told.count("pass"),
                len(told) - told.count(None),
            )
            for name, told in checks.items()
        ),
    )


def _verdicts(notebook: dict[str, Any]) -> dict[str, str]:
    """Return what the saved checks say by title, whatever else happened to the notebook."""
    found: dict[str, str] = {}
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        ours = _dict(_dict(_dict(cell).get("metadata")).get("autograder"))
        outputs = _dict(cell).get("outputs")
        if ours.get("role") != "tests" or not isinstance(outputs, list) or not outputs:
            continue
        title = f"{ours.get('exercise')} · {ours.get('behaviour')}"
        lines = "".join(_text(one) for one in outputs).splitlines()
        found[title] = "pass" if f"{title}: pass" in lines else "fail"
    return found


def _text(output: Any) -> str:
    text = _dict(output).get("text", "")
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""From a lesson's master to its two notebooks: solved (nbgrader's source) and released.

`build_lesson` makes every file in memory and refuses to go on where something is wrong; only then
does `write` put them in place, each by one rename. Two builds give the same bytes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson.answers import answer_files, read_answers
from autograder.lesson.lint import Finding, lint
from autograder.lesson.model import Flaws, Lesson, display
from autograder.lesson.notebook import built_cells, solved_notebook, write_notebook
from autograder.lesson.parse import MASTER, read_lesson
from autograder.lesson.release import read_files, release_files
from autograder.lesson.scan import scan
from autograder.lesson.signatures import signatures
from autograder.lesson.source import as_python

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
Signer = Callable[[Lesson, Any], Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Build:
    """The files of a lesson's two folders, by relative path, and what is worth telling."""

    folder: str
    solved: Mapping[str, bytes]
    released: Mapping[str, bytes]
    notes: tuple[str, ...]

    def places(self, course: Course) -> Iterator[tuple[Path, Mapping[str, bytes]]]:
        """Yield each generated folder with its files."""
        yield course.solutions / self.folder, self.solved
        yield course.notebooks / self.folder, self.released


def build_lesson(course: Course, folder: str, sign: Signer = signatures) -> Build:
    """Build the lesson in `lessons/<folder>` without writing anything.

    `sign` computes signatures of misconceptions. Problem where the lesson is malformed, its release
    does not compile, a lint refuses it, or its release would hold what must stay hidden.
    """
    home = course.lessons / folder
    if not (home / MASTER).is_file():
        raise Problem(f"{display(home)} has no {MASTER}; `autograder new SLUG` makes a lesson.")
    lesson = read_lesson(home)
    read = [read_answers(path, [lesson]) for path in answer_files(home)]
    answers = [answer for found, _ in read for answer in found]
    bare = solved_notebook(lesson)
    notebook = solved_notebook(lesson, _signed(lesson, bare, sign))
    solved = {f"{folder}.ipynb": write_notebook(notebook), **_extras(lesson, home)}
    released = release_files(course.root, folder, solved)
    pages = nbformat.reads(released[f"{folder}.ipynb"].decode(), as_version=4)
    _check_compiles(lesson, pages)
    findings = lint(lesson, {cell["id"]: cell.source for cell in pages.cells})
    _refuse(findings)
    outcome = scan(lesson, answers, released)
    if outcome.leaks:
        raise Problem("\n".join(f"{folder}: {leak}" for leak in outcome.leaks))
    notes = [str(item) for item in findings]
    notes += [f"also shown by the lesson itself: {item}" for item in outcome.shown]
    return Build(folder, solved, released, tuple(notes))


def write(build: Build, course: Course) -> list[Path]:
    """Put the built files in place and return those that changed. Each is written whole or not."""
    changed = []
    for place, files in build.places(course):
        for name, data in files.items():
            path = place / name
            if not path.is_file() or path.read_bytes() != data:
                write_whole(path, data)
                changed.append(path)
    return changed


def stale(build: Build, course: Course) -> list[str]:
    """Return a line for each generated file that is not what a build would write now."""
    found = []
    for place, files in build.places(course):
        there = read_files(place) if place.is_dir() else {}
        for name in sorted(files.keys() | there.keys()):
            shown = display(place / name)
            if name not in there:
                found.append(f"{shown} is missing")
            elif name not in files:
                found.append(f"{shown} does not come from the lesson; remove it")
            elif there[name] != files[name]:
                found.append(f"{shown} is stale")
    return found


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` by way of a temporary file and one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _signed(lesson: Lesson, bare: NotebookNode, sign: Signer) -> Mapping[str, Mapping[str, str]]:
    """Return the signatures; the solved notebook without them is what wrong answers run in."""
    try:
        from autograder.master import read_master
    except ModuleNotFoundError:
        return sign(lesson, None)
    with tempfile.TemporaryDirectory(prefix="autograder-build-") as place:
        path = Path(place) / "solutions" / lesson.folder / f"{lesson.folder}.ipynb"
        write_whole(path, write_notebook(bare))
        return sign(lesson, read_master(path))


def _extras(lesson: Lesson, home: Path) -> dict[str, bytes]:
    """Return the lesson's pictures and the files its header lists; answers and master never."""
    flaws = Flaws(lesson.path)
    private = {lesson.path.resolve(), *(path.resolve() for path in answer_files(home))}
    found = {
        name: data for name, data in read_files(home).items() if name.lower().endswith(PICTURES)
    }
    for name in lesson.files:
        path = home / name
        if path.resolve() in private or path.suffix == ".ipynb":
            flaws.add(1, f"'files:' lists {name}, which is never handed out; take it out.")
        elif not path.is_file():
            flaws.add(1, f"'files:' lists {name}, which is not in the lesson's folder.")
        else:
            found[name] = path.read_bytes()
    flaws.check()
    return found


def _check_compiles(lesson: Lesson, pages: NotebookNode) -> None:
    """Refuse a release with a code cell that is not Python, such as a loop left without a body."""
    flaws = Flaws(lesson.path)
    lines = {built.node["id"]: lesson.cells[built.origin].line for built in built_cells(lesson, {})}
    for cell in pages.cells:
        if cell.cell_type != "code":
            continue
        try:
            compile(as_python(cell.source), "<released cell>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            flaws.add(
                lines.get(cell["id"], 1),
                f"without its regions this cell is not Python ({error.args[0]}); leave a line of "
                "code outside the region, it must not be the whole body of a loop, if or with.",
            )
    flaws.check()


def _refuse(findings: list[Finding]) -> None:
    errors = [str(item) for item in findings if item.refused]
    if errors:
        raise Problem("\n".join(errors))


def master_folders(course: Course) -> list[str]:
    """Return the folders of all lessons that have a master."""
    return [name for name in course.lesson_names() if (course.lessons / name / MASTER).is_file()]


def notebook_facts(path: Path) -> dict[str, Any]:
    """Return the course's metadata of a notebook. Problem if `path` is not a notebook of ours."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))["metadata"]["autograder"]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            f"{path} cannot be read ({error.__class__.__name__}); name a notebook."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{path} is not a notebook of this course.") from None
    if not isinstance(facts, dict) or "lesson" not in facts:
        raise Problem(f"{path} is not a notebook of this course; it names no lesson.")
    return facts

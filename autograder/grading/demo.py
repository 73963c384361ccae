"""A class of twelve for lesson 01, made from the lesson's own answers; every run the same.

    python -m autograder.grading.demo TARGET
    cd TARGET && autograder grade 1

TARGET becomes a course of its own: settings, the solved notebook, and `submitted/` with one folder
for each case. Who is in the class is the table `CLASS`.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.course import Course, find_course
from autograder.errors import Problem
from autograder.grading.bridge import load_app
from autograder.grading.handout import Handout, read_handout
from autograder.lesson.answers import answer_files, read_answers
from autograder.lesson.parse import read_lesson
from autograder.master import read_master

LESSON = "01_why_frameworks"
EXERCISES = (
    "forward", "loss_and_grad", "backward", "train", "initialize", "softmax_cross_entropy",
    "deferred",
)  # fmt: skip
WORDS = {
    "third_layer": "The two rules again: a product and a ReLU, once more in reverse order.",
    "late_error": "The line that built the node is no longer running when the error comes.",
}
OPENING_COMMENT = re.compile(r"\A(?:#.*\n)+")
"""What an answer of the lesson's files says about itself, and no student would write."""

Change = Callable[[NotebookNode], None]


@dataclass(frozen=True)
class Case:
    """One student: which answers, and what happened to the notebook afterwards."""

    student: str
    answers: dict[str, str]
    """Exercise -> name of an answer in the lesson's files; "solution" is the master's own."""
    written: bool = True
    change: Change | None = None
    damage: Callable[[bytes], bytes] | None = None


def _cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def _copy_a_cell(notebook: NotebookNode) -> None:
    """Keep an old version of an answer above the new one, as a copied cell with its labels."""
    cell = _cell(notebook, "backward")
    older = copy.deepcopy(cell)
    older.source = "def backward(cache, upstream):\n    return None"
    older["id"] = "older"
    notebook.cells.insert(notebook.cells.index(cell), older)


def _drop_labels(notebook: NotebookNode) -> None:
    """Lose every label and id, as a trip through some other notebook programs does."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata = NotebookNode()
        cell["id"] = f"cell-{number}"


def _edit_tests(notebook: NotebookNode) -> None:
    """Empty a test cell and raise its points."""
    cell = _cell(notebook, "backward-units_off")
    cell.source = "pass"
    cell.metadata["nbgrader"]["points"] = 30


def _forget_a_colon(notebook: NotebookNode) -> None:
    cell = _cell(notebook, "forward")
    cell.source = cell.source.replace("):", ")", 1)


def _talk_on_stderr(notebook: NotebookNode) -> None:
    """Say something on standard error in an answer, where stock nbgrader looks for trouble."""
    cell = _cell(notebook, "initialize")
    cell.source = "import sys\n\nprint('about to initialize', file=sys.stderr)\n\n" + cell.source


def _quit(notebook: NotebookNode) -> None:
    """End the whole process in the middle of the notebook."""
    _cell(notebook, "initialize").source = "import os\n\nos._exit(1)"


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


SOLVED = dict.fromkeys(EXERCISES, "solution")
OTHERS = {
    "forward": "mask_times_value",
    "loss_and_grad": "table_of_scales",
    "backward": "mask_from_h_relu",
    "train": "recursive",
    "initialize": "box_muller",
    "softmax_cross_entropy": "logaddexp",
    "deferred": "functions",
}
MISLED = {
    "forward": "relu_in_place",
    "loss_and_grad": "half_the_square",
    "backward": "upstream_of_ones",
    "train": "climbs",
    "initialize": "he_forgets_the_relu",
    "softmax_cross_entropy": "naive",
    "deferred": "no_reflected_methods",
}

CLASS = (
    Case("all_right", SOLVED),
    Case("blank", {}, written=False),
    Case("broken_file", SOLVED, damage=_cut),
    Case("copied_cell", SOLVED, change=_copy_a_cell),
    Case("edited_test", SOLVED | {"backward": "no_relu"}, change=_edit_tests),
    Case("half_done", dict.fromkeys(EXERCISES[:3], "solution"), written=False),
    Case("lost_labels", SOLVED, change=_drop_labels),
    Case("misled", MISLED),
    Case("noisy", SOLVED, change=_talk_on_stderr),
    Case("other_ways", OTHERS),
    Case("quits", SOLVED, change=_quit),
    Case("syntax_error", SOLVED, change=_forget_a_colon),
)


def make_class(course: Course, submitted: Path) -> list[str]:
    """Write the twelve submissions to `submitted`; return the students' names."""
    handout = read_handout(course.master(LESSON), load_app(course).config)
    sources = _sources(course)
    for case in CLASS:
        folder = submitted / case.student / LESSON
        folder.mkdir(parents=True)
        (folder / f"{LESSON}.ipynb").write_bytes(_submission(case, handout, sources))
    return [case.student for case in CLASS]


def _sources(course: Course) -> dict[tuple[str, str], str]:
    """Return the lesson's answers by exercise and name."""
    folder = course.lessons / LESSON
    if not folder.is_dir():
        raise Problem(f"the demo class is made from the answers in {folder}, which is missing.")
    lesson = read_lesson(folder)
    sources = {
        (cell.exercise or "", "solution"): cell.source
        for cell in read_master(course.master(LESSON)).cells
        if cell.role == "exercise"
    }
    for path in answer_files(folder):
        answers, _ = read_answers(path, [lesson])
        sources |= {
            (answer.exercise, answer.name): OPENING_COMMENT.sub("", answer.source)
            for answer in answers
        }
    return sources


def _submission(case: Case, handout: Handout, sources: dict[tuple[str, str], str]) -> bytes:
    notebook = copy.deepcopy(handout.released)
    for exercise, name in case.answers.items():
        if (exercise, name) not in sources:
            raise Problem(f"the lesson has no answer '{name}' for {exercise}; change demo.CLASS.")
        _cell(notebook, exercise).source = sources[exercise, name]
    for grade_id, words in WORDS.items():
        if case.written:
            _cell(notebook, grade_id).source = words
    if case.change:
        case.change(notebook)
    data = json.dumps(notebook, indent=1, sort_keys=True).encode()
    return case.damage(data) if case.damage else data


def make_course(course: Course, target: Path) -> Course:
    """Make `target` a course that holds lesson 01 and the class; it must not exist yet."""
    if target.exists():
        raise Problem(f"{target} exists already; name a folder that does not.")
    scratch = target.with_name(f".{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copy(course.root / "nbgrader_config.py", scratch)
    shutil.copytree(course.solutions / LESSON, scratch / "solutions" / LESSON)
    make_class(course, scratch / "submitted")
    scratch.rename(target)
    return Course(target.resolve())


def main(arguments: list[str] | None = None) -> int:
    """Make the demo course."""
    parser = argparse.ArgumentParser(prog="python -m autograder.grading.demo", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("target", type=Path, help="a folder that does not exist yet")
    target = parser.parse_args(arguments).target
    try:
        made = make_course(find_course(), target)
    except Problem as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 2
    print(f"{made.root}: {len(CLASS)} submissions. Next: cd {target} && autograder grade 1")
    return 0


if __name__ == "__main__":
    sys.exit(main())

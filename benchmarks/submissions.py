"""Notebooks cut from the course's lessons, and submissions made of the answers written for them."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbgrader import utils

from autograder.audit.plan import Plan, make_plans
from autograder.course import Course
from autograder.grading.alone import read_lesson

SETTINGS = """
c.Execute.timeout = 300
c.CourseDirectory.db_url = ""
"""


@dataclass(frozen=True)
class Cut:
    """A part of a lesson: some exercises, and the given cells they stand on."""

    kind: str
    lesson: str
    exercises: tuple[str, ...]
    given: tuple[str, ...]

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{self.kind}, {self.lesson[:2]}"


CUTS = (
    Cut(
        "numpy",
        "01_why_frameworks",
        ("forward", "loss_and_grad", "backward", "train", "initialize", "softmax_cross_entropy",
         "deferred"),
        ("setup",),
    ),
    Cut(
        "numpy",
        "03_computational_graphs",
        ("nine_nodes", "gates", "topological_order", "backprop", "vjps"),
        ("setup", "node", "edge_rules", "rules"),
    ),
    Cut("torch", "05_custom_functions", ("torch_sigmoid",), ("setup", "pytorch")),
    Cut("torch", "07_optimizers", ("torch_loop",), ("setup", "pytorch")),
    Cut("tensorflow", "05_custom_functions", ("tf_sigmoid",), ("setup", "pytorch", "tensorflow")),
)  # fmt: skip


def cut_notebook(course: Course, cut: Cut) -> NotebookNode:
    """Return the solved notebook of a cut, without the ungraded cells after its last test."""
    notebook = nbformat.read(course.master(cut.lesson), as_version=4)
    cells = [cell for cell in notebook.cells if _wanted(cell, cut)]
    last = max(i for i, cell in enumerate(cells) if utils.is_grade(cell))
    notebook.cells = cells[: last + 1]
    return notebook


def _wanted(cell: NotebookNode, cut: Cut) -> bool:
    ours = cell.metadata.get("autograder", {})
    if cell.cell_type == "code" and ours.get("role") == "given":
        return cell.metadata.nbgrader.grade_id in cut.given
    return ours.get("exercise") in cut.exercises


def make_course(course: Course, cut: Cut, root: Path) -> Course:
    """Write a course of this one notebook to `root`, with the settings of the real one."""
    folder = root / "solutions" / cut.lesson
    folder.mkdir(parents=True)
    nbformat.write(cut_notebook(course, cut), folder / f"{cut.lesson}.ipynb")
    for path in course.master(cut.lesson).parent.iterdir():
        if path.suffix != ".ipynb" and path.is_file():
            shutil.copy(path, folder)
    text = (course.root / "nbgrader_config.py").read_text()
    settings = SETTINGS.replace('""', repr(f"sqlite:///{root / 'gradebook.db'}"))
    (root / "nbgrader_config.py").write_text(text + settings)
    return Course(root)


def sources(course: Course, cut: Cut) -> dict[str, list[str]]:
    """Return for each exercise its right and wrong answers, and '' for a blank one."""
    (plan,) = make_plans(course, [cut.lesson], [], every=0)
    return {name: ["", *_sources(plan, name)] for name in cut.exercises}


def _sources(plan: Plan, exercise: str) -> list[str]:
    return [one.source for one in plan.candidates if one.exercise == exercise]


def choose(answers: dict[str, list[str]], count: int, seed: int = 0) -> list[dict[str, str]]:
    """Return `count` different choices of one answer per exercise."""
    rng = np.random.default_rng(seed)
    chosen: list[dict[str, str]] = []
    for number in range(count):
        one = {name: _pick(rng, found, number) for name, found in answers.items()}
        if one in chosen:  # a short list of answers repeats itself; the text still differs
            one = {name: f"{text}\n# attempt {number}" for name, text in one.items()}
        chosen.append(one)
    return chosen


def _pick(rng: np.random.Generator, found: list[str], number: int) -> str:
    return found[number] if number < len(found) else found[int(rng.integers(len(found)))]


def hand_in(course: Course, lesson: str, chosen: list[dict[str, str]]) -> list[str]:
    """Write the submissions of a class; return the students' ids."""
    released = read_lesson(course, lesson)[1].released
    students = [f"student{number:02}" for number in range(len(chosen))]
    for student, answers in zip(students, chosen, strict=True):
        notebook = copy.deepcopy(released)
        for cell in notebook.cells:
            ours = cell.metadata.get("autograder", {})
            if ours.get("role") == "exercise" and answers.get(ours.get("exercise")):
                cell.source = answers[ours["exercise"]]
        folder = course.root / "submitted" / student / lesson
        folder.mkdir(parents=True)
        (folder / f"{lesson}.ipynb").write_text(json.dumps(notebook))
    return students

"""solutions/ with nbgrader_config.py is a complete nbgrader course: its own commands on it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from tiny_lesson import FOLDER, make_course

from autograder.lesson.build import build_lesson
from autograder.lesson.release import read_files

BIN = Path(sys.executable).parent


def nbgrader(course, *arguments):
    """Run nbgrader's command line as someone who did not activate the environment, PATH set."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    database = f"sqlite:///{course}/grades.db"
    done = subprocess.run(
        [BIN / "nbgrader", *arguments, "--db", database],
        cwd=course,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return database


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A course of solved notebooks without lessons, released by nbgrader itself."""
    made = make_course(tmp_path_factory.mktemp("made"))
    build = build_lesson(made, FOLDER)
    course = tmp_path_factory.mktemp("alone")
    shutil.copy(made.root / "nbgrader_config.py", course)
    for name, data in build.solved.items():
        path = course / "solutions" / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return course, build, nbgrader(course, "generate_assignment", FOLDER)


def test_nbgrader_makes_the_same_release_to_the_byte(alone):
    course, build, _ = alone
    assert read_files(course / "notebooks" / FOLDER) == dict(build.released)


def test_nbgrader_knows_points_and_questions(alone):
    _, _, database = alone
    with Gradebook(database) as gradebook:
        notebook = gradebook.find_notebook(FOLDER, FOLDER)
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        assert points == {"clip-values": 2, "clip-limit": 1, "why_clip": 2}
        assert notebook.task_cells == []


def test_the_grader_reads_the_rubric_and_fills_one_box(alone):
    course, _, database = alone
    place = course / "submitted" / "ada" / FOLDER
    shutil.copytree(course / "notebooks" / FOLDER, place)
    path = place / f"{FOLDER}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = {cell["id"]: cell for cell in notebook.cells}
    cells["why_clip"].source = "Because."
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    notebook.cells += [cells["setup"]]  # what runs is tested elsewhere; the rubric is markdown
    nbformat.write(notebook, path)
    nbgrader(course, "autograde", FOLDER)
    graded = nbformat.read(course / "autograded" / "ada" / FOLDER / path.name, as_version=4)
    rubric = next(cell for cell in graded.cells if cell["id"] == "why_clip-rubric")
    assert "* one point: a far value has too much weight" in rubric.source
    with Gradebook(database) as gradebook:
        submission = gradebook.find_submission(FOLDER, "ada")
        pending = [g.name for n in submission.notebooks for g in n.grades if g.needs_manual_grade]
    assert "why_clip" in pending and "why_clip-rubric" not in pending

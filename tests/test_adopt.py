"""An edited solution notebook goes back into its lesson; an unedited one leaves it, to the byte."""

import copy
import json

import jupytext
import nbformat
import pytest
from tiny_lesson import FOLDER, LESSON, ROOT, make_course

from autograder.cli import main
from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson.adopt import adopt
from autograder.lesson.adopt import write as write_adoption
from autograder.lesson.build import build_lesson, master_folders, write


@pytest.fixture
def course(tmp_path):
    made = make_course(tmp_path)
    write(build_lesson(made, FOLDER), made)
    return made


def solved_path(course):
    return course.solutions / FOLDER / f"{FOLDER}.ipynb"


def edited(course, edit):
    """Apply `edit(notebook, cells by id)` to the solved notebook and return the adoption."""
    notebook = nbformat.read(solved_path(course), as_version=4)
    edit(notebook, {cell["id"]: cell for cell in notebook.cells})
    nbformat.write(notebook, solved_path(course))
    return adopt(course, solved_path(course))


def test_build_adopt_build_is_the_identity(course):
    before = build_lesson(course, FOLDER)
    adoption = adopt(course, solved_path(course))
    assert adoption.text == LESSON and adoption.changes == ()
    write_adoption(adoption)
    assert build_lesson(course, FOLDER) == before


def test_identity_for_every_lesson_of_this_course(tmp_path):
    here = Course(ROOT)
    for folder in master_folders(here):
        build = build_lesson(here, folder, lambda lesson, bare: {})  # adopting drops signatures
        path = tmp_path / f"{folder}.ipynb"
        path.write_bytes(build.solved[f"{folder}.ipynb"])
        adoption = adopt(here, path)
        assert adoption.text == (here.lessons / folder / "lesson.py").read_text()


def test_what_jupyterlab_adds_by_running_and_saving_changes_nothing(course):
    def run(notebook, cells):
        notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1"}
        notebook.metadata["widgets"] = {"state": {}}
        cells["setup"].execution_count = 3
        cells["clip"].outputs = [nbformat.v4.new_output("stream", text="hello")]
        cells["clip"].metadata["scrolled"] = True
        cells["setup"].metadata["deletable"] = False

    adoption = edited(course, run)
    assert adoption.text == LESSON and adoption.changes == ()


def test_an_edited_solution(course):
    def edit(notebook, cells):
        cells["clip"].source = cells["clip"].source.replace("raised", "lifted")

    adoption = edited(course, edit)
    assert adoption.text == LESSON.replace("raised", "lifted")
    assert adoption.changes == ("changed: exercise=clip minutes=5 (line 48)",)


def test_edited_prose_and_hint_keep_their_neighbours(course):
    def edit(notebook, cells):
        for cell in notebook.cells:
            cell.source = cell.source.replace("$a^2$", "$b^2$")
            cell.source = cell.source.replace("Two comparisons.", "Two comparisons,\n\nno loop.")
            cell.source = cell.source.replace("Hint 2: a picture</summary>\n\n", "Look</summary>\n")

    wanted = LESSON.replace("$a^2$", "$b^2$")
    wanted = wanted.replace("# Two comparisons.", "# Two comparisons,\n#\n# no loop.")
    assert edited(course, edit).text == wanted


def test_rubric_and_model_answer_return_to_one_cell(course):
    def edit(notebook, cells):
        rubric, answer = cells["why_clip-rubric"], cells["why_clip"]
        rubric.source = rubric.source.replace("an example", "two examples")
        answer.source = answer.source.replace("A single", "One")

    wanted = LESSON.replace("an example", "two examples").replace("A single", "One")
    assert edited(course, edit).text == wanted


def test_points_of_the_toolbar_and_minutes(course):
    def edit(notebook, cells):
        cells["clip-limit"].metadata["nbgrader"]["points"] = 4.0
        cells["clip"].metadata["autograder"]["minutes"] = 8

    wanted = LESSON.replace("points=1", "points=4").replace("minutes=5", "minutes=8")
    assert edited(course, edit).text == wanted


def test_new_moved_and_deleted_cells(course):
    def edit(notebook, cells):
        end = notebook.cells.pop()
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell("A new paragraph."))
        notebook.cells.insert(2, end)
        notebook.cells = [c for c in notebook.cells if not c.source.startswith("%matplotlib")]

    adoption = edited(course, edit)
    assert "$a^2$.\n\n# %% [markdown]\n# A new paragraph.\n\n# %% [markdown]\n# The end" in (
        adoption.text
    )
    assert 'quotes" stand.\n\n# %% given="setup"' in adoption.text
    assert "matplotlib" not in adoption.text
    assert adoption.text.endswith("# ### END MARK SCHEME\n")
    assert set(adoption.changes) >= {"new: 'A new paragraph.'", "the order of the cells"}
    write_adoption(adoption)
    build_lesson(course, FOLDER)


def test_a_test_made_with_nbgraders_toolbar(course):
    def edit(notebook, cells):
        cell = nbformat.v4.new_code_cell(cells["clip-limit"].source)
        cell.metadata["nbgrader"] = copy.deepcopy(cells["clip-limit"].metadata["nbgrader"])
        cell.metadata["nbgrader"]["grade_id"] = "clip-again"
        notebook.cells.append(cell)

    text = edited(course, edit).text
    assert '# %% tests="clip" behaviour="again" points=1\n@autograder.test' in text


def test_an_edit_that_breaks_the_lesson_leaves_it_alone(course):
    def edit(notebook, cells):
        notebook.cells = [c for c in notebook.cells if not c["id"].startswith("clip-")]

    with pytest.raises(Problem, match=r"left as it is:\n.*has no tests"):
        edited(course, edit)
    assert (course.lessons / FOLDER / "lesson.py").read_text() == LESSON


def refusals(course):
    released = course.notebooks / FOLDER / f"{FOLDER}.ipynb"
    strange = course.root / "strange.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), strange)
    data = json.loads(solved_path(course).read_text())
    unknown = course.root / "unknown.ipynb"
    data["metadata"]["autograder"]["lesson"] = "elsewhere"
    unknown.write_text(json.dumps(data))
    text = course.root / "text.ipynb"
    text.write_text("not json")
    empty = course.root / "empty.ipynb"
    empty.write_text('{"metadata": {"autograder": {"lesson": "tiny", "number": 7}}, "cells": 3}')
    return {
        released: "has no solutions in it",
        strange: "is not a notebook of this course",
        unknown: "07_elsewhere, which has no master here",
        text: "is not a notebook of this course",
        empty: "is not a notebook",
        course.root: "cannot be read",
    }


def test_notebooks_that_are_not_ours(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    for path, words in refusals(course).items():
        assert main(["adopt", str(path)]) == 2
        err = capsys.readouterr().err
        assert words in err and "Traceback" not in err
    assert (course.lessons / FOLDER / "lesson.py").read_text() == LESSON


def test_the_command(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    path = str(solved_path(course))
    assert main(["adopt", path]) == 0
    assert "says the same already" in capsys.readouterr().out

    def edit(notebook, cells):
        cells["setup"].source = cells["setup"].source.replace("3.0", "4.0")

    edited(course, edit)
    assert main(["adopt", path]) == 0
    assert "changed: given=setup (line 23)" in capsys.readouterr().out
    assert "LIMIT = 4.0" in (course.lessons / FOLDER / "lesson.py").read_text()


PLAIN = LESSON.replace(
    "#     cell_metadata_filter: all\n",
    "#     cell_metadata_filter: all\n#     comment_magics: false\n",
).replace("%matplotlib inline\n", "%matplotlib inline\n# cd is a comment here\n")


@pytest.mark.parametrize("text", [LESSON, PLAIN], ids=["jupytext's way", "magics as they are"])
def test_saving_lesson_py_in_jupyterlab_keeps_its_markers(tmp_path, text):
    """JupyterLab saves a percent file by reading and writing it with jupytext."""
    course = make_course(tmp_path, text)
    path = course.lessons / FOLDER / "lesson.py"
    before = build_lesson(course, FOLDER)
    path.write_text(jupytext.writes(jupytext.read(path), fmt="py:percent"))
    assert build_lesson(course, FOLDER) == before


@pytest.mark.parametrize("text", [LESSON, PLAIN], ids=["jupytext's way", "magics as they are"])
def test_a_magic_of_an_edited_cell_stays_one(tmp_path, text):
    course = make_course(tmp_path, text)
    write(build_lesson(course, FOLDER), course)

    def edit(notebook, cells):
        (cell,) = [one for one in notebook.cells if "%matplotlib" in one.source]
        cell.source += "\n# pwd, said a comment\n%pwd"

    adoption = edited(course, edit)
    write_adoption(adoption)
    write(build_lesson(course, FOLDER), course)
    solved = nbformat.read(solved_path(course), as_version=4)
    (cell,) = [one for one in solved.cells if "%matplotlib" in one.source]
    assert "\n%pwd" in cell.source and "\n%matplotlib" in "\n" + cell.source
    if text == PLAIN:
        assert "# pwd, said a comment" in cell.source and "# cd is a comment" in cell.source

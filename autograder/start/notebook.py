"""`work/start.ipynb`: the start page as a notebook, made anew whenever JupyterLab is started.

In the notebook one cell brings it up to date:

    from autograder.start.notebook import show
    show()
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import nbformat
from nbformat.sign import NotebookNotary

from autograder.course import Course, find_course
from autograder.start.page import in_words, start_page
from autograder.start.progress import read_progress

NAME = "start.ipynb"
TITLE = """# The course, and where you are

A ring closes as a lesson's checks pass. What counts is what your notebooks last showed and saved;
run the cell below to look again. The dashed circle is what comes next."""
CELL = "from autograder.start.notebook import show\n\nshow()"


def write_start(course: Course) -> Path:
    """Write the start page into `work/`; nothing of a student's is in it.

    It is signed as trusted, as a notebook is that was run here: JupyterLab strips pictures from
    what it does not trust.
    """
    path = course.work / NAME
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{NAME}.part")
    notebook = start_notebook(course)
    nbformat.write(notebook, part)
    os.replace(part, path)
    with contextlib.suppress(Exception):  # without a signature the page has its words
        NotebookNotary().sign(notebook)
    return path


def start_notebook(course: Course) -> nbformat.NotebookNode:
    """Return the start page as a notebook that is up to date without being run."""
    cell = nbformat.v4.new_code_cell(CELL, id="start-map", execution_count=1)
    cell.metadata["jupyter"] = {"source_hidden": True}
    cell.outputs = [nbformat.v4.new_output("execute_result", data=_data(course), execution_count=1)]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(TITLE, id="start-title"), cell]
    )
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    return notebook


class Page:
    """The start page as a notebook shows it."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return _data(self.course)


def show() -> Page:
    """Return the start page of the course around this notebook, as it is now."""
    return Page(find_course())


def _data(course: Course) -> dict[str, str]:
    lessons = read_progress(course)
    return {"text/html": start_page(lessons), "text/plain": in_words(lessons)}

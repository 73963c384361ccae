"""Where things lie in a course folder, and which lesson a name means."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import Problem

CONFIG = "nbgrader_config.py"
JSON_CONFIG = "nbgrader_config.json"
NBGRADER_SECONDS = 30.0
"""How long nbgrader lets a cell run if nothing else is said."""
STRUCTURE = os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}")
"""nbgrader's way of naming folders; it can be set otherwise, and then files would not be found."""
LESSON_FOLDER = re.compile(r"(?P<number>\d\d)_(?P<slug>[a-z0-9_]+)")


@dataclass(frozen=True)
class Course:
    """A course folder: nbgrader's layout with our names for its steps.

    A course that never heard of us has nbgrader's names, or those of its own configuration.
    """

    root: Path
    home: Path | None = None
    """Where the configuration was found that names `root`, if that is another folder."""

    @property
    def settings(self) -> tuple[Path, ...]:
        """The configuration files that nbgrader reads for this course; what is last counts."""
        from jupyter_core.paths import jupyter_config_path

        places = [*map(Path, reversed(jupyter_config_path())), self.home or self.root, self.root]
        files = (place / name for place in places for name in (CONFIG, JSON_CONFIG))
        return tuple(dict.fromkeys(path.resolve() for path in files if path.is_file()))

    @functools.cached_property
    def configured(self) -> dict[str, Any]:
        """What nbgrader's configuration sets, by class; Problem when it cannot be run."""
        # 0.1 s that few commands need
        from traitlets.config import Config
        from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

        found = Config()
        for path in self.settings:
            kind = PyFileConfigLoader if path.suffix == ".py" else JSONFileConfigLoader
            try:
                found.merge(kind(path.name, path=str(path.parent)).load_config())
            except Exception as error:  # it is a program
                words = f"{path} cannot be read ({type(error).__name__}: {error})."
                raise Problem(words) from None
        folders = found.get("CourseDirectory", {})
        if folders.get("directory_structure", STRUCTURE) != STRUCTURE:
            raise Problem(
                "nbgrader's configuration sets CourseDirectory.directory_structure, and files are "
                f"looked for in {STRUCTURE} here; remove that line, or use `nbgrader autograde`."
            )
        return dict(found)

    def _step(self, name: str, ours: str, theirs: str) -> Path:
        folders = self.configured.get("CourseDirectory", {})
        if name in folders:
            return self.root / str(folders[name])
        known = self.lessons.is_dir() or (self.root / "solutions").is_dir()
        return self.root / (theirs if not known and (self.root / "source").is_dir() else ours)

    @property
    def lessons(self) -> Path:
        """Masters, written by people; may be missing in an adopter's course."""
        return self.root / "lessons"

    @property
    def solutions(self) -> Path:
        """Solved notebooks: nbgrader's source directory."""
        return self._step("source_directory", "solutions", "source")

    @property
    def notebooks(self) -> Path:
        """What is handed out: nbgrader's release directory."""
        return self._step("release_directory", "notebooks", "release")

    @property
    def work(self) -> Path:
        """A student's own copies."""
        return self.root / "work"

    @property
    def submitted(self) -> Path:
        """What students handed in: `submitted/<student>/<lesson>/<notebook>.ipynb`."""
        return self._step("submitted_directory", "submitted", "submitted")

    @property
    def gradebook(self) -> Path:
        """nbgrader's own database."""
        return self.root / "gradebook.db"

    def lesson_names(self) -> list[str]:
        """Folder names of all lessons (`01_why_frameworks`), in whatever form they are here."""
        found = {
            entry.name
            for place in (self.lessons, self.solutions, self.notebooks)
            if place.is_dir()
            for entry in place.iterdir()
            if entry.is_dir() and LESSON_FOLDER.fullmatch(entry.name)
        }
        if not self.lessons.is_dir():  # nbgrader's assignments may have any name
            found |= {one.parent.name for one in self.solutions.glob("[!.]*/*.ipynb")}
        return sorted(found)

    def lesson(self, name: str) -> str:
        """Return the folder name of the lesson that `name` (slug, number or folder) means."""
        names = self.lesson_names()
        for folder in names:
            match = LESSON_FOLDER.fullmatch(folder)
            number, slug = (match["number"], match["slug"]) if match else ("", "")
            same = number and name.isdigit() and int(name) == int(number)
            if name and (name in (folder, slug, number) or same):
                return folder
        known = ", ".join(names) or "none yet"
        raise Problem(f"there is no lesson '{name}' here; the lessons are: {known}.")

    def masters(self, name: str) -> tuple[Path, ...]:
        """Paths of the solved notebooks of a lesson, its parts, in nbgrader's order."""
        return _notebooks(self.solutions / self.lesson(name))

    def master(self, name: str) -> Path:
        """Path of the solved notebook of a lesson that has one. Problem if it has several."""
        return _only(self.masters(name))

    def releases(self, name: str) -> tuple[Path, ...]:
        """Paths of the released notebooks of a lesson, in nbgrader's order."""
        return _notebooks(self.notebooks / self.lesson(name))

    def release(self, name: str) -> Path:
        """Path of the released notebook of a lesson that has one. Problem if it has several."""
        return _only(self.releases(name))


def _notebooks(folder: Path) -> tuple[Path, ...]:
    """Return the notebooks of an assignment's folder; where there is none, the usual name."""
    return tuple(sorted(folder.glob("[!.]*.ipynb"))) or (folder / f"{folder.name}.ipynb",)


def _only(paths: tuple[Path, ...]) -> Path:
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise Problem(f"{paths[0].parent.name} has several notebooks ({names}); name one of them.")
    return paths[0]


def cell_seconds(path: Path) -> float | None:
    """Return nbgrader's limit for a cell of the notebook `path`; None where there is none."""
    try:
        configured = find_course(path.parent).configured
    except Problem:
        configured = {}
    for kind in ("Execute", "ExecutePreprocessor", "NotebookClient"):
        if "timeout" in configured.get(kind, {}):
            seconds = configured[kind]["timeout"]
            return float(seconds) if seconds and seconds > 0 else None
    return NBGRADER_SECONDS


def find_course(start: Path | None = None) -> Course:
    """Return the course that `start` (default: the working folder) lies in.

    A course is the nearest folder upwards that holds `nbgrader_config.py`, or else the nearest
    with nbgrader's usual `source/<assignment>/<notebook>.ipynb`.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if any((folder / name).is_file() for name in (CONFIG, JSON_CONFIG)):
            return _rooted(Course(folder))
    for folder in (here, *here.parents):
        if next((folder / "source").glob("[!.]*/[!.]*.ipynb"), None):
            return Course(folder)
    raise Problem(
        f"{here} is not inside a course (no nbgrader_config.py here or above); "
        "run the command in the course folder."
    )


def _rooted(course: Course) -> Course:
    """Return the course at the root that its configuration names, if it names one."""
    named = course.configured.get("CourseDirectory", {}).get("root")
    root = (course.root / str(named)).resolve() if named else course.root
    # A configuration that names its own folder means the course's, though it be a link into it.
    own = {course.root, *(path.parent for path in course.settings)}
    return course if root in own else Course(root, course.root)

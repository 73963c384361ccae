"""Where things lie in a course folder, and which lesson a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import Problem

LESSON_FOLDER = re.compile(r"(?P<number>\d\d)_(?P<slug>[a-z0-9_]+)")


@dataclass(frozen=True)
class Course:
    """A course folder: nbgrader's layout with our names for its steps."""

    root: Path

    @property
    def lessons(self) -> Path:
        """Masters, written by people; may be missing in an adopter's course."""
        return self.root / "lessons"

    @property
    def solutions(self) -> Path:
        """Solved notebooks: nbgrader's source directory."""
        return self.root / "solutions"

    @property
    def notebooks(self) -> Path:
        """What is handed out: nbgrader's release directory."""
        return self.root / "notebooks"

    @property
    def work(self) -> Path:
        """A student's own copies."""
        return self.root / "work"

    @property
    def submitted(self) -> Path:
        """What students handed in: `submitted/<student>/<lesson>/<lesson>.ipynb`."""
        return self.root / "submitted"

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
        return sorted(found)

    def lesson(self, name: str) -> str:
        """Return the folder name of the lesson that `name` (slug, number or folder) means."""
        names = self.lesson_names()
        for folder in names:
            match = LESSON_FOLDER.fullmatch(folder)
            assert match is not None
            number, slug = match["number"], match["slug"]
            if name in (folder, slug, number) or (name.isdigit() and int(name) == int(number)):
                return folder
        known = ", ".join(names) or "none yet"
        raise Problem(f"there is no lesson '{name}' here; the lessons are: {known}.")

    def master(self, name: str) -> Path:
        """Path of the solved notebook of a lesson."""
        folder = self.lesson(name)
        return self.solutions / folder / f"{folder}.ipynb"

    def release(self, name: str) -> Path:
        """Path of the released notebook of a lesson."""
        folder = self.lesson(name)
        return self.notebooks / folder / f"{folder}.ipynb"


def find_course(start: Path | None = None) -> Course:
    """Return the course that `start` (default: the working folder) lies in.

    A course is the nearest folder upwards that holds `nbgrader_config.py`.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file():
            return Course(folder)
    raise Problem(
        f"{here} is not inside a course (no nbgrader_config.py here or above); "
        "run the command in the course folder."
    )

"""Makes the release with nbgrader's own converter, on a copy and without a database."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.errors import Problem

SETTINGS = "nbgrader_config.py"


def release_files(root: Path, folder: str, solved: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the released files of assignment `folder` by their relative path.

    `solved` are the files of its solution folder, `root` is the course whose nbgrader settings
    hold. This is `nbgrader generate_assignment --no-db`, called in this process on a copy.
    """
    from nbgrader.converters import GenerateAssignment, NbGraderException
    from nbgrader.coursedir import CourseDirectory

    with tempfile.TemporaryDirectory(prefix="autograder-release-") as place:
        config = settings(root, Path(place))
        course = CourseDirectory(config=config)
        course.assignment_id = folder
        source = Path(place) / course.source_directory / folder
        for name, data in solved.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        log, heard = _listener()
        converter = GenerateAssignment(coursedir=course, config=config, log=log)
        try:
            converter.start()
        except NbGraderException:
            words = "; ".join(heard) or "no reason given"
            raise Problem(f"nbgrader cannot make the release of {folder}: {words}") from None
        return read_files(Path(place) / course.release_directory / folder)


def settings(root: Path, place: Path) -> Config:
    """Return the course's nbgrader settings, with `place` as its root and no database."""
    config = Config()
    with contextlib.suppress(ConfigFileNotFound):  # then nbgrader's defaults hold
        config = Config(PyFileConfigLoader(SETTINGS, path=str(root)).load_config())
    for name in ("header", "footer"):
        if path := config.IncludeHeaderFooter.get(name):
            shutil.copy(root / path, place / Path(path).name)
            config.IncludeHeaderFooter[name] = Path(path).name
    config.CourseDirectory.root = str(place)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    return config


def read_files(folder: Path) -> dict[str, bytes]:
    """Return every file under `folder` by its relative path, hidden ones and caches left out."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p.startswith(".") or p == "__pycache__" for p in parts):
            found["/".join(parts)] = path.read_bytes()
    return found


def _listener() -> tuple[logging.Logger, list[str]]:
    """Return a logger that keeps errors as lines for a person: the last line of each traceback."""
    heard: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage().strip()
            if text.startswith("Traceback"):
                heard.append(text.splitlines()[-1])

    log = logging.Logger("autograder.release", level=logging.ERROR)
    log.addHandler(Keep())
    return log, heard

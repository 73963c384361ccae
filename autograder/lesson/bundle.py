"""The student bundle: a course to learn from, without masters and solutions."""

from __future__ import annotations

import json
import posixpath
import re
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson.model import display
from autograder.lesson.regions import KINDS

INCLUDED = (
    "notebooks/**/*",
    "datasets/**/*",
    "chainrule/**/*",
    "autograder/**/*",
    "docs/*graded*.md",
    "docs/boundary.md",
    "docs/read_chainrule.md",
    "docs/images/*",
    "CHANGELOG.md",
    "pyproject.toml",
    "*.lock",
    "environment.yml",
    "Makefile",
    "README.md",
    "LICENSE*",
    "nbgrader_config.py",
)
"""What a student gets, as patterns in the course folder."""

PRIVATE_FOLDERS = frozenset({"lessons", "solutions", "submitted", "autograded", "feedback", "work"})
PRIVATE_FILES = ("lesson.py", "wrong*.py", "right*.py", "*.db", "*.pyc")
LINK = re.compile(r"!?\[([^\]]*)\]\(([^()\s]+)\)")
STAMP = (1980, 1, 1, 0, 0, 0)  # zip's earliest: two bundles of one course are the same bytes


def student_bundle(course: Course, target: Path) -> Path:
    """Write the bundle to `target`, a new folder or a new `.zip`, and return it.

    Problem if `target` is there already, if there is nothing to hand out, or if a notebook to be
    handed out holds a solution or a hidden test.
    """
    if target.exists():
        raise Problem(f"{display(target)} is there already; name a new folder or .zip file.")
    names = list(bundle_files(course))
    if not any(name.parts[0] == "notebooks" for name in names):
        raise Problem("there are no notebooks to hand out; run `autograder build` first.")
    for name in names:
        if name.suffix == ".ipynb":
            _refuse_secret(course.root / name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bundle-") as place:
        made = Path(place) / target.name
        files = ((name, _contents(course.root, name, names)) for name in names)
        if target.suffix == ".zip":
            _write_zip(files, made, inside=target.stem)
        else:
            for name, data in files:
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(data)
        made.rename(target)
    return target


def bundle_files(course: Course) -> Iterator[PurePosixPath]:
    """Yield the files of the bundle, relative to the course folder, sorted."""
    found = {
        PurePosixPath(path.relative_to(course.root).as_posix())
        for pattern in INCLUDED
        for path in course.root.glob(pattern)
        if path.is_file()
    }
    yield from sorted(name for name in found if not _private(name))


def _private(name: PurePosixPath) -> bool:
    parts = name.parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return hidden or parts[0] in PRIVATE_FOLDERS or any(name.match(p) for p in PRIVATE_FILES)


def _refuse_secret(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    for cell in cells:
        text = "".join(cell.get("source", ""))
        for kind in KINDS:
            if f"### BEGIN {kind}" in text:
                raise Problem(
                    f"{display(path)} holds a {kind.lower()} region; it is not the release. "
                    "Run `autograder build`."
                )


def _contents(root: Path, name: PurePosixPath, names: Collection[PurePosixPath]) -> bytes:
    """Return a file of the bundle; a page's links lead to what the bundle holds."""
    data = (root / name).read_bytes()
    if name.suffix != ".md":
        return data
    return linked(data.decode("utf-8"), name, names).encode()


def linked(text: str, name: PurePosixPath, names: Collection[PurePosixPath]) -> str:
    """Return the text of page `name` with links to files beyond `names` as plain words."""
    here = {str(place) for one in names for place in (one, *one.parents)}

    def kept(link: re.Match[str]) -> str:
        words, target = link.groups()
        path = unquote(target.partition("#")[0])
        outside = "://" in target or target.startswith("mailto:") or not path
        goal = posixpath.normpath(posixpath.join(str(name.parent), path))
        return link[0] if outside or goal in here else words

    return LINK.sub(kept, text)


def _write_zip(files: Iterable[tuple[PurePosixPath, bytes]], path: Path, inside: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(f"{inside}/{name}", date_time=STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)

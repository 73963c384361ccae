"""Hostile archives and folders: refused for that student only, with a sentence."""

from __future__ import annotations

import gzip
import io
import os
import socket
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from small_course import ANSWERS, CONFIG, LESSON, hand_in, make_course, ready_course

from autograder.course import Course
from autograder.grading.classroom import Classroom
from autograder.grading.collect import SafeCollector, SafeExtractor

from .pipeline import Case, Graded, HandIn, grade_class, raw

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")

NOTEBOOK = f"{LESSON}.ipynb"
PLUGINS = """
c.ZipCollectApp.extractor_plugin = "autograder.grading.collect.SafeExtractor"
c.ZipCollectApp.collector_plugin = "autograder.grading.collect.SafeCollector"
c.FileNameCollectorPlugin.named_regexp = (
    r".*/extracted/(?P<student_id>[^/]+?)(?:_at_(?P<timestamp>[^/]+?))?/(?:.*/)?"
    r"(?P<file_id>[^/]+)\\.ipynb$"
)
"""


def zipped(*members: tuple[str, bytes], mode: int = 0, level: int = 6) -> bytes:
    """Return a zip archive with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def tarred(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """Return a compressed tar archive with these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def special(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    """Return a tar member that is no file: a link, a pipe, a device."""
    info = tarfile.TarInfo(NOTEBOOK)
    info.type, info.linkname = kind, target
    return info


def nested(depth: int, data: bytes) -> bytes:
    for _ in range(depth):
        data = zipped(("inner.zip", data))
    return data


BOMB = zipped((NOTEBOOK, b"\0" * 60_000_000), level=9)
HONEST = "<an honest notebook>"


def bad_archives(honest: bytes) -> dict[str, tuple[str, bytes, str]]:
    """Return for each case the archive's ending, its bytes, and the words of the refusal."""
    good = (NOTEBOOK, honest)
    flipped = bytearray(zipped(good))
    flipped[14] ^= 0xFF  # the checksum in the member's own header...
    flipped[flipped.rindex(b"PK\x01\x02") + 16] ^= 0xFF  # ...and in the list of members
    encrypted = bytearray(zipped(good))
    encrypted[6] |= 1
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1
    return {
        "zip-slip": ("zip", zipped(("../../../evil.ipynb", b"x"), good), "written elsewhere"),
        "zip-slip, hidden": ("zip", zipped(good, (f"a/../../{NOTEBOOK}", b"x")), "elsewhere"),
        "absolute": ("zip", zipped(("/tmp/chainrule-evil.ipynb", b"x"), good), "elsewhere"),
        "backslashes": ("zip", zipped(("..\\..\\evil.ipynb", b"x"), good), "elsewhere"),
        "a drive": ("zip", zipped(("C:evil.ipynb", b"x"), good), "elsewhere"),
        "linked zip": ("zip", zipped((NOTEBOOK, b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
                       "link or a device"),
        "device zip": ("zip", zipped((NOTEBOOK, b""), mode=stat.S_IFBLK | 0o777), "device"),
        "bomb": ("zip", BOMB, "more than it may"),
        "bomb within": ("zip", zipped(("inner.zip", BOMB)), "more than it may"),
        "bomb of gzip": ("tar.gz", gzip.compress(b"\0" * 60_000_000), "no file"),
        "bomb of tar": ("tar.gz", tarred((NOTEBOOK, b"\0" * 60_000_000)), "more than it may"),
        "too deep": ("zip", nested(30, zipped(good)), "nested more than"),
        "many files": ("zip", zipped(*((f"{n}", b"") for n in range(20_001))), "more than 20000"),
        "many folders": ("tar.gz", tarred(*[_folder("d")] * 20_001), "more than 20000"),
        "many folders in a zip": ("zip", zipped(*((f"{n}/", b"") for n in range(20_001))),
                                  "more than 20000"),
        "a name of 9 MB": ("tar.gz", long_name(9_000_000), "name of a file is too long"),
        "cut": ("zip", zipped(good)[:-40], "damaged"),
        "cut tar": ("tar.gz", tarred(good)[:-40], "damaged"),
        "empty": ("zip", b"", "damaged"),
        "no archive": ("zip", b"hello", "damaged"),
        "no tar": ("gz", b"hello", "damaged"),
        "wrong sum": ("zip", bytes(flipped), "damaged"),
        "unknown method": ("zip", zipped(good).replace(b"\x08\x00\x00\x00!", b"\x63\x00\x00\x00!"),
                           ""),
        "password": ("zip", bytes(encrypted), "password"),
        "same name twice": ("zip", zipped(good, good), "cannot be written"),
        "name with a newline": ("zip", zipped(("a\nb.ipynb", honest)), "control characters"),
        "a long name": ("zip", zipped(("x" * 5_000 + ".ipynb", honest)), "cannot be written"),
        "deep folders": ("zip", zipped(("d/" * 3_000 + NOTEBOOK, honest)), "cannot be written"),
        "a file and a folder": ("zip", zipped(("a", b"x"), (f"a/{NOTEBOOK}", honest)), "written"),
        "symbolic link": ("tar.gz", tarred(special(tarfile.SYMTYPE)), "link or a device"),
        "hard link": ("tar.gz", tarred(special(tarfile.LNKTYPE)), "link or a device"),
        "pipe": ("tar.gz", tarred(special(tarfile.FIFOTYPE)), "link or a device"),
        "device": ("tar.gz", tarred(special(tarfile.CHRTYPE)), "link or a device"),
        "tar-slip": ("tar.gz", tarred(("../../evil.ipynb", b"x"), good), "elsewhere"),
        "linked folder": ("tar.gz", tarred(_folder_link(), (f"d/{NOTEBOOK}", honest)), "link"),
    }  # fmt: skip


def long_name(size: int) -> bytes:
    """Return a compressed tar archive whose first header announces a name of `size` bytes."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * size)


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info


def _folder_link() -> tarfile.TarInfo:
    info = special(tarfile.SYMTYPE, "/tmp")
    info.name = "d"
    return info


def good_archives(honest: bytes) -> dict[str, tuple[str, bytes]]:
    """Return archives that ordinary people hand in."""
    return {
        "0 first": ("zip", zipped((NOTEBOOK, honest))),
        "a folder in it": ("zip", zipped((f"my work/{NOTEBOOK}", honest), ("notes.txt", b"x"))),
        "O'Neil, Ada": ("tar.gz", tarred((NOTEBOOK, honest))),
        "=cmd()": ("zip", zipped((NOTEBOOK, honest))),
        "zip in zip": ("zip", zipped(("again.zip", zipped((NOTEBOOK, honest))))),
        "in capitals": ("ZIP", zipped((NOTEBOOK, honest))),
        "zz last": ("zip", zipped((NOTEBOOK, honest))),
    }


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    _, released = ready_course(tmp_path_factory.mktemp("pattern"))
    return hand_in(tmp_path_factory.mktemp("honest"), "s", released, ANSWERS).read_bytes()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, honest: bytes) -> tuple[Path, str]:
    """Return a course after `nbgrader zip_collect`, and what it said."""
    root = tmp_path_factory.mktemp("collect")
    ready_course(root)
    (root / "nbgrader_config.py").write_text(CONFIG + PLUGINS)
    archives = root / "downloaded" / LESSON / "archive"
    archives.mkdir(parents=True)
    for name, (ending, data) in good_archives(honest).items():
        (archives / f"{name}.{ending}").write_bytes(data)
    for name, (ending, data, _) in bad_archives(honest).items():
        (archives / f"{name}.{ending}").write_bytes(data)
    secret = root / "secret.zip"
    secret.write_bytes(zipped((NOTEBOOK, honest)))
    (archives / "a link.zip").symlink_to(secret)
    os.link(secret, archives / "a hard link.zip")
    os.mkfifo(archives / "a pipe.zip")
    (archives / "a linked folder").symlink_to(root / "solutions" / LESSON)
    (archives / "plain").mkdir()
    (archives / "plain" / NOTEBOOK).write_bytes(honest)
    for time in ("2026-11-01 12:00:00 UTC", "no time at all"):
        (archives / f"timed {time[0]}_at_{time}").mkdir()
        (archives / f"timed {time[0]}_at_{time}" / NOTEBOOK).write_bytes(honest)
    (archives / "twice" / "one").mkdir(parents=True)
    (archives / "twice" / NOTEBOOK).write_bytes(honest)
    (archives / "twice" / "one" / NOTEBOOK).write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "zip_collect", LESSON, "--log-level=WARN"],
        cwd=root, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    return root, done.stderr


def test_one_bad_archive_stops_nobody(collected: tuple[Path, str], honest: bytes) -> None:
    root, said = collected
    rows = {row.student: row for row in Classroom(Course(root), "1").grade()}
    assert set(rows) == {*good_archives(honest), "plain", "timed 2", "timed n", "twice"}, said
    assert {(row.status, row.score) for row in rows.values()} == {("graded", 6.0)}
    times = {path.parent.parent.name for path in root.glob("submitted/*/*/timestamp.txt")}
    assert times == {"timed 2"}


def test_each_bad_archive_is_named_in_a_sentence(
    collected: tuple[Path, str], honest: bytes
) -> None:
    lines = collected[1].splitlines()
    for name, (ending, _, words) in bad_archives(honest).items():
        found = [line for line in lines if "Refused" in line and f"{name}.{ending}" in line]
        inner = [line for line in lines if "Refused" in line and f"{name}/inner" in line]
        assert found or inner, name
        assert words in (found or inner)[-1], (found or inner)[-1]
    for name, words in (
        ("a link.zip", "symbolic link"), ("a hard link.zip", "hard link"),
        ("a pipe.zip", "not a plain file"), ("a linked folder", "symbolic link"),
        ("timed n", "cannot be read"), ("twice/one", "handed this in twice"),
    ):  # fmt: skip
        assert [line for line in lines if name in line and words in line], name
    assert "Traceback" not in collected[1]


def test_nothing_is_written_elsewhere(collected: tuple[Path, str]) -> None:
    root, _ = collected
    for place in (root, root.parent, root.parent.parent, root / "downloaded", Path("/tmp")):
        assert not list(place.glob("*evil*"))
    extracted = root / "downloaded" / LESSON / "extracted"
    left = [path for path in extracted.rglob("*") if not path.is_dir()]
    assert all(path.is_file() and not path.is_symlink() for path in left)
    assert sum(path.stat().st_size for path in left) < 5_000_000, "no bomb is left on the disk"


def test_nbgraders_own_plugins_stop_at_the_first(tmp_path: Path, honest: bytes) -> None:
    """What these plugins are for: without them one damaged archive ends the collection."""
    make_course(tmp_path)
    archives = tmp_path / "downloaded" / LESSON / "archive"
    archives.mkdir(parents=True)
    (archives / "a.zip").write_bytes(b"hello")
    (archives / "b.zip").write_bytes(zipped((NOTEBOOK, honest)))
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "zip_collect", LESSON],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0 and not (tmp_path / "submitted").exists()


def test_the_course_collects_with_these_plugins() -> None:
    text = (Path(__file__).parents[2] / "nbgrader_config.py").read_text()
    for plugin in (SafeExtractor, SafeCollector):
        assert f"autograder.grading.collect.{plugin.__name__}" in text


def unpacked(root: Path, archive: bytes, **limits: int) -> list[Path]:
    """Return the files that are there once one archive was unpacked."""
    (root / "in").mkdir()
    (root / "in" / "class.zip").write_bytes(archive)
    SafeExtractor(**limits).extract(str(root / "in"), str(root / "out"))
    return [path for path in (root / "out").rglob("*") if path.is_file()]


def test_archives_within_share_one_budget(tmp_path: Path, honest: bytes) -> None:
    inner = zipped(("x", b"\0" * 4_000_000))
    members = [(f"{n:02}.zip", inner) for n in range(30)]
    left = unpacked(tmp_path, zipped(*members, ("z.zip", zipped((NOTEBOOK, honest)))))
    assert sum(path.stat().st_size for path in left) <= 20_000_000
    assert [path for path in left if path.name == NOTEBOOK], "one bomb leaves room for the others"


def test_files_within_are_counted_together(tmp_path: Path) -> None:
    inner = zipped(*((f"{n}", b"") for n in range(30)))
    left = unpacked(tmp_path, zipped(*((f"{n}.zip", inner) for n in range(30))), max_files=200)
    assert 30 <= len(left) <= 200


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("/x/ada/01_small.ipynb", True),
        ("/x/../01_small.ipynb", False),
        ("/x/./01_small.ipynb", False),
        ("/x/.ada/01_small.ipynb", False),
        ("/x/ ada/01_small.ipynb", False),
        ("/x/a\\b/01_small.ipynb", False),
        ("/x/a\u202eb/01_small.ipynb", False),
        ("/x/ada/01_small.py", False),
        ("elsewhere", False),
    ],
)
def test_what_a_name_may_say(name: str, kept: bool) -> None:
    pattern = r"/x/(?P<student_id>[^/]+)/(?P<file_id>[^/]+)\.ipynb"
    assert bool(SafeCollector(named_regexp=pattern).collect(name)) == kept


# -- what lies in submitted/ -----------------------------------------------------------------------


def links(make: Callable[[Path, Path], object]) -> HandIn:
    """Hand in what `make(honest notebook elsewhere, place of the notebook)` puts there."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        elsewhere = hand_in(root / "elsewhere", student, released, ANSWERS)
        folder = root / "submitted" / student / LESSON
        folder.mkdir(parents=True)
        make(elsewhere, folder / NOTEBOOK)

    return submit


def whole_folder(level: int) -> HandIn:
    """Hand in a link in the place of the lesson's folder (1) or of the student's (2)."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        elsewhere = hand_in(root / "elsewhere", student, released, ANSWERS)
        place = root / "submitted" / student / (LESSON if level == 1 else "")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(elsewhere.parents[level - 1])

    return submit


def bind(elsewhere: Path, place: Path) -> None:
    """Put a socket in the notebook's place; the name of one must be short."""
    here = os.getcwd()
    os.chdir(place.parent)
    try:
        socket.socket(socket.AF_UNIX).bind(place.name)
    finally:
        os.chdir(here)


def beside(change: Callable[[Path], object]) -> HandIn:
    """Hand in an honest notebook with something odd beside it."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        change(hand_in(root, student, released, ANSWERS).parent)

    return submit


LINK, PLAIN = "symbolic link", "not a plain file"
CASES = {
    "linked": Case(links(lambda other, place: place.symlink_to(other)), 0, "refused", LINK),
    "linked to nothing": Case(links(lambda _, place: place.symlink_to("x")), 0, "refused", LINK),
    "linked to itself": Case(
        links(lambda _, place: place.symlink_to(place.name)), 0, "refused", LINK
    ),
    "linked to zero": Case(
        links(lambda _, place: place.symlink_to("/dev/zero")), 0, "refused", LINK
    ),
    "linked to another student": Case(
        links(lambda _, place: place.symlink_to(f"../../0_right/{LESSON}/{NOTEBOOK}")),
        0, "refused", LINK,
    ),
    "linked to the solution": Case(
        links(lambda _, place: place.symlink_to(f"../../../solutions/{LESSON}/{NOTEBOOK}")),
        0, "refused", LINK,
    ),
    "hard link": Case(links(os.link), 0, "refused", "hard link"),
    "pipe": Case(links(lambda _, place: os.mkfifo(place)), 0, "refused", PLAIN),
    "socket": Case(links(bind), 0, "refused", PLAIN),
    "folder": Case(links(lambda _, place: place.mkdir()), 0, "refused", PLAIN),
    "linked folder": Case(whole_folder(1), 0, "refused", LINK),
    "linked student": Case(whole_folder(2), 0, "refused", LINK),
    "linked file beside": Case(beside(lambda at: (at / "data.csv").symlink_to("/etc/passwd"))),
    "pipe beside": Case(beside(lambda at: os.mkfifo(at / "timestamp.txt")), words="timestamp"),
    "linked time": Case(
        beside(lambda at: (at / "timestamp.txt").symlink_to("/dev/zero")), words="timestamp"
    ),
    "a folder for the time": Case(
        beside(lambda at: (at / "timestamp.txt").mkdir() or (at / "timestamp.txt" / "x").touch()),
        words="timestamp.txt/x",
    ),
    "a folder for the time, in capitals": Case(
        beside(lambda at: (at / "TimeStamp.TXT").mkdir() or (at / "TimeStamp.TXT" / "x").touch()),
        words="TimeStamp.TXT/x",
    ),
    "a name that is no text": Case(
        links(lambda _, at: os.symlink("x", os.fsencode(at.parent) + b"/\xff.ipynb")),
        0, "refused", LINK,
    ),
    "a name that clears the screen": Case(
        links(lambda _, at: os.symlink("x", os.fsencode(at.parent) + b"/\x1b[2Jx\ny.ipynb")),
        0, "refused", LINK,
    ),
    "a time zone that is a path": Case(
        beside(lambda at: (at / "timestamp.txt").write_text("2026-01-01 12:00:00 ../../x")),
        words="timestamp",
    ),
    "endless time": Case(
        beside(lambda at: (at / "timestamp.txt").write_bytes(b"9" * 10**6)), words="timestamp"
    ),
    "time of another world": Case(
        beside(lambda at: (at / "timestamp.txt").write_text("99999-01-01")), words="timestamp"
    ),
    "linked to itself beside": Case(beside(lambda at: (at / "loop").symlink_to(at))),
    "unreadable folder beside": Case(beside(lambda at: (at / "x").mkdir(mode=0))),
    "a name, with comma": Case(raw(lambda data: data)),
    '=cmd|" C calc"!A0': Case(raw(lambda data: data)),
    "@SUM(1+1)": Case(raw(lambda data: data)),
    "+1-1": Case(raw(lambda data: data)),
    "-2+3": Case(raw(lambda data: data)),
    "<script>alert(1)<|script>": Case(raw(lambda data: data)),
    "O'Neil; DROP TABLE student;--": Case(raw(lambda data: data)),
    "a%2e%2e%2fb [*?]{x}": Case(raw(lambda data: data)),
    "$HOME `id` %PATH%": Case(raw(lambda data: data)),
    "Ænne Müßig 学生": Case(raw(lambda data: data)),
}  # fmt: skip
NO_IDS = ("two\nlines", "tab\t", " padded", "padded ", "\u202egnp", "zero\u200bwidth", "bell\a")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    return grade_class(tmp_path_factory.mktemp("links"), CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_lies_in_submitted(graded: Graded, name: str) -> None:
    graded.check(name)


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()


def test_the_exported_table_is_neutral(graded: Graded) -> None:
    formulas = [
        cell
        for line in graded.export.values()
        for cell in line.values()
        if cell.startswith(("=", "+", "@", "\t", "-", "|", "%"))
    ]
    assert formulas == [] and len(graded.export) == len(CASES) + 9


def test_names_that_are_no_ids_are_refused(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    for name in ("0_right", *NO_IDS, "z_right"):
        hand_in(tmp_path, name, released, ANSWERS)
    rows = {row.student: row for row in Classroom(course, "1").grade()}
    for name in NO_IDS:
        assert rows[name].status == "refused" and "cannot be a student id" in rows[name].message
        assert rows[name].message.isprintable()
    assert rows["0_right"].score == rows["z_right"].score == 6.0

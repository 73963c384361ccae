"""Whatever lies where a notebook should: it is read, or refused with one sentence."""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from small_course import LESSON, hand_in_raw, read_one

from autograder.grading.intake import Limits, Refused, Submission, read_submission


def document(*cells: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | extra


def code(source: Any, **extra: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []} | extra


def read(root: Path, raw: bytes | dict[str, Any], **limits: int) -> Submission:
    data = json.dumps(raw).encode() if isinstance(raw, dict) else raw
    hand_in_raw(root, "s", data)
    return read_one(root, "s", Limits(**limits))


def refusal(root: Path, raw: bytes | dict[str, Any], **limits: int) -> str:
    with pytest.raises(Refused) as caught:
        read(root, raw, **limits)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


BAD = {
    "empty": (b"", "empty file"),
    "blanks": (b" \n ", "empty file"),
    "cut": (b'{"cells": [', "not valid JSON (line 1)"),
    "python": (b"print(1)", "not valid JSON"),
    "raw NUL": (b'{"cells": [\x00]}', "not valid JSON"),
    "not text": (b'{"cells": ["\xff\xfe\xfa"]}', "not text in utf-8"),
    "a list": (b"[]", "not a notebook"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells is a number": (b'{"nbformat": 4, "cells": 3}', "no list of cells"),
    "future": (b'{"nbformat": 5, "cells": []}', "format 5"),
    "format is text": (b'{"nbformat": "4", "cells": []}', "format '4'"),
    "broken v3": (b'{"nbformat": 3, "worksheets": 7}', "format 3 cannot be upgraded"),
    "deep": (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
    "long number": (b'{"cells": ' + b"9" * 10_000 + b"}", "number too long"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    raw, words = BAD[name]
    assert words in refusal(tmp_path, raw)


def test_limits_are_kept_before_anything_is_loaded(tmp_path: Path) -> None:
    big = document(code("x" * 2_000))
    assert "MB" in refusal(tmp_path, big, size=1_000)
    assert "too many values" in refusal(tmp_path, document(code("x")), items=3)
    assert "100000 cells" in refusal(tmp_path, document(*[code("")] * 100_000))
    assert read(tmp_path, big).cells[0].source == "x" * 2_000


def test_a_huge_sparse_file_is_refused_at_once(tmp_path: Path) -> None:
    path = hand_in_raw(tmp_path, "s", b"{}")
    os.truncate(path, 500_000_000)
    with pytest.raises(Refused, match="500 MB"):
        read_one(tmp_path, "s")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(document(code("π = 3")), ensure_ascii=False)
    submission = read(tmp_path, text.encode(encoding))
    assert submission.cells[0].source == "π = 3"
    assert bool(submission.notes) == (not encoding.startswith("utf-8"))


def test_odd_cells_are_kept_apart(tmp_path: Path) -> None:
    submission = read(
        tmp_path,
        document(
            7, None, {"cell_type": "code"}, {"cell_type": "rogue", "source": "x"}, code(5),
            code(["a = 1\r\n", "b = 2"], metadata=[1]), code("c\0d \ud800"),
            code("e", metadata={"nbgrader": {"grade_id": ["x"]}, "tags": "skip", "id": 3}, id={}),
        ),
    )  # fmt: skip
    assert [cell.source for cell in submission.cells] == ["", "a = 1\nb = 2", "c\ufffdd ?", "e"]
    assert [cell.position for cell in submission.cells] == [2, 5, 6, 7]
    assert submission.cells[3].grade_id == "" and submission.cells[3].tags == ()
    assert "4 damaged cell(s)" in submission.notes[0]


def test_format_3_is_upgraded(tmp_path: Path) -> None:
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("a = 1")])]
    )
    submission = read(tmp_path, json.dumps(old).encode())
    assert submission.cells[0].source == "a = 1"
    assert "old format 3" in submission.notes[0]


# -- files and folders -------------------------------------------------------------------------


def test_another_name_is_taken_and_named(tmp_path: Path) -> None:
    raw = json.dumps(document(code("a"))).encode()
    hand_in_raw(tmp_path, "s", raw, name="Copy of it (1).ipynb")
    submission = read_one(tmp_path, "s")
    assert "Copy of it (1).ipynb" in submission.notes[0]
    hand_in_raw(tmp_path, "s", raw, name="second.ipynb")
    with pytest.raises(Refused, match="2 notebooks, and none of them is called 01_small"):
        read_one(tmp_path, "s")
    hand_in_raw(tmp_path, "s", raw)
    submission = read_one(tmp_path, "s")
    assert "left alone" in submission.notes[0] and "second.ipynb" in submission.notes[0]


def test_nothing_handed_in(tmp_path: Path) -> None:
    (tmp_path / "submitted" / "s").mkdir(parents=True)
    with pytest.raises(Refused, match="folder of this lesson is missing"):
        read_one(tmp_path, "s")
    (tmp_path / "submitted" / "s" / LESSON).mkdir()
    with pytest.raises(Refused, match=f"{LESSON}.ipynb is missing"):
        read_one(tmp_path, "s")


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes as Unix has them")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("symlink", "symbolic link"),
        ("hard link", "hard link"),
        ("pipe", "not a plain file"),
        ("folder", "not a plain file"),
        ("device", "symbolic link"),
        ("linked folder", "symbolic link"),
    ],
)
def test_what_is_not_a_plain_file_is_refused(tmp_path: Path, kind: str, words: str) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text(json.dumps(document(code("secret = 1"))))
    folder = tmp_path / "submitted" / "s" / LESSON
    folder.parent.mkdir(parents=True)
    path = folder / f"{LESSON}.ipynb"
    if kind == "linked folder":
        folder.symlink_to(tmp_path)
    else:
        folder.mkdir()
    make = {
        "symlink": lambda: path.symlink_to(secret),
        "hard link": lambda: os.link(secret, path),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "device": lambda: path.symlink_to("/dev/zero"),
        "linked folder": lambda: None,
    }
    make[kind]()
    with pytest.raises(Refused, match=words):
        read_one(tmp_path, "s")


@pytest.mark.skipif(os.name == "nt", reason="needs names as Unix has them")
@pytest.mark.parametrize("name", [b"\xff.ipynb", b"\x1b[2Jx\ny.ipynb", b"x" * 200 + b".ipynb"])
@pytest.mark.parametrize("more", [0, 3_000])
def test_odd_names_are_printable_in_a_sentence(tmp_path: Path, name: bytes, more: int) -> None:
    folder = tmp_path / "submitted" / "s" / LESSON
    folder.mkdir(parents=True)
    os.symlink("/etc/passwd", os.fsencode(folder) + b"/" + name)
    if more:
        hand_in_raw(tmp_path, "s", json.dumps(document()).encode())
        for number in range(more):
            (folder / f"{number}.ipynb").touch()
        said = " ".join(read_one(tmp_path, "s").notes)
    else:
        with pytest.raises(Refused, match="symbolic link") as caught:
            read_one(tmp_path, "s")
        said = str(caught.value)
    assert said.isprintable() and said.encode() and len(said) < 600


@pytest.mark.parametrize("name", ["a\nb", " padded", "tab\t", "\u202egnp"])
def test_names_that_no_gradebook_can_hold(tmp_path: Path, name: str) -> None:
    hand_in_raw(tmp_path, name, json.dumps(document()).encode())
    with pytest.raises(Refused, match="cannot be a student id"):
        read_one(tmp_path, name)


def test_the_time_of_submission(tmp_path: Path) -> None:
    path = hand_in_raw(tmp_path, "s", json.dumps(document()).encode())
    stamp = path.parent / "timestamp.txt"
    stamp.write_text("2026-11-01 12:00:00 UTC\n")
    read_back = read_submission(tmp_path / "submitted", "s", LESSON, [LESSON])
    assert read_back.timestamp == "2026-11-01 12:00:00 UTC"
    for nonsense in (b"yesterday", b"\xff", b"x" * 5_000, b""):
        stamp.write_bytes(nonsense)
        read_back = read_submission(tmp_path / "submitted", "s", LESSON, [LESSON])
        assert read_back.timestamp is None and "timestamp.txt" in read_back.parts[LESSON].notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01 12:00:00 ../../../etc/passwd",
        "2026-01-01 12:00:00 /etc/passwd",
        "2026-01-01 12:00:00 Foo/Bar",
        "2026-01-01 12:00:00 :\x00",
        "2026-01-01 12:00:00 99999999999",
        "2026-01-01 12:00:00 UTC0UTC5,x",
        "0001-01-01 00:00:00 +2359",
        "1:1:1.1e99999",
        "1e999 1",
        "nan",
    ],
)
def test_a_time_names_no_file_and_stops_nothing(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("dateutil.tz.gettz", lambda name: opened.append(name))
    path = hand_in_raw(tmp_path, "s", json.dumps(document()).encode())
    (path.parent / "timestamp.txt").write_text(text)
    handed = read_submission(tmp_path / "submitted", "s", LESSON, [LESSON])
    assert not [name for name in opened if "/" in name or ":" in name]
    part = handed.parts[LESSON]
    assert isinstance(part, Submission)
    if handed.timestamp is None:
        assert "timestamp.txt" in part.notes[0]
    elif text != "0001-01-01 00:00:00 +2359":
        pytest.fail(f"{text!a} was taken for a time")


@pytest.mark.parametrize("zone", ["UTC", "CEST", "+3600", "-18000"])
def test_times_with_zones_are_kept(tmp_path: Path, zone: str) -> None:
    path = hand_in_raw(tmp_path, "s", json.dumps(document()).encode())
    (path.parent / "timestamp.txt").write_text(f"2026-11-01 12:00:00.5 {zone}")
    handed = read_submission(tmp_path / "submitted", "s", LESSON, [LESSON])
    assert handed.timestamp == f"2026-11-01 12:00:00.5 {zone}"


def test_code_that_nobody_writes_is_left_blank_or_refused(tmp_path: Path) -> None:
    submission = read(tmp_path, document(code("a = 1"), code("a\n" * 5_000), code("#" * 200_001)))
    assert [cell.source for cell in submission.cells] == ["a = 1", "", ""]
    (note,) = submission.notes
    assert "too long" in note and "number 2, 3 of the notebook" in note
    many = document(*[code("#" * 150_000)] * 20)
    assert "3,000,000 characters of code" in refusal(tmp_path, many)

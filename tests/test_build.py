"""What a build makes of a lesson, and that nothing generated in this course is stale."""

import json
from pathlib import Path

import nbformat
import pytest
from tiny_lesson import FOLDER, LESSON, PICTURE, ROOT, make_course

from autograder.cli import main
from autograder.course import Course
from autograder.lesson import read_lesson
from autograder.lesson.build import build_lesson, master_folders, stale, write

NOTEBOOK = f"{FOLDER}.ipynb"


def page(files, name=NOTEBOOK):
    return nbformat.reads(files[name].decode(), as_version=4)


def cells_by_id(notebook):
    return {cell["id"]: cell for cell in notebook.cells}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    course = make_course(tmp_path_factory.mktemp("course"))
    return build_lesson(course, FOLDER)


def test_two_builds_give_the_same_bytes(built, tmp_path):
    assert build_lesson(make_course(tmp_path / "elsewhere"), FOLDER) == built


def test_the_solved_notebook_carries_everything_and_the_release_nothing_hidden(built):
    solved, released = page(built.solved), page(built.released)
    assert "np.minimum(raised, high)" in cells_by_id(solved)["clip"].source
    assert cells_by_id(released)["clip"].source == (
        "def clip(x, low, high):\n"
        '    """Return `x` with values below `low` and above `high` moved to them."""\n'
        "    # YOUR CODE HERE\n"
        "    raise NotImplementedError()"
    )
    assert "oracle" in cells_by_id(solved)["clip-values"].source
    assert "oracle" not in cells_by_id(released)["clip-values"].source
    assert cells_by_id(released)["why_clip"].source == "YOUR ANSWER HERE"
    assert "one point" not in cells_by_id(released)["why_clip-rubric"].source
    assert "* one point: a far value" in cells_by_id(solved)["why_clip-rubric"].source


def test_no_trace_of_running_or_of_this_machine(built):
    for files in (built.solved, built.released):
        notebook = page(files)
        assert set(notebook.metadata) == {"kernelspec", "autograder"}
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"autograder", "nbgrader", "tags", "deletable", "editable"}
            assert cell.get("outputs", []) == [] and cell.get("execution_count") is None


def test_json_is_written_sorted_with_one_newline_at_the_end(built):
    for files in (built.solved, built.released):
        text = files[NOTEBOOK].decode()
        again = json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False)
        assert text == again + "\n"


@pytest.mark.parametrize(
    ("grade_id", "flags"),
    [
        ("setup", {"grade": False, "solution": False, "locked": True}),
        ("clip", {"grade": False, "solution": True, "locked": False}),
        ("clip-values", {"grade": True, "solution": False, "locked": True, "points": 2}),
        ("clip-limit", {"grade": True, "solution": False, "locked": True, "points": 1}),
        ("why_clip", {"grade": True, "solution": True, "locked": False, "points": 2}),
        ("why_clip-rubric", {"grade": False, "solution": False, "locked": True}),
    ],
)
def test_markers_become_nbgrader_metadata(built, grade_id, flags):
    wanted = {"schema_version": 3, "task": False, "grade_id": grade_id, **flags}
    assert cells_by_id(page(built.solved))[grade_id].metadata["nbgrader"] == wanted


def test_our_metadata(built):
    notebook = page(built.released)
    cells = cells_by_id(notebook)
    assert notebook.metadata["autograder"] == {
        "lesson": "tiny",
        "number": 7,
        "title": "A tiny lesson",
        "minutes": 12,
        "needs": [],
        "covers": {"clipping": "clip", "words": "In words"},
        "names": ["LIMIT", "autograder", "clip", "np", "shown"],
    }
    assert cells["clip"].metadata["autograder"] == {
        "role": "exercise",
        "exercise": "clip",
        "minutes": 5,
        "difficulty": 2,
        "importance": 3,
        "allow": ["numpy"],
    }
    tests = cells["clip-values"].metadata["autograder"]
    assert tests["sentence"] == "Values outside are moved to the nearer bound."
    assert (tests["role"], tests["exercise"], tests["behaviour"]) == ("tests", "clip", "values")
    roles = [cell.metadata["autograder"]["role"] for cell in notebook.cells]
    assert " ".join(roles) == (
        "prose given prompt hint hint hint card exercise code tests tests "
        "prompt rubric written prose"
    )


def test_the_card_names_every_behaviour_with_its_points(built):
    card = next(c for c in page(built.released).cells if c.metadata["autograder"].get("card"))
    for words in ("`clip`", "5 min", "difficulty 2 of 5", "importance 3 of 5", "3 points"):
        assert words in card.source
    assert "* Values outside are moved to the nearer bound. *(2 points)*" in card.source
    assert "* It works with the limit of this notebook. *(1 point)*" in card.source
    assert "You may use `numpy` and Python's own library." in card.source


def test_hints_are_folded_in_order(built):
    hints = [c for c in page(built.released).cells if c.metadata["autograder"]["role"] == "hint"]
    titles = [hint.source.split("\n")[0] for hint in hints]
    assert titles == [
        f"<details><summary>Hint {n}: {what}</summary>"
        for n, what in ((1, "an idea"), (2, "a picture"), (3, "a skeleton"))
    ]
    assert hints[1].source.endswith("```\nlow |----| high\n```\n\n</details>")


def test_ids_are_grade_ids_or_hashes_and_unlike(built):
    cells = page(built.solved).cells
    for cell in cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        assert cell["id"] == grade_id if grade_id else len(cell["id"]) == 12


def test_equal_cells_are_counted(tmp_path):
    lesson = LESSON + "\n# %% [markdown]\n# Same.\n\n# %% [markdown]\n# Same.\n"
    course = make_course(tmp_path, lesson)
    last, before = reversed(page(build_lesson(course, FOLDER).solved).cells[-2:])
    assert last["id"] == before["id"] + "-2"


def test_only_files_of_the_release_are_copied(built):
    names = {NOTEBOOK, "images/clip.png", "helper.py"}
    assert set(built.solved) == set(built.released) == names
    assert built.released["images/clip.png"] == PICTURE


def test_signatures_come_from_the_signer_and_reach_the_release(tmp_path):
    def sign(lesson, master):
        assert lesson.slug == "tiny"
        return {"clip-values": {"abc": "Only the lower bound is kept."}}

    build = build_lesson(make_course(tmp_path), FOLDER, sign)
    cells = cells_by_id(page(build.released))
    signed = cells["clip-values"].metadata["autograder"]["signatures"]
    assert signed == {"abc": "Only the lower bound is kept."}
    assert cells["clip-limit"].metadata["autograder"]["signatures"] == {}


def test_build_writes_then_has_nothing_to_do(tmp_path, monkeypatch, capsys):
    course = make_course(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--check"]) == 1
    assert f"solutions/{FOLDER}/{NOTEBOOK} is missing" in capsys.readouterr().out
    assert main(["build"]) == 0
    assert main(["build", "tiny", "--check"]) == 0
    assert main(["build", "7"]) == 0
    assert "up to date" in capsys.readouterr().out
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"lessons", "solutions", "notebooks", "nbgrader_config.py"}
    assert list(tmp_path.rglob(".*")) == []
    (course.notebooks / FOLDER / "helper.py").write_text("other\n")
    (course.solutions / FOLDER / "old.png").write_bytes(b"")
    assert main(["build", "--check"]) == 1
    out = capsys.readouterr().out
    assert f"notebooks/{FOLDER}/helper.py is stale" in out
    assert f"solutions/{FOLDER}/old.png does not come from the lesson" in out


def test_a_refused_build_writes_nothing(tmp_path, monkeypatch, capsys):
    course = make_course(tmp_path, LESSON.replace("minutes=5 ", ""))
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 2
    assert f"lessons/{FOLDER}/lesson.py:" in capsys.readouterr().err
    assert not course.solutions.exists() and not course.notebooks.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "nowhere"], "no lesson 'nowhere'"),
        (["adopt", "missing.ipynb"], "cannot be read"),
        (["new", "Not A Slug"], "is no slug"),
    ],
)
def test_one_sentence_for_bad_arguments(tmp_path, monkeypatch, capsys, arguments, words):
    make_course(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert words in err and "Traceback" not in err


def test_an_adopters_course_without_lessons_is_told_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "nbgrader_config.py").write_text("")
    (tmp_path / "solutions").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 2
    assert "no lessons/ to build from" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["wrong_answers.py", "lesson.py", "missing.csv"])
def test_private_or_missing_files_are_not_handed_out(tmp_path, monkeypatch, capsys, name):
    make_course(tmp_path, LESSON.replace("[helper.py]", f"[{name}]"))
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 2
    assert f"'files:' lists {name}" in capsys.readouterr().err


def test_the_lesson_as_others_read_it(tmp_path):
    lesson = read_lesson(make_course(tmp_path).lessons / FOLDER)
    assert (lesson.slug, lesson.number, lesson.folder) == ("tiny", 7, FOLDER)
    exercise = lesson.exercises[0]
    assert (exercise.name, exercise.minutes, exercise.allow) == ("clip", 5, ("numpy",))
    assert [b.grade_id for b in exercise.behaviours] == ["clip-values", "clip-limit"]
    assert exercise.points == 3 and lesson.written[0].points == 2
    text = LESSON.split("\n")
    for cell in lesson.cells:
        assert text[cell.line - 1].startswith("# %%")
        first = text[cell.body - 1].removeprefix("# ")
        assert cell.source.split("\n")[0] == first
    assert "".join([lesson.header_text, *(cell.raw for cell in lesson.cells)]) == LESSON


def test_nothing_generated_in_this_course_is_stale(monkeypatch):
    monkeypatch.chdir(ROOT)
    course = Course(Path(ROOT))
    found = []
    for folder in master_folders(course):
        found += stale(build_lesson(course, folder), course)
    assert not found, "run `autograder build`:\n" + "\n".join(found)


def test_write_keeps_unchanged_files_untouched(tmp_path):
    course = make_course(tmp_path)
    build = build_lesson(course, FOLDER)
    assert len(write(build, course)) == 6
    assert write(build, course) == []

"""No release gives away what it must hide; a leak planted in one is found wherever it stands."""

import json
import zipfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from test_links import links
from tiny_lesson import FOLDER, LESSON, ROOT, WRONG, make_course

from autograder.cli import main
from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson import answer_files, read_answers, read_lesson
from autograder.lesson.build import build_lesson, master_folders, write
from autograder.lesson.bundle import bundle_files, student_bundle
from autograder.lesson.release import read_files
from autograder.lesson.scan import scan, secrets

NOTEBOOK = f"{FOLDER}.ipynb"
SOLUTION = """    raised = np.maximum(x, low)
    lowered = np.minimum(raised, high)
    assert lowered.shape == np.shape(x)"""
HIDDEN = """        small, big = x < low, x > high
        inner = np.where(small, low, x)
        return np.where(big, high, inner)"""
WRONG_BODY = """    upper, lower = low, high
    result = np.clip(x, lower, upper)
    return result"""
MODEL = (
    "A single far value would otherwise decide the mean of all the others, and the plot's axis too."
)
RUBRIC = "* one point: a far value has too much weight\n* one point: an example from the notebook"


def read_course(course, folder=FOLDER):
    """Return (lesson, its answers) of a course."""
    home = course.lessons / folder
    lesson = read_lesson(home)
    return lesson, [a for path in answer_files(home) for a in read_answers(path, [lesson])[0]]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    course = make_course(tmp_path_factory.mktemp("course"))
    return *read_course(course), build_lesson(course, FOLDER).released


def planted(release, plant):
    lesson, answers, files = release
    notebook = nbformat.reads(files[NOTEBOOK].decode(), as_version=4)
    plant(notebook)
    return scan(lesson, answers, {**files, NOTEBOOK: nbformat.writes(notebook).encode()})


def test_an_honest_release_is_clean(release):
    outcome = scan(*release)
    assert outcome.leaks == () and outcome.shown == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SOLUTION, "the solution region of 'clip'"),
        (HIDDEN, "the hidden tests region of 'clip-values'"),
        (WRONG_BODY, "the wrong answer 'swapped' to 'clip'"),
        (MODEL, "the solution region of 'why_clip'"),
        # The comments and blank lines that somebody puts between do not hide it.
        (SOLUTION.replace("\n", "  # note\n\n# a comment\n  )\n"), "solution region of 'clip'"),
        (SOLUTION.replace(" = ", "   =  "), "the solution region of 'clip'"),
    ],
)
def test_a_planted_leak_is_found_in_every_place(release, text, what):
    def in_prose(notebook):
        notebook.cells[0].source += "\n" + text

    def in_code(notebook):
        notebook.cells[1].source += "\n" + text

    def in_output(notebook):
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text=text)]

    def in_cell_metadata(notebook):
        notebook.cells[1].metadata["autograder"]["note"] = {"deep": [text]}

    def in_metadata_lines(notebook):
        notebook.metadata["lines"] = text.split("\n")

    for plant in (in_prose, in_code, in_output, in_cell_metadata, in_metadata_lines):
        leaks = planted(release, plant).leaks
        assert any(what in str(leak) for leak in leaks), plant.__name__


def test_a_leak_in_another_file_of_the_release(release):
    lesson, answers, files = release
    leaks = scan(lesson, answers, {**files, "helper.py": SOLUTION.encode()}).leaks
    assert "helper.py holds lines of the solution region of 'clip'" in str(leaks[0])


def test_two_lines_of_three_are_no_leak(release):
    def plant(notebook):
        notebook.cells[0].source += "\n" + "\n".join(SOLUTION.split("\n")[:2])

    assert planted(release, plant).leaks == ()


def test_a_short_region_counts_with_the_lines_around_it(tmp_path):
    short = LESSON.replace(SOLUTION + "\n    return lowered", "    return np.clip(x, low, high)")
    lesson, answers = read_course(make_course(tmp_path, short))
    released = build_lesson(Course(tmp_path), FOLDER).released
    assert scan(lesson, answers, released).leaks == ()
    cell = next(c for c in lesson.cells if c.role == "exercise")
    solved = {"helper.py": cell.source.encode()}
    assert scan(lesson, answers, solved).leaks


def test_code_that_the_lesson_shows_itself_is_told_but_is_no_leak(tmp_path):
    shown = LESSON.replace("LIMIT = 3.0\n", "LIMIT = 3.0\n" + WRONG_BODY.replace("    ", "") + "\n")
    shown = shown.replace("return result", "result")
    course = make_course(tmp_path, shown)
    wrong = course.lessons / FOLDER / "wrong_answers.py"
    wrong.write_text(WRONG.replace("    return result\n\n\n", "    return result\n", 1))
    wrong.write_text(
        wrong.read_text() + '\n\n# %% answer="clip" name="three"\n# Three lines.\n'
        "upper, lower = low, high\nresult = np.clip(x, lower, upper)\nresult\n"
    )
    notes = build_lesson(course, FOLDER).notes
    assert any("also shown by the lesson itself" in note and "'three'" in note for note in notes)


def test_a_solution_in_a_hint_refuses_the_build(tmp_path):
    given_away = "\n".join("# " + line for line in SOLUTION.split("\n"))
    course = make_course(tmp_path, LESSON.replace("# Begin with", given_away + "\n# Begin with"))
    with pytest.raises(Problem, match="cell 5 holds lines of the solution region of 'clip'"):
        build_lesson(course, FOLDER)


def test_the_releases_of_this_course_are_clean():
    course = Course(ROOT)
    for folder in master_folders(course):
        lesson, answers = read_course(course, folder)
        assert any(True for _ in secrets(lesson, answers))
        assert scan(lesson, answers, read_files(course.notebooks / folder)).leaks == ()


# The student bundle


@pytest.fixture
def course(tmp_path):
    made = make_course(tmp_path / "course")
    write(build_lesson(made, FOLDER), made)
    for name in ("Makefile", "README.md", "LICENSE", "pyproject.toml", "requirements.lock"):
        (made.root / name).write_text(f"{name}\n")
    for name in (
        "chainrule/__init__.py", "autograder/__init__.py", "autograder/__pycache__/x.pyc",
        "datasets/a.csv", "docs/how_you_are_graded.md", "docs/notes.md", "submitted/ada/x.ipynb",
        "gradebook.db", ".git/config", "chainrule/.cache/x",
    ):  # fmt: skip
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_text("x\n")
    return made


def check_no_secrets(course, names, folder=FOLDER):
    for name in names:
        parts = set(name.split("/"))
        assert not parts & {"lessons", "solutions", "submitted", "gradebook.db", ".git"}, name
        assert not parts & {"lesson.py", "wrong_answers.py", "right_answers.py"}, name


def test_the_bundle_holds_what_a_student_needs_and_no_more(course, tmp_path):
    place = student_bundle(course, tmp_path / "out")
    files = {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }
    check_no_secrets(course, files)
    assert set(files) == {
        "LICENSE", "Makefile", "README.md", "autograder/__init__.py", "chainrule/__init__.py",
        "datasets/a.csv", "docs/how_you_are_graded.md", "nbgrader_config.py",
        f"notebooks/{FOLDER}/{NOTEBOOK}", f"notebooks/{FOLDER}/helper.py",
        f"notebooks/{FOLDER}/images/clip.png", "pyproject.toml", "requirements.lock",
    }  # fmt: skip
    assert scan(*read_course(course), files).leaks == ()


def test_every_link_of_the_bundle_leads_to_a_file_in_it(tmp_path):
    place = student_bundle(Course(ROOT), tmp_path / "out")
    pages = sorted(place.rglob("*.md"))
    assert place / "README.md" in pages
    found = [one for page in pages for one in links(page.read_text(encoding="utf-8"), page)]
    local = [(one, urlsplit(one.text)) for one in found if "://" not in one.text]
    assert len(local) > 3
    lost = [
        (one.path.name, one.text)
        for one, address in local
        if address.path and not (one.path.parent / address.path).exists()
    ]
    assert lost == []
    readme = (place / "README.md").read_text(encoding="utf-8")
    assert "[How you are graded](docs/how_you_are_graded.md)" in readme
    assert "CONTRIBUTING.md fits a screen" in readme, "what is left out is named, not linked"


def test_two_zips_are_the_same_bytes(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    assert main(["pack", str(tmp_path / "students.zip")]) == 0
    student_bundle(course, tmp_path / "again" / "students.zip")
    data = (tmp_path / "students.zip").read_bytes()
    assert data == (tmp_path / "again" / "students.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "students.zip").namelist()
    check_no_secrets(course, names)
    assert f"students/notebooks/{FOLDER}/{NOTEBOOK}" in names
    assert main(["pack", str(tmp_path / "students.zip")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_solution_among_the_notebooks_stops_the_bundle(course, tmp_path):
    solved = (course.solutions / FOLDER / NOTEBOOK).read_bytes()
    (course.notebooks / FOLDER / "copy.ipynb").write_bytes(solved)
    with pytest.raises(Problem, match=r"copy\.ipynb holds a solution region"):
        student_bundle(course, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_hand_out(tmp_path):
    with pytest.raises(Problem, match="run `autograder build` first"):
        student_bundle(make_course(tmp_path / "course"), tmp_path / "out")


def test_the_bundle_of_this_course_is_clean():
    course = Course(ROOT)
    names = [str(name) for name in bundle_files(course)]
    check_no_secrets(course, names)
    files = {name: (ROOT / name).read_bytes() for name in names if name.startswith("notebooks/")}
    for folder in master_folders(course):
        leaks = scan(*read_course(course, folder), files).leaks
        here = [leak for leak in leaks if Path(leak.file).parent.name == folder]
        # Two lessons may have a few lines in common; six in a row are four windows.
        places = Counter((leak.file, leak.place, leak.secret.what) for leak in leaks)
        assert (here, [place for place, count in places.items() if count > 3]) == ([], [])
    for name, data in files.items():
        if name.endswith(".ipynb"):
            assert "### BEGIN" not in json.dumps(json.loads(data))

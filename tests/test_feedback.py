"""Feedback pages tell a student everything but the hidden tests, and nothing on them runs."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from small_course import (
    ANSWERS,
    LESSON,
    code,
    find,
    hand_in,
    hand_in_raw,
    markdown,
    ready_course,
)

from autograder.cli import main
from autograder.course import Course
from autograder.grading import inert
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom

HOSTILE_WORDS = """Because of rounding: $a + (b + c) \\ne (a + b) + c$.

<script>alert("words")</script> <img src=x onerror=alert(1)> <img src="https://example.org/p.png">
[a link](javascript:alert(1)) <a href="java&#115;cript:alert(1)" onclick="alert(1)">another</a>
<svg onload=alert(1)><script>alert(2)</script></svg> <iframe src="https://example.org"></iframe>
<style>body { display: none }</style> <b style="background: url(https://example.org/x)">bold</b>
<form action="https://example.org"><input autofocus onfocus=alert(1)></form> $\\text{<script>}$
$\\href{javascript:alert(1)}{x}$ <math><mtext><script>alert(3)</script></mtext></math>
![p](attachment:p.png) <!-- <script>alert(4)</script> --> `code <b>` and 1 < 2 > 0."""

HOSTILE_DISPLAYS = """from IPython.display import HTML, SVG, Javascript, Markdown, display
display(HTML("<script>alert(1)</script><table><tr onclick=alert(1)><td>cell</td></tr></table>"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"))
display(Javascript("alert(1)"), Markdown("<script>alert(1)</script>"))
display({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}, raw=True)
print("<script>alert('printed')</script> \\x1b[31mred\\x1b]8;;javascript:alert(1)\\x07")
raise ValueError("<img src=x onerror=alert(1)>")"""


class Page(HTMLParser):
    """What a browser would act on: tags, attributes, and the text in between."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(self.source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course, released = ready_course(tmp_path_factory.mktemp("feedback"))

    def add_cells(notebook: NotebookNode) -> None:
        notebook.cells.insert(4, code(HOSTILE_DISPLAYS))
        notebook.cells.insert(5, markdown(HOSTILE_WORDS.replace("Because", "My own note")))
        find(notebook, "double-values").metadata.autograder = {"sentence": "<script>x</script>"}

    wrong = {"double": "def double(x):\n    print('in double')\n    return x * x"}
    hand_in(course.root, "wrong", released, ANSWERS | wrong | {"why": HOSTILE_WORDS}, add_cells)
    hand_in(course.root, "right", released, ANSWERS)
    hand_in(course.root, "blank", released)
    hand_in(course.root, "dies", released, ANSWERS | {"total": "import os\nos._exit(1)"})
    hand_in_raw(course.root, "broken", b"{")
    room = Classroom(course, "1")
    room.grade()
    with room.bridge.gradebook() as gradebook:
        grade = gradebook.find_grade("why", LESSON, LESSON, "right")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = gradebook.find_comment("why", LESSON, LESSON, "right")
        comment.manual_comment = "Say *where* the rounding happens: $\\epsilon$."
        gradebook.db.commit()
    return course


@pytest.fixture(scope="module")
def pages(course: Course) -> dict[str, Page]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        assert main(["feedback", "1"]) == 0
    found = {path.parent.parent.name: path for path in course.root.glob("feedback/*/*/*.html")}
    return {student: Page(path) for student, path in found.items()}


def test_every_graded_student_has_a_page(pages: dict[str, Page]) -> None:
    assert set(pages) == {"wrong", "right", "blank", "dies", "broken"}


def test_a_page_says_what_happened(pages: dict[str, Page]) -> None:
    wrong = pages["wrong"].text
    assert "4 of 8 points" in wrong and "1 answer still to be marked by hand" in wrong
    assert "not yet Every entry is twice the entry of x. 0 / 2" in wrong
    assert "expected 2, came 1" in wrong and "Your code printed: in double" in wrong
    assert "passed The shape of x is kept. 1 / 1" in wrong
    assert "return x * x" in wrong, "the student's own work is there"
    right = pages["right"].text
    assert "7.5 of 8 points" in right and "marked by hand Your written answer 1.5 / 2" in right
    assert "Say where the rounding happens" in right
    assert "no answer Every entry is twice" in pages["blank"].text
    assert (
        "Your submission could not be read. The notebook is not valid JSON" in pages["broken"].text
    )
    assert "Not everything could be run" in pages["dies"].text
    assert "Cell 9 was left out: it ended the whole process." in pages["dies"].text


def test_a_misconception_is_said_in_its_sentence(course: Course) -> None:
    path = Bridge(course).autograded("wrong", LESSON)
    notebook = nbformat.read(path, as_version=4)
    record = find(notebook, "double-values").metadata.autograder.record
    record["misconception"] = "You squared x instead of doubling it."
    path.chmod(0o644)
    nbformat.write(notebook, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        assert main(["feedback", "1", "--student", "wrong"]) == 0
    page = Page(course.root / "feedback" / "wrong" / LESSON / f"{LESSON}.html")
    assert "You squared x instead of doubling it." in page.text


def test_no_hidden_test_no_solution_no_mark_scheme(pages: dict[str, Page]) -> None:
    secrets = ("secret_numbers", "hidden_shape", "hidden_list", "HIDDEN", "model answer", "MARK")
    for page in pages.values():
        plain = html.unescape(re.sub(r"<[^>]*>", "", page.source))
        assert [word for word in secrets if word in plain or word in page.source] == []
    plain = html.unescape(re.sub(r"<[^>]*>", "", pages["wrong"].source))
    assert "np.array([2.0, -4.0])" in plain, "the visible part is shown"


def test_marks_of_hidden_text_in_a_students_cells_are_only_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, released = ready_course(tmp_path)
    region = "### BEGIN HIDDEN TESTS\n{0}1\n### END HIDDEN TESTS\n### BEGIN MARK SCHEME\n{0}2"

    def add_cells(notebook: NotebookNode) -> None:
        notebook.cells.insert(2, code(region.format("own_code = ")))
        notebook.cells.insert(3, markdown(region.format("own words ")))
        place = next(i for i, cell in enumerate(notebook.cells) if "nbgrader" not in cell.metadata)
        notebook.cells[place].source += "\n" + region.format("changed words ")

    answers = ANSWERS | {
        "double": ANSWERS["double"] + "\n" + region.format("answered = "),
        "why": region.format("why words "),
    }
    hand_in(course.root, "marks", released, answers, add_cells)
    monkeypatch.chdir(course.root)
    assert main(["grade", "1"]) == 0 and main(["feedback", "1"]) == 0
    page = Page(course.root / "feedback" / "marks" / LESSON / f"{LESSON}.html")
    for words in ("own_code = ", "own words ", "answered = ", "why words "):
        assert f"{words}1" in page.text and f"{words}2" in page.text
    assert [
        word for word in ("secret_numbers", "hidden_shape", "model answer") if word in page.text
    ] == []


def test_nothing_on_a_page_runs_or_loads(pages: dict[str, Page]) -> None:
    for page in pages.values():
        active = {"script", "iframe", "object", "embed", "form", "input", "svg", "link", "base"}
        assert page.tags & active == set()
        for tag, name, value in page.attributes:
            assert not name.startswith("on"), (tag, name, value)
            assert "javascript:" not in value.lower().replace("\n", ""), (tag, name, value)
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#", "https:")), (tag, name, value)
            if tag == "img":
                assert name in ("alt", "src") and "example.org" not in value
            assert "url(" not in value
    styles = re.findall(r"<style[^>]*>(.*?)</style>", pages["wrong"].source, re.DOTALL)
    assert len(styles) >= 1 and all(
        "display: none }" not in style.split("@media")[0] for style in styles
    )
    assert "Content-Security-Policy" in pages["wrong"].source


def test_formulas_are_set_without_a_script(pages: dict[str, Page]) -> None:
    assert "<math" in pages["wrong"].source and "mathjax" not in pages["wrong"].source.lower()
    assert "<msup>" in inert.render_markdown("$x^2$") == inert.markdown2html("$x^2$")
    assert inert.mathml("\\frac{") == '<code class="formula">\\frac{</code>'
    assert "<script" not in inert.mathml("\\text{<script>alert(1)</script>}")
    forged = inert.render_markdown(f"{inert.OPEN}0{inert.CLOSE} $x$")
    assert forged.count("<math") == 1


def test_formgrader_and_nbgraders_own_feedback_can_be_made_inert(course: Course) -> None:
    settings = course.root / "nbgrader_config.py"
    before = settings.read_text()
    settings.write_text(
        before
        + 'c.HTMLExporter.preprocessors = ["autograder.grading.inert.Inert"]\n'
        + 'c.HTMLExporter.filters = {"markdown2html": "autograder.grading.inert.markdown2html"}\n'
    )
    try:
        from nbconvert.exporters import HTMLExporter

        exporter = HTMLExporter(config=Bridge(course).config)
        path = Bridge(course).autograded("wrong", LESSON)
        source, _ = exporter.from_filename(str(path))
    finally:
        settings.write_text(before)
    body = source[source.index("<body") :]
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", body)
    assert "<script>alert" not in body and 'javascript:alert(1)"' not in body
    assert "rounding" in body, "the words are still there"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<b>x</b>", "<b>x</b>"),
        ("<script>x</script>", "x"),
        ('<a href="https://a.b">x</a>', '<a href="https://a.b">x</a>'),
        ('<a href=" javascript:x">x</a>', "<a>x</a>"),
        ('<p style="color: red; position: fixed">x</p>', '<p style="color: red;">x</p>'),
        (
            '<img src="data:image/png;base64,AAAA" onload="x">',
            '<img src="data:image/png;base64,AAAA">',
        ),
        ('<img src="data:image/svg+xml;base64,AAAA">', "<em>(picture left out)</em>"),
        ("<style>@import 'x'</style>", "@import 'x'"),
        ("<!-- x -->y", "y"),
        ("<math><mi>x</mi></math>", "x"),
    ],
)
def test_clean_html(given: str, kept: str) -> None:
    assert inert.clean_html(given) == kept


def test_outputs_become_pictures_text_or_dead_html() -> None:
    def show(**data: Any) -> dict[str, str]:
        named = {name.replace("_", "/"): value for name, value in data.items()}
        output = nbformat.v4.new_output("display_data", data=named)
        return dict(inert.inert_output(output).data)

    assert "data:image/png;base64,AAAA" in show(image_png="AA\nAA", text_html="x")["text/html"]
    assert show(image_png='"><script>', text_plain="p") == {"text/plain": "p"}
    drawn = show(**{"image_svg+xml": "<svg/>", "text_plain": '"<b>"'})["text/html"]
    assert drawn.startswith("<img alt=") and "&lt;b&gt;" in drawn and "<svg" not in drawn
    assert show(application_javascript="x") == {
        "text/plain": "(a display that only works in a running notebook)"
    }
    assert "><i>x</i></div>" in show(text_html=["<i>", "x</i>"])["text/html"]

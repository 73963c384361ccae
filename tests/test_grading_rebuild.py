"""The graded notebook is the master with the student's answers, whatever became of the cells."""

import base64
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from small_course import (
    ANSWERS,
    DOUBLE_VALUES,
    LESSON,
    code,
    find,
    hand_in,
    make_course,
    markdown,
    read_one,
)

from autograder.engine import Engine, Run
from autograder.grading.handout import Handout, read_handout
from autograder.grading.rebuild import Rebuilt, rebuild
from autograder.grading.unit import MESSAGE_LIMIT, grade_submission
from autograder.master import Master, read_master


@pytest.fixture(scope="module")
def master_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_course(tmp_path_factory.mktemp("course"))
    return root / "solutions" / LESSON / f"{LESSON}.ipynb"


@pytest.fixture(scope="module")
def handout(master_path: Path) -> Handout:
    return read_handout(master_path)


@pytest.fixture(scope="module")
def master(master_path: Path) -> Master:
    return read_master(master_path)


Rebuild = Callable[..., Rebuilt]


@pytest.fixture
def rebuilt(tmp_path: Path, handout: Handout, master: Master) -> Rebuild:
    def make(
        change: Callable[[NotebookNode], None] | None = None,
        answers: dict[str, str] | None = None,
    ) -> Rebuilt:
        hand_in(tmp_path, "s", handout.released, ANSWERS if answers is None else answers, change)
        return rebuild(read_one(tmp_path, "s"), handout, master)

    return make


def answer(made: Rebuilt, grade_id: str) -> str:
    return next(cell.source for cell in made.cells if cell.grade_id == grade_id)


def own(made: Rebuilt) -> list[str]:
    return [
        cell.source for cell, origin in zip(made.cells, made.origins, strict=True) if origin is None
    ]


def assert_whole(made: Rebuilt, handout: Handout) -> None:
    """Assert that the three answers arrived, in a notebook that is otherwise the master's."""
    for grade_id, source in ANSWERS.items():
        assert answer(made, grade_id) == source
    for cell, origin in zip(made.cells, made.origins, strict=True):
        if origin is not None and not handout.slots[origin].answer:
            assert cell.source == handout.slots[origin].graded_source
    assert [origin for origin in made.origins if origin is not None] == list(
        range(len(handout.slots))
    )


def test_the_handout_has_hidden_tests_only_where_it_grades(handout: Handout) -> None:
    graded, released = handout.graded.cells[4].source, handout.released.cells[4].source
    assert "secret_numbers" in graded and "secret_numbers" not in released
    assert "return 2 * x" not in handout.graded.cells[3].source
    assert "model answer" not in handout.graded.cells[11].source


def test_an_ordinary_submission(rebuilt: Rebuild, handout: Handout) -> None:
    made = rebuilt()
    assert_whole(made, handout)
    assert made.notes == made.suspicions == () and not made.blank and not own(made)


def test_an_untouched_submission_is_blank(rebuilt: Rebuild) -> None:
    made = rebuilt(answers={})
    assert made.blank == {"double", "total", "why"} and made.notes == ()
    made = rebuilt(answers={"double": "\n", "why": "  "})
    assert made.blank == {"double", "total", "why"}


def test_copies_of_an_answer_cell(rebuilt: Rebuild, handout: Handout) -> None:
    def copy_before(notebook: NotebookNode) -> None:
        first = dict(find(notebook, "double"), source="def double(x):\n    return 'old'")
        notebook.cells.insert(3, NotebookNode(first))

    made = rebuilt(copy_before)
    assert_whole(made, handout)
    assert made.notes == (
        "Answer cell 'double' was there 2 times; the last changed one was taken.",
    )
    assert own(made) == ["def double(x):\n    return 'old'"]

    def untouched_copy_after(notebook: NotebookNode) -> None:
        blank = next(cell for cell in handout.released.cells if cell.id == "double")
        notebook.cells.insert(4, NotebookNode(json.loads(json.dumps(blank))))

    made = rebuilt(untouched_copy_after)
    assert_whole(made, handout)
    assert own(made) == [] and "the changed one was taken" in made.notes[0]


def test_a_split_answer_is_joined(rebuilt: Rebuild) -> None:
    def split(notebook: NotebookNode) -> None:
        cell = find(notebook, "double")
        half = NotebookNode(json.loads(json.dumps(cell)))
        cell.source, half.source = (
            "def helper(x):\n    return x + x",
            "def double(x):\n    return helper(x)",
        )
        notebook.cells.insert(notebook.cells.index(cell) + 1, half)

    made = rebuilt(split)
    assert answer(made, "double").startswith("def helper") and "split in 2" in made.notes[0]
    assert "def double" in answer(made, "double") and own(made) == []

    def split_inside(notebook: NotebookNode) -> None:
        cell = find(notebook, "double")
        half = NotebookNode(json.loads(json.dumps(cell)))
        cell.source, half.source = "def double(x):", "    return 2 * x"
        notebook.cells.insert(notebook.cells.index(cell) + 1, half)

    assert answer(rebuilt(split_inside), "double") == ANSWERS["double"]


def test_reordered_cells_go_back(rebuilt: Rebuild, handout: Handout) -> None:
    made = rebuilt(lambda notebook: notebook.cells.reverse())
    assert_whole(made, handout)


def test_a_deleted_answer_is_blank(rebuilt: Rebuild) -> None:
    made = rebuilt(lambda notebook: notebook.cells.remove(find(notebook, "total")))
    assert made.blank == {"total"}
    assert made.notes == ("Answer cell 'total' was deleted; it counts as blank.",)
    assert "NotImplementedError" in answer(made, "total")


def strip(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {}
        cell["id"] = f"new-{number}"


def test_stripped_labels_are_found_again(rebuilt: Rebuild, handout: Handout) -> None:
    made = rebuilt(strip)
    assert_whole(made, handout)
    said = " ".join(made.notes)
    assert "without labels, known by what they define: double, total." in said
    assert "without labels, known by their place: why." in said
    assert own(made) == []


def test_stripped_and_reordered(rebuilt: Rebuild) -> None:
    def change(notebook: NotebookNode) -> None:
        strip(notebook)
        notebook.cells.insert(0, notebook.cells.pop(3))

    assert answer(rebuilt(change), "double") == ANSWERS["double"]


def test_ids_alone_are_enough(rebuilt: Rebuild, handout: Handout) -> None:
    def change(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            # Google Colab drops nbgrader's labels and moves the id.
            cell.metadata = {"id": cell.pop("id")}

    made = rebuilt(change)
    assert_whole(made, handout)
    assert made.notes == ()


@pytest.mark.parametrize("fence", ["{}", "```\n{}\n```", "```python\n{}\n```\n"])
@pytest.mark.parametrize("labels", [True, False])
def test_code_typed_as_markdown(rebuilt: Rebuild, fence: str, labels: bool) -> None:
    def change(notebook: NotebookNode) -> None:
        cell = find(notebook, "double")
        cell.cell_type, cell.source = "markdown", fence.format(cell.source)
        if not labels:
            strip(notebook)

    made = rebuilt(change)
    assert answer(made, "double") == ANSWERS["double"]
    assert next(cell for cell in made.cells if cell.grade_id == "double").kind == "code"
    assert any("had become markdown" in note for note in made.notes)


def test_edited_locked_cells_gain_nothing_and_are_named(rebuilt: Rebuild, handout: Handout) -> None:
    def change(notebook: NotebookNode) -> None:
        find(notebook, "double-values").source = "pass"
        find(notebook, "double-shape").metadata["tags"] = ["skip-execution"]
        find(notebook, "total-values").metadata["nbgrader"]["points"] = 100
        find(notebook, "setup").source = "import os"
        find(notebook, "setup").metadata["nbgrader"]["schema_version"] = 99
        find(notebook, "double").metadata["nbgrader"]["grade"] = True

    made = rebuilt(change)
    assert_whole(made, handout)
    assert set(made.suspicions) == {
        "Test cell 'double-values' was edited.",
        "Test cell 'double-shape' carries tags of its own.",
        "The points or flags of cell 'total-values' were changed.",
        "Locked cell 'setup' was edited.",
    }
    assert [cell.points for cell in made.cells if cell.grade_id == "total-values"] == [3.0]


def test_deleted_test_cells_are_put_back(rebuilt: Rebuild, handout: Handout) -> None:
    made = rebuilt(lambda notebook: notebook.cells.remove(find(notebook, "double-values")))
    assert_whole(made, handout)
    assert made.notes == ("Test cells that were missing were put back: double-values.",)


def test_own_cells_run_where_they_stood(rebuilt: Rebuild, handout: Handout) -> None:
    def change(notebook: NotebookNode) -> None:
        notebook.cells.insert(0, code("first = 1"))
        place = notebook.cells.index(find(notebook, "double"))
        notebook.cells.insert(place + 1, code("after_double = 2"))
        notebook.cells.append(code(""))
        notebook.cells.append(markdown("A thought."))
        notebook.cells.append(code(DOUBLE_VALUES.replace("2.0", "9.0")))

    made = rebuilt(change)
    assert_whole(made, handout)
    order = [cell.grade_id or cell.source for cell in made.cells]
    assert order[0] == "first = 1" and order[-1] == "A thought."
    assert order[order.index("double") + 1] == "after_double = 2"
    assert [cell.index for cell in made.cells] == list(range(len(made.cells)))
    assert made.notes == ("A copy of a test cell was left out; the course's own test ran.",)
    assert all(
        cell.points == 0 and cell.grade_id is None
        for cell in made.cells
        if cell.source in own(made)
    )


def test_a_changed_free_cell_runs_as_the_student_left_it(rebuilt: Rebuild) -> None:
    def change(notebook: NotebookNode) -> None:
        next(
            cell for cell in notebook.cells if cell.source.startswith("shown")
        ).source = "shown = 1"

    made = rebuilt(change)
    assert [cell.source for cell in made.cells if cell.role == "code"] == ["shown = 1"]


def test_an_answer_that_is_not_python_is_named(rebuilt: Rebuild) -> None:
    made = rebuilt(answers={"double": "def double(x)\n    return 2", "total": "%time\nx = !ls"})
    assert made.notes == ("Answer cell 'double' is not Python: line 1, expected ':'.",)


@pytest.mark.parametrize(
    "extra",
    [
        "!a\n" * 400 + "a = 1\n" * 600,
        "!a\n" * 501,
        "!a\n" * 39 + "#" * 190_000,
        "-" * 150_000 + "1",
        "(" * 190_000,
    ],
)
def test_what_ipython_reads_slowly_does_not_hold_up_the_class(rebuilt: Rebuild, extra: str) -> None:
    source = ANSWERS["double"] + "\n" + extra
    started = time.process_time()
    made = rebuilt(answers=ANSWERS | {"double": source})
    assert time.process_time() - started < 5
    assert answer(made, "double") == source


@pytest.mark.parametrize("extra", ["a\n" * 5_000, "#" * 200_000])
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_an_answer_that_is_too_long_is_blank(rebuilt: Rebuild, extra: str, kind: str) -> None:
    def change(notebook: NotebookNode) -> None:
        find(notebook, "double").cell_type = kind

    made = rebuilt(change, ANSWERS | {"double": ANSWERS["double"] + "\n" + extra})
    assert made.blank == {"double"}
    (note,) = made.notes
    assert "too long" in note and "5,000 lines" in note and len(note) < 200


def test_copies_of_tests_are_said_once(rebuilt: Rebuild) -> None:
    made = rebuilt(lambda notebook: notebook.cells.extend([code("@test\nx")] * 4_000))
    assert made.notes == ("4000 copies of test cells were left out; the course's own tests ran.",)


def moved_above(notebook: NotebookNode) -> None:
    place = notebook.cells.index(find(notebook, "double"))
    notebook.cells[place].source = ""
    notebook.cells.insert(place, code(ANSWERS["double"]))


def merged(notebook: NotebookNode) -> None:
    find(notebook, "double").source = "\n\n".join((ANSWERS["double"], ANSWERS["total"]))
    notebook.cells.remove(find(notebook, "total"))


@pytest.mark.parametrize(
    ("change", "name"), [(moved_above, "double"), (merged, "total")], ids=["above", "merged"]
)
def test_no_stub_runs_over_an_answer_in_an_earlier_cell(
    rebuilt: Rebuild, change: Callable[[NotebookNode], None], name: str
) -> None:
    made = rebuilt(change)
    assert answer(made, name) == "" and not made.blank
    (note,) = made.notes
    assert "earlier cell" in note and note.endswith(f"{name}.")
    namespace: dict[str, object] = {}
    for cell in made.cells:
        if cell.kind == "code" and cell.role in ("code", "exercise"):
            exec(cell.source, namespace)  # whatever ran last is what the tests see
    assert namespace[name].__code__.co_consts != (None, None)  # type: ignore[attr-defined]


def test_a_blank_answer_stays_blank_whatever_comes_after(rebuilt: Rebuild) -> None:
    made = rebuilt(
        lambda notebook: notebook.cells.append(code("total = 0")),
        {name: text for name, text in ANSWERS.items() if name != "total"},
    )
    assert made.blank == {"total"} and made.notes == ()


@pytest.mark.parametrize("place", ["above", "below", "instead"])
def test_words_near_a_blank_written_answer_are_taken(rebuilt: Rebuild, place: str) -> None:
    def change(notebook: NotebookNode) -> None:
        at = notebook.cells.index(find(notebook, "why"))
        words = [markdown("First, rounding."), markdown("Second, order.")]
        notebook.cells[at + (place == "below") : at + (place != "above")] = words

    made = rebuilt(change, {name: text for name, text in ANSWERS.items() if name != "why"})
    assert answer(made, "why") == "First, rounding.\n\nSecond, order."
    assert not made.blank and not own(made)
    (note,) = made.notes
    assert "'why' was blank" in note and "2 cells" in note


def picture(size: int = 0, start: bytes = b"\x89PNG\r\n\x1a\n", media: str = "image/png") -> object:
    return {media: base64.b64encode(start + b"x" * size).decode()}


def test_pictures_of_a_written_answer_are_kept(rebuilt: Rebuild) -> None:
    shown = {"a.png": picture(), "b.jpg": picture(9, b"\xff\xd8\xff", "image/jpeg")}
    made = rebuilt(lambda notebook: find(notebook, "why").update(attachments=shown))
    assert made.pictures == {"why": shown} and made.notes == ()


@pytest.mark.parametrize(
    ("attachments", "left"),
    [
        ({"a.svg": picture(0, b"<svg", "image/svg+xml")}, []),
        ({"a.html": picture(0, b"<script>", "image/png")}, []),
        ({"a.png": {"image/png": '?"><script>'}}, []),
        ({"a.png": picture(2_000_000), "b.png": picture()}, ["b.png"]),
        ({f"{n}.png": picture(1_900_000) for n in range(3)}, ["0.png", "1.png"]),
        ({"a\nb.png": picture(), "c.png": picture()}, ["c.png"]),
        ({"a.png": 7, "b.png": {"image/png": 7}}, []),
    ],
)
def test_other_attachments_are_left_out_and_named(
    rebuilt: Rebuild, attachments: dict[str, object], left: list[str]
) -> None:
    made = rebuilt(lambda notebook: find(notebook, "why").update(attachments=attachments))
    assert list(made.pictures.get("why", {})) == left
    assert f"{len(attachments) - len(left)} attachment(s) of answer 'why'" in made.notes[0]


def test_another_lessons_notebook(rebuilt: Rebuild) -> None:
    def change(notebook: NotebookNode) -> None:
        notebook.cells = [code("x = 1", "other", role="exercise"), markdown("# Other")]

    made = rebuilt(change)
    assert made.blank == {"double", "total", "why"}
    assert made.notes[-1] == "No cell of this lesson was found; is it another lesson's notebook?"


def test_hostile_labels_are_harmless(rebuilt: Rebuild, handout: Handout) -> None:
    def change(notebook: NotebookNode) -> None:
        nonsense = [{"grade_id": {}}, "nbgrader", None, 3, {"grade_id": "x" * 10_000}, []]
        find(notebook, "double-values").metadata["nbgrader"]["points"] = {"a": float("nan")}
        notebook.cells += [code(f"own = {number}") for number in range(len(nonsense))]
        for cell, labels in zip(notebook.cells[-len(nonsense) :], nonsense, strict=True):
            cell.metadata["nbgrader"] = labels

    assert_whole(rebuilt(change), handout)


def test_a_message_has_an_end(rebuilt: Rebuild, master: Master) -> None:
    class Still(Engine):
        def run(self, *_: object, **__: object) -> Run:
            return Run({}, {}, None)

    made = dataclasses.replace(rebuilt(), notes=("What was odd.",) * 1_000)
    outcome = grade_submission(master, made, Still(sandbox=False), 0)
    assert len(outcome.message) == MESSAGE_LIMIT and outcome.message.startswith("What was odd. W")
    assert len(outcome.notes) == 1_000

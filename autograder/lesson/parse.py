"""Reads a lesson's master, `lesson.py`, and refuses a malformed one with the line to repair.

The rules that cells must keep together are the table `RULES`; the markers' own are in `markers`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import LESSON_FOLDER
from autograder.lesson.header import read_header
from autograder.lesson.markers import ROLES, assign_role
from autograder.lesson.model import Behaviour, Cell, Exercise, Flaws, Lesson, Written
from autograder.lesson.percent import Sheet, parse_sheet, read_sheet
from autograder.lesson.regions import regions
from autograder.lesson.source import as_python

MASTER = "lesson.py"
MAX_ID = 64  # nbformat's limit for a cell id
HINTS = ("an idea", "a picture", "a skeleton")
Flaw = tuple[int, str]


def read_lesson(path: Path) -> Lesson:
    """Read the master at `path` (`lesson.py` or its folder). Problem with a line if it is wrong."""
    path = path / MASTER if path.is_dir() else path
    return _lesson(read_sheet(path))


def parse_lesson(text: str, path: Path) -> Lesson:
    """Read a master from `text`, as if it stood at `path`."""
    return _lesson(parse_sheet(text, path))


def _lesson(sheet: Sheet) -> Lesson:
    flaws = Flaws(sheet.path)
    folder = LESSON_FOLDER.fullmatch(sheet.path.resolve().parent.name)
    if folder is None:
        flaws.add(1, "a lesson lies in a folder such as 04_autograd_engine; rename the folder.")
    if sheet.preface.strip():
        line = len(sheet.header_text.rstrip().split("\n"))
        flaws.add(line, "text stands before the first cell; put a '# %%' line above it.")
    header = read_header(sheet, flaws)
    cells = tuple(assign_role(cell, ROLES, flaws) for cell in sheet.cells)
    flaws.check()
    draft = Draft(cells)
    for rule in RULES:
        for line, sentence in rule(draft):
            flaws.add(line, sentence)
    flaws.check()
    assert folder is not None
    return Lesson(
        path=sheet.path,
        slug=folder["slug"],
        number=int(folder["number"]),
        header=sheet.header,
        header_text=sheet.header_text,
        cells=cells,
        exercises=tuple(_exercise(draft, cell) for cell in draft.of("exercise")),
        written=tuple(
            Written(cell.name, int(cell.marker["points"]), cell.line)
            for cell in draft.of("written")
        ),
        **header,
    )


@dataclass(frozen=True)
class Draft:
    """The cells of a lesson before its rules are known to hold."""

    cells: tuple[Cell, ...]

    def of(self, role: str, name: str | None = None) -> list[Cell]:
        """Return the cells of a role, in order; with `name`, those of that exercise or question."""
        return [c for c in self.cells if c.role == role and name in (None, c.name)]

    def place(self, cell: Cell) -> int:
        """Return the position of a cell in the lesson."""
        return next(index for index, other in enumerate(self.cells) if other is cell)


def _exercise(draft: Draft, cell: Cell) -> Exercise:
    behaviours = tuple(
        Behaviour(
            exercise=cell.name,
            name=str(test.marker["behaviour"]),
            points=int(test.marker["points"]),
            sentence=sentence(test_function(test)),
            line=test.line,
        )
        for test in draft.of("tests", cell.name)
    )
    return Exercise(
        name=cell.name,
        minutes=int(cell.marker["minutes"]),
        difficulty=int(cell.marker["difficulty"]),
        importance=int(cell.marker["importance"]),
        allow=cell.words("allow"),
        behaviours=behaviours,
        source=cell.source,
        line=cell.line,
    )


def sentence(function: ast.FunctionDef) -> str:
    """Return the sentence for the student: the docstring of a test, on one line."""
    return " ".join((ast.get_docstring(function) or "").split())


def test_function(cell: Cell) -> ast.FunctionDef:
    """Return the one function of a test cell; ValueError(line, sentence) if its shape is wrong."""
    body = ast.parse(cell.source).body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        at = body[1].lineno if len(body) > 1 else 1
        raise ValueError(at, "a test cell is exactly one function under @autograder.test.")
    function = body[0]
    names = [_last_name(item) for item in function.decorator_list]
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if names != ["test"] or function.name != "_":
        raise ValueError(1, "a test is written '@autograder.test' over 'def _(rng):'.")
    if [a.arg for a in every] != ["rng"] or arguments.vararg or arguments.kwarg:
        raise ValueError(function.lineno, "a test takes one argument, rng: 'def _(rng):'.")
    words = sentence(function)
    if not words or words[-1] not in ".?!":
        raise ValueError(
            function.lineno,
            "a test begins with a docstring, one sentence that tells the student what is checked.",
        )
    return function


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# Rules. Each takes the cells and yields (line, sentence) for what is wrong.


def names_once(draft: Draft) -> Iterator[Flaw]:
    """No two cells share a grade id, and an id fits into nbformat's 64 characters."""
    seen: dict[str, Cell] = {}
    for cell in draft.cells:
        grade_id = cell.grade_id
        if grade_id is None:
            continue
        if grade_id in seen:
            other = seen[grade_id]
            yield (
                cell.line,
                f"'{grade_id}' is already the {other.role} cell of line {other.line}; rename one.",
            )
        if len(f"{grade_id}-rubric") > MAX_ID:
            yield cell.line, f"'{grade_id}' is too long for a cell id; shorten it."
        seen.setdefault(grade_id, cell)


def regions_fit(draft: Draft) -> Iterator[Flaw]:
    """Region markers are balanced, and each kind stands only in its own cells."""
    homes = {
        "SOLUTION": ("exercise", "written"),
        "HIDDEN TESTS": ("tests",),
        "MARK SCHEME": ("written",),
    }
    for cell in draft.cells:
        try:
            found = regions(cell.source)
        except ValueError as error:
            line, sentence_ = error.args
            yield cell.at(line), sentence_
            continue
        for region in found:
            if cell.role not in homes[region.kind]:
                yield (
                    cell.at(region.first),
                    f"a {region.kind} region belongs into a cell marked "
                    f"{' or '.join(homes[region.kind])}=, not here.",
                )


def code_compiles(draft: Draft) -> Iterator[Flaw]:
    """Every code cell of the solved notebook is Python."""
    for cell in draft.cells:
        if cell.kind == "code":
            try:
                compile(as_python(cell.source), "<cell>", "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", 1) or 1
                yield cell.at(line), f"this is not Python ({error.args[0]}); repair it."


def exercises_whole(draft: Draft) -> Iterator[Flaw]:
    """An exercise has a prompt before it, solution markers, tests after it, three hints."""
    for cell in draft.of("exercise"):
        name, place = cell.name, draft.place(cell)
        if "### BEGIN SOLUTION" not in cell.source:
            yield (
                cell.line,
                f"exercise '{name}' has no ### BEGIN SOLUTION ... ### END SOLUTION; "
                "put them around what the student writes.",
            )
        yield from _prompted(draft, cell)
        tests = draft.of("tests", name)
        if not tests:
            yield cell.line, f"exercise '{name}' has no tests; add a cell marked tests=\"{name}\"."
        for test in tests:
            if draft.place(test) < place:
                yield test.line, f"this test of '{name}' stands before its exercise; move it below."
        yield from _hinted(draft, cell)


def written_whole(draft: Draft) -> Iterator[Flaw]:
    """A written question has a prompt, a model answer and a rubric, and no text outside of them."""
    for cell in draft.of("written"):
        yield from _prompted(draft, cell)
        for kind, what in (("SOLUTION", "model answer"), ("MARK SCHEME", "rubric")):
            if f"### BEGIN {kind}" not in cell.source:
                yield (
                    cell.line,
                    f"written question '{cell.name}' has no {what}; "
                    f"put it between ### BEGIN {kind} and ### END {kind}.",
                )
        try:
            inside = regions(cell.source)
        except ValueError:
            continue
        for number, text in enumerate(cell.source.split("\n"), start=1):
            if text.strip() and not any(number in region for region in inside):
                yield (
                    cell.at(number),
                    f"the student overwrites this cell; move the question into a cell marked "
                    f'[markdown] prompt="{cell.name}".',
                )
                break


def _prompted(draft: Draft, cell: Cell) -> Iterator[Flaw]:
    prompts = draft.of("prompt", cell.name)
    if not prompts:
        yield (
            cell.line,
            f"'{cell.name}' has no task text; add a cell [markdown] prompt=\"{cell.name}\" above.",
        )
    elif draft.place(prompts[0]) > draft.place(cell):
        yield prompts[0].line, f"this prompt stands below '{cell.name}'; move it above."
    for extra in prompts[1:]:
        yield extra.line, f"'{cell.name}' has a second prompt; join the two or make this one prose."


def _hinted(draft: Draft, cell: Cell) -> Iterator[Flaw]:
    hints = draft.of("hint", cell.name)
    if len(hints) != len(HINTS):
        line = hints[-1].line if hints else cell.line
        yield (
            line,
            f"exercise '{cell.name}' has {len(hints)} hints; it needs three, in this order: "
            f"{', '.join(HINTS)}.",
        )
        return
    places = [draft.place(hint) for hint in hints]
    if places != list(range(places[0], places[0] + len(HINTS))):
        yield (
            hints[0].line,
            f"the hints of '{cell.name}' are apart; put the three one after another.",
        )
    prompts = draft.of("prompt", cell.name)
    if prompts and places[0] < draft.place(prompts[0]):
        yield (
            hints[0].line,
            f"the hints of '{cell.name}' stand above its prompt; move them below it.",
        )


def names_known(draft: Draft) -> Iterator[Flaw]:
    """Tests, hints and prompts speak of an exercise (or written question) that is there."""
    exercises = {cell.name for cell in draft.of("exercise")}
    written = {cell.name for cell in draft.of("written")}
    targets = {"tests": exercises, "hint": exercises, "prompt": exercises | written}
    for cell in draft.cells:
        known = targets.get(cell.role)
        if known is not None and cell.name not in known:
            listed = ", ".join(sorted(known)) or "none yet"
            yield cell.line, f'{cell.role}="{cell.name}" names no exercise here ({listed}).'


def tests_shaped(draft: Draft) -> Iterator[Flaw]:
    """A test cell is one function `_(rng)` under `@autograder.test` with its sentence."""
    for cell in draft.of("tests"):
        try:
            test_function(cell)
        except SyntaxError:
            continue  # code_compiles says so
        except ValueError as error:
            line, sentence_ = error.args
            yield cell.at(line), sentence_


def not_empty(draft: Draft) -> Iterator[Flaw]:
    """A lesson has cells; a marked one has content."""
    if not draft.cells:
        yield 1, "the lesson has no cells; begin one with '# %% [markdown]'."
    for cell in draft.cells:
        if not cell.source.strip():
            yield cell.line, "this cell is empty; fill it or take it out."


Rule = Callable[[Draft], Iterable[Flaw]]
RULES: tuple[Rule, ...] = (
    not_empty,
    names_once,
    regions_fit,
    code_compiles,
    exercises_whole,
    written_whole,
    names_known,
    tests_shaped,
)

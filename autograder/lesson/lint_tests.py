"""Rules for the body of a test cell: what keeps a verdict outside the student's reach."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Callable, Iterable, Iterator

from autograder.checks import BODY_NAMES
from autograder.lesson.parsed_test import TestCell, called
from autograder.lesson.regions import regions
from autograder.lesson.student_values import StudentValues

Flaw = tuple[int, str]
PROVIDED = frozenset({"np", "math", "autograder", "test", *BODY_NAMES})
"""Names that a test body finds in the tester's namespace."""
BUILTINS = frozenset(dir(builtins)) | {"__class__"}
CLOSE = frozenset({"allclose", "isclose", "array_equal", "array_equiv"})
SIZE = frozenset({"abs", "absolute", "fabs"})


def bare_comparisons(cell: TestCell) -> Iterator[Flaw]:
    """Only the helpers compare: NaN, shapes and a lying `__eq__` slip through bare comparisons.

    An oracle may compare what the tester itself made; whatever came from the student may not be.
    """
    theirs = StudentValues(cell)
    for node in ast.walk(cell.function):
        if isinstance(node, ast.Assert):
            yield node.lineno, "a test says require(..., message) or same(...), never assert."
        elif isinstance(node, ast.Attribute) and node.attr == "testing":
            yield node.lineno, "np.testing compares bare values; use same(got, expected, what)."
        elif isinstance(node, ast.Compare) and theirs.touch(node):
            if any(isinstance(p, ast.Call) and called(p) in SIZE for p in ast.walk(node)):
                yield (
                    node.lineno,
                    "abs(...) in a bare comparison lets NaN pass; use same or at_most.",
                )
        elif isinstance(node, ast.Call) and theirs.touch(node):
            name, method = called(node), isinstance(node.func, ast.Attribute)
            if name in CLOSE or (method and name in ("all", "any")):
                yield (
                    node.lineno,
                    f"{name}(...) is a bare comparison, which broadcasting and a lying __eq__ "
                    "pass; use same(got, expected, what).",
                )


def visible_literals(cell: TestCell) -> Iterator[Flaw]:
    """What a student sees in a test are numbers, not draws."""
    hidden = regions(cell.source)
    for node in ast.walk(cell.function):
        if not isinstance(node, ast.Name) or node.id != "rng":
            continue
        if not any(node.lineno in region for region in hidden):
            yield node.lineno, "the visible part uses rng; show literal numbers there instead."


def beside_is_alone(cell: TestCell) -> Iterator[Flaw]:
    """A `@beside` function is shipped as source: no closures, no defaults, no unknown names."""
    inner = {table.get_lineno(): table for table in _functions(cell.scope)}
    for node in cell.besides:
        where = f"the @beside function '{node.name}'"
        arguments = node.args
        if arguments.defaults or any(arguments.kw_defaults):
            yield node.lineno, f"{where} has default arguments; pass every value in the call."
        table = inner.get(node.lineno) or inner.get(node.decorator_list[0].lineno)
        if table is None:
            continue
        for name in sorted(_free(table)):
            yield (
                _line_of(node, name),
                f"{where} closes over '{name}'; pass it as an argument or make it inside.",
            )
        for name in sorted(_globals(table) - BUILTINS - cell.names):
            yield (
                _line_of(node, name),
                f"{where} uses '{name}', which is no argument, import inside it, or top-level name "
                "of the notebook.",
            )


def tokens_are_handed_on(cell: TestCell) -> Iterator[Flaw]:
    """A student's object is a token in the tester: it is only ever an argument of a call."""
    inside = {id(part) for node in cell.besides for part in ast.walk(node)}
    own = _globals(cell.scope, skip={node.name for node in cell.besides}) - BUILTINS - PROVIDED
    given = {id(part) for call in ast.walk(cell.function) for part in _arguments(call)}
    for node in ast.walk(cell.function):
        if not isinstance(node, ast.Name) or node.id not in own or id(node) in inside:
            continue
        if node.id not in cell.names:
            yield node.lineno, f"'{node.id}' is bound neither in this test nor in the notebook."
        elif id(node) not in given:
            yield (
                node.lineno,
                f"'{node.id}' is the student's; a test only hands it on, as in call({node.id}, x).",
            )


def _arguments(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the arguments of a call, those in a tuple, list or dict of an argument included."""
    if not isinstance(node, ast.Call):
        return
    waiting = [*node.args, *(keyword.value for keyword in node.keywords)]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, ast.Tuple | ast.List):
            waiting += part.elts
        elif isinstance(part, ast.Dict):
            waiting += part.values
        elif isinstance(part, ast.Starred):
            waiting.append(part.value)


def _functions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _functions(child)


def _free(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_free()}


def _globals(table: symtable.SymbolTable, skip: Iterable[str] = ()) -> set[str]:
    """Return the global names that a function and those inside it use; `skip` names functions."""
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    for child in table.get_children():
        if child.get_name() not in skip:
            found |= _globals(child)
    return found


def _line_of(function: ast.FunctionDef, name: str) -> int:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name:
            return node.lineno
    return function.lineno


TestRule = Callable[[TestCell], Iterable[Flaw]]
TEST_RULES: tuple[TestRule, ...] = (
    bare_comparisons,
    visible_literals,
    beside_is_alone,
    tokens_are_handed_on,
)

"""Mechanical mutants: what is left of a solution after one small slip.

    for mutant in mutants("forward", source): print(mutant.id, mutant.source)

The slips are the table in `slips`. Kept libraries were looked at first (November 2026): mutmut and
mutatest mutate files of a package and run its test suite; cosmic-ray mutates a string too, but its
operators know nothing of arrays (`axis`, `.T`, `.copy()`), drop no statement, number their mutants
by occurrence and bring twenty packages along. A cell with a region to mutate needs a table.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from autograder.audit.slips import SLIPS, Context
from autograder.lesson.regions import Region, regions

CAP = 60
"""How many mutants of one exercise the audit runs."""
KEPT_FIELDS = frozenset({"annotation", "returns", "decorator_list"})
"""Parts of a definition whose change shows nowhere."""


@dataclass(frozen=True)
class Mutant:
    """A solution with one slip in it."""

    id: str
    """`forward.L3.add_to_sub.1`: exercise, line of the solution without comments, slip, count."""
    source: str
    line: str
    """The changed line as it reads now."""


def mutants(exercise: str, source: str) -> list[Mutant]:
    """Return every mutant of a solved answer cell, in the order of its code.

    Only what stands between ### BEGIN SOLUTION and ### END SOLUTION is changed. Mutants that do
    not compile, or equal the solution or an earlier mutant as syntax, are left out.
    """
    marked = [region for region in regions(source) if region.kind == "SOLUTION"]
    tree = ast.parse(ast.unparse(ast.parse(source)))
    solution = ast.unparse(tree).split("\n")
    seen = {ast.dump(tree)}
    found = []
    for name, changed in _changed(tree, source, marked):
        text = _text(changed)
        if text is None or (key := ast.dump(ast.parse(text))) in seen:
            continue
        seen.add(key)
        found.append(Mutant(f"{exercise}.{name}", text, _first_change(solution, text.split("\n"))))
    return found


def chosen(found: list[Mutant], cap: int = CAP, always: Collection[str] = ()) -> list[Mutant]:
    """Return at most `cap` of the mutants, and those named in `always`, in their order.

    Each is drawn by a hash of its id, so that a change of one line moves few of the others.
    """

    def rank(mutant: Mutant) -> str:
        return hashlib.sha256(mutant.id.encode()).hexdigest()

    drawn = {mutant.id for mutant in sorted(found, key=rank)[:cap]} | set(always)
    return [mutant for mutant in found if mutant.id in drawn]


def _changed(tree: ast.Module, source: str, marked: list[Region]) -> Iterator[tuple[str, ast.AST]]:
    """Yield (name without exercise, tree with one slip); the tree holds only until the next."""
    places = list(_places(tree, source, marked))
    first = min((node.lineno for node, *_ in places), default=1)
    counts: Counter[tuple[int, str]] = Counter()
    context = Context.of(tree)
    for place in places:
        node = place[0]
        for slip in SLIPS:
            if not isinstance(node, slip.kind):
                continue
            for changed in slip.change(node, context):
                line = node.lineno - first + 1
                counts[line, slip.name] += 1
                _put(place, changed)
                yield f"L{line}.{slip.name}.{counts[line, slip.name]}", tree
                _put(place, node)


Place = tuple[ast.expr | ast.stmt, ast.AST, str, int | None]


def _places(tree: ast.Module, source: str, marked: list[Region]) -> Iterator[Place]:
    """Yield the nodes that may be changed, each with where it hangs, in the order of the code.

    `tree` has no comments, so its lines do not move when they change; the same walk over the
    source as written tells which nodes stand in a marked region.
    """
    written = ast.walk(ast.parse(source))
    for node, original in zip(ast.walk(tree), written, strict=True):
        line = getattr(original, "lineno", 0)
        node._inside = any(line in region for region in marked)  # type: ignore[attr-defined]
    yield from _below(tree)


def _below(parent: ast.AST) -> Iterator[Place]:
    for field, value in ast.iter_fields(parent):
        if field in KEPT_FIELDS:
            continue
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, node in items:
            if not isinstance(node, ast.AST) or _is_docstring(parent, index, node):
                continue
            if isinstance(node, ast.expr | ast.stmt) and getattr(node, "_inside", False):
                yield node, parent, field, index
            # What an error message says is the author's choice, so a slip in it proves nothing.
            if not isinstance(node, ast.Raise | ast.JoinedStr):
                yield from _below(node)


def _is_docstring(parent: ast.AST, index: int | None, node: ast.AST) -> bool:
    return (
        index == 0
        and isinstance(parent, ast.FunctionDef | ast.ClassDef | ast.Module)
        and isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
    )


def _put(place: Place, node: ast.AST) -> None:
    _, parent, field, index = place
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _text(tree: ast.AST) -> str | None:
    """Return the source of a changed tree, or None when Python does not take it."""
    try:
        text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `1 is 2` is a fine mutant
            compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return None
    return text


def _first_change(before: list[str], after: list[str]) -> str:
    for one, other in zip(before, after, strict=False):
        if one != other:
            return other.strip()
    return after[-1].strip()

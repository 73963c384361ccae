"""Which expressions of a test body hold what came from the student's side.

A value does if it is the result of a call across the boundary, or was made from one: by assignment,
in a loop, or as an argument of a function of the test. Names are taken together over the whole
test, so this errs on the side of suspicion.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograder.lesson.parsed_test import TestCell, called

CROSSING = frozenset({"call", "pure", "raises"})
"""Helpers that return what the student's code answered."""


class StudentValues:
    """Knows for each expression of a test whether a student's value is in it."""

    def __init__(self, cell: TestCell) -> None:
        self.function = cell.function
        self.beside = {id(part) for node in cell.besides for part in ast.walk(node)}
        self.helpers = {
            node.name: node
            for node in ast.walk(cell.function)
            if isinstance(node, ast.FunctionDef) and node is not cell.function
        }
        self.sources = CROSSING | {node.name for node in cell.besides}
        self.names: set[str] = set()
        while True:
            before = len(self.names) + len(self.sources)
            for node in ast.walk(cell.function):
                self._spread(node)
            if len(self.names) + len(self.sources) == before:
                return

    def touch(self, node: ast.AST) -> bool:
        """Return whether a student's value takes part in `node`; all do in a `@beside` function."""
        return id(node) in self.beside or any(
            (isinstance(part, ast.Name) and part.id in self.names)
            or (isinstance(part, ast.Call) and called(part) in self.sources)
            for part in ast.walk(node)
        )

    def _spread(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self._into_helper(node)
        elif isinstance(node, ast.FunctionDef) and node is not self.function:
            returned = [part for part in ast.walk(node) if isinstance(part, ast.Return)]
            if any(self.touch(part) for part in returned):
                self.sources = self.sources | {node.name}
        else:
            for targets, value in _bindings(node):
                if self.touch(value):
                    self.names |= {n.id for n in ast.walk(targets) if isinstance(n, ast.Name)}

    def _into_helper(self, node: ast.Call) -> None:
        """A helper's parameters are the student's if one is passed, or if it is a callback."""
        if called(node) == "callback":
            for part in node.args:
                if isinstance(part, ast.Name) and part.id in self.helpers:
                    self.names |= set(_parameters(self.helpers[part.id]))
        helper = self.helpers.get(called(node))
        if helper is None or id(helper) in self.beside:
            return
        parameters = _parameters(helper)
        for position, part in enumerate(node.args):
            if self.touch(part):
                self.names |= set(parameters[position : position + 1])
        for keyword in node.keywords:
            if keyword.arg in parameters and self.touch(keyword.value):
                self.names.add(str(keyword.arg))


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield (target, value) of what a statement or comprehension binds."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        if node.value is not None:
            yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.target, node.iter

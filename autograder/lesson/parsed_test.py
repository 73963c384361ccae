"""A test cell of a lesson, parsed for the lints."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class TestCell:
    """A test cell, parsed."""

    __test__ = False  # not a class of tests, whatever pytest makes of its name
    source: str
    function: ast.FunctionDef
    names: frozenset[str]
    """What the solved notebook binds at top level."""

    @cached_property
    def besides(self) -> list[ast.FunctionDef]:
        """The functions that run beside the student's objects."""
        return [
            node
            for node in ast.walk(self.function)
            if isinstance(node, ast.FunctionDef)
            and any(called(item) == "beside" for item in node.decorator_list)
        ]

    @cached_property
    def scope(self) -> symtable.SymbolTable:
        """Python's own account of the test function's names."""
        return symtable.symtable(self.source, "<test>", "exec").get_children()[0]


def called(node: ast.expr) -> str:
    """Return the last name of what is called or decorates: `beside` of `autograder.beside(...)`."""
    node = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

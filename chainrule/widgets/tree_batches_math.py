"""Trees from text, and the order in which their nodes are computed: one by one, or in batches.

nodes = parse("(1 + 2) * 3\\n4 - 5")          # raises TreeError: which line, what is wrong
steps(nodes, "in batches")                  # calls: the leaves, then each depth and operator

The same as tree_batches_math.js, which a test holds against this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES, LENGTH, DEEPEST = 8, 60, 12
TOKEN = re.compile(r"\d+|[-+*()]|\S")
ORDERS = ("one by one", "in batches")


class TreeError(ValueError):
    """What was typed is no tree."""


@dataclass(frozen=True)
class TreeNode:
    """A node: its tree, the sign or number in it, its sides by place, depth, value and text."""

    tree: int
    label: str
    left: int
    right: int
    depth: int
    value: int
    words: str


@dataclass(frozen=True)
class Call:
    """One call of leaf or of an operator: the depth, and the places of the nodes it computes."""

    name: str
    depth: int
    places: tuple[int, ...]


class _Parser:
    """Reads one line by recursive descent; + and - bind less than *."""

    def __init__(self, line: str, tree: int, nodes: list[TreeNode]) -> None:
        self.tokens, self.tree, self.nodes, self.at = TOKEN.findall(line), tree, nodes, 0

    def fail(self, words: str) -> TreeError:
        return TreeError(f"line {self.tree + 1}: {words}")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def expression(self, signs: tuple[str, ...] = ("+-", "*")) -> int:
        if not signs:
            return self.atom()
        left = self.expression(signs[1:])
        while self.peek() and self.peek() in signs[0]:
            sign = self.tokens[self.at]
            self.at += 1
            left = self.join(sign, left, self.expression(signs[1:]))
        return left

    def atom(self) -> int:
        token = self.peek()
        self.at += 1
        if token.isdigit() and token.isascii() and len(token) < 4:
            self.nodes.append(TreeNode(self.tree, str(int(token)), -1, -1, 0, int(token), token))
            return len(self.nodes) - 1
        if token == "(":
            inner = self.expression()
            if self.peek() != ")":
                raise self.fail("a ) is missing")
            self.at += 1
            return inner
        found = repr(token) if token else "the end"
        raise self.fail(f"expected a number up to 999 or a (, found {found}")

    def join(self, sign: str, left: int, right: int) -> int:
        a, b = self.nodes[left], self.nodes[right]
        value = {"+": a.value + b.value, "-": a.value - b.value, "*": a.value * b.value}[sign]
        depth = 1 + max(a.depth, b.depth)
        if depth > DEEPEST:
            raise self.fail(f"deeper than {DEEPEST}")
        sides = [n.words if n.depth == 0 else f"({n.words})" for n in (a, b)]
        words = f"{sides[0]} {sign} {sides[1]}"
        self.nodes.append(TreeNode(self.tree, sign, left, right, depth, value, words))
        return len(self.nodes) - 1


def parse(source: str) -> list[TreeNode]:
    """Return the nodes of all trees, one in a line, each after its sides.

    Raises:
        TreeError: A line is no sum of numbers, or there are too many or too long lines.
    """
    lines = [line for line in source.split("\n") if line.strip()]
    if not 1 <= len(lines) <= LINES:
        raise TreeError(f"type 1 to {LINES} trees, one in a line")
    nodes: list[TreeNode] = []
    for tree, line in enumerate(lines):
        parser = _Parser(line, tree, nodes)
        if len(line) > LENGTH:
            raise parser.fail(f"longer than {LENGTH} characters")
        parser.expression()
        if parser.peek():
            raise parser.fail(f"expected + - * or the end, found {parser.peek()!r}")
    return nodes


def steps(nodes: list[TreeNode], order: str) -> list[Call]:
    """Return the calls: one for each node, or one for each depth and operator."""
    if order == ORDERS[0]:
        return [
            Call(n.label if n.depth else "leaf", n.depth, (place,)) for place, n in enumerate(nodes)
        ]
    groups: dict[tuple[int, str], list[int]] = {}
    for place, n in enumerate(nodes):
        groups.setdefault((n.depth, n.label if n.depth else "leaf"), []).append(place)
    return [Call(name, depth, tuple(places)) for (depth, name), places in sorted(groups.items())]


def said(nodes: list[TreeNode], order: str, step: int) -> str:
    """Return in words which call is made, and how many calls each order takes."""
    calls = steps(nodes, order)
    counts = " and ".join(f"{len(steps(nodes, o))} {o}" for o in ORDERS)
    total = f"Calls in all: {counts}."
    if step == 0:
        return f"Nothing is computed yet. {total}"
    call = calls[min(step, len(calls)) - 1]
    rows = "; ".join(nodes[p].words for p in call.places)
    count = "1 row" if len(call.places) == 1 else f"{len(call.places)} rows"
    where = f"Call {min(step, len(calls))} of {len(calls)}, {order}"
    return f"{where}: {call.name} at depth {call.depth}, {count}: {rows}. {total}"


def table_rows(nodes: list[TreeNode], order: str) -> list[tuple[str, str, str, str]]:
    """Return for each call its number, operator, depth and rows, as text."""
    return [
        (str(i + 1), c.name, str(c.depth), "; ".join(nodes[p].words for p in c.places))
        for i, c in enumerate(steps(nodes, order))
    ]

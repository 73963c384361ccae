"""Drawing graphs: `draw(x)` gives a picture (SVG) and the same as text.

It takes what a tape recorded (a tensor), a static graph (a node, several, or a `Graph`), or a
`Program`. The layout depends on the graph alone: the same graph gives the same bytes.

>>> import chainrule as cr
>>> x = cr.tensor([1.0, 2.0], requires_grad=True)
>>> picture = cr.draw((x * x).sum())
>>> print(picture.text())
0  leaf      (2,)
1  multiply  (2,)  from 0, 0
2  sum       ()    from 1
>>> picture.svg[:4]
'<svg'

In a notebook the picture shows itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from chainrule.errors import GraphError
from chainrule.program import At, Program
from chainrule.tape import Node, Value

LIMIT = 400  # boxes; more cannot be read


@dataclass(frozen=True)
class Box:
    """One node of a picture: what it is, and the numbers of the boxes it is made from."""

    label: str
    detail: str
    kind: str
    sources: tuple[int, ...]
    line: str = ""


class Picture:
    """A drawn graph.

    Attributes:
        boxes: The nodes, each after those that it is made from.
        svg: The drawing.
    """

    def __init__(self, boxes: list[Box], title: str) -> None:
        if len(boxes) > LIMIT:
            raise GraphError(
                f"{len(boxes)} nodes do not fit a picture (at most {LIMIT}); draw a part of the "
                "graph, or print it"
            )
        self.boxes = boxes
        self.svg = paint(boxes, place(boxes), title)

    def text(self) -> str:
        """Return the same as lines of text."""
        wide = max((len(b.label) for b in self.boxes), default=0)
        deep = max((len(b.detail) for b in self.boxes), default=0)
        lines = []
        for i, b in enumerate(self.boxes):
            made = f"from {', '.join(map(str, b.sources))}" if b.sources else ""
            lines.append(f"{i:<2} {b.label:{wide}}  {b.detail:{deep}}  {made}".rstrip())
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write the SVG to a file."""
        path = Path(path)
        path.write_text(self.svg, encoding="utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.text()


def draw(what: Any, title: str = "computational graph") -> Picture:
    """Return a picture of a graph.

    Args:
        what: A tensor with its history, a node of a static graph or several, a `Graph`, or a
            `Program`.
        title: Read out in place of the picture.

    Raises:
        GraphError: Something else, or more nodes than a picture can show.
    """
    if isinstance(what, Value):
        return Picture(boxes_of_tape(what), title)
    if isinstance(what, Program):
        return Picture(boxes_of_program(what), title)
    symbols = what if isinstance(what, list | tuple) else [what]
    if hasattr(what, "nodes"):
        return Picture(boxes_of_symbols(what.nodes), title)
    if symbols and all(hasattr(s, "graph") for s in symbols):
        from chainrule.graph.session import ordered

        return Picture(boxes_of_symbols(ordered(list(symbols), set())), title)
    raise GraphError(f"draw takes a tensor, nodes, a Graph or a Program, not {what!r}")


# ------------------------------------------------------------------------------- what is in a graph


def boxes_of_tape(x: Any) -> list[Box]:
    """Return the history of a tensor: leaves, then nodes by age."""
    leaves: dict[int, Any] = {}
    nodes: dict[int, Node] = {}
    stack = [x.node or x]
    while stack:
        item = stack.pop()
        if not isinstance(item, Node):
            leaves[id(item)] = item
        elif item.number not in nodes:
            nodes[item.number] = item
            stack.extend(reversed(item.parents or ()))
    numbers = {key: i for i, key in enumerate([*leaves, *sorted(nodes)])}
    found = [Box("leaf", str(leaf.shape), "leaf", ()) for leaf in leaves.values()]
    for number in sorted(nodes):
        node = nodes[number]
        sources = [numbers[p.number if isinstance(p, Node) else id(p)] for p in node.parents or ()]
        name = node.op.name.strip("_")
        found.append(Box(name, str(node.shape), "operation", tuple(sources), node.line()))
    return found


def boxes_of_symbols(symbols: Iterable[Any]) -> list[Box]:
    """Return the nodes of a static graph."""
    numbers: dict[Any, int] = {}
    found: list[Box] = []
    for symbol in symbols:
        sources = [numbers[i] for i in (*symbol.inputs, *symbol.after) if hasattr(i, "graph")]
        numbers[symbol] = len(found)
        detail = f"{symbol.shape} {symbol.dtype}" if symbol.dtype is not None else ""
        kind = symbol.op if symbol.op in COLORS else "operation"
        name = symbol.name if kind != "operation" else symbol.op.strip("_")
        found.append(Box(name, detail, kind, tuple(sources), symbol.line))
    return found


def boxes_of_program(program: Program) -> list[Box]:
    """Return the steps of a program."""
    found = []
    for step in program.steps:
        sources = [int(i) for i in (*step.inputs, *step.after) if isinstance(i, At)]
        detail = f"{step.shape} {step.dtype}" if step.dtype else ""
        kind = step.op if step.op in COLORS else "operation"
        kind = "assign" if step.op.startswith("assign") else kind
        name = step.name if kind not in ("operation", "assign") else step.op.strip("_")
        found.append(Box(name, detail, kind, tuple(sources), step.line))
    return found


# ------------------------------------------------------------------------------------------ layout

WIDE, HIGH, ACROSS, DOWN = 128, 38, 20, 34  # of a box, and between boxes


def place(boxes: list[Box]) -> dict[Any, tuple[float, float]]:
    """Return where each box stands, and where edges over several rows bend: (box, box, row).

    A box stands one row below the lowest of its sources. Within a row, boxes stand in the order of
    the middle of their sources, which keeps edges short and crossings few.
    """
    rows: list[list[Any]] = []
    row_of: dict[int, int] = {}
    above: dict[Any, list[Any]] = {}
    for i, box in enumerate(boxes):
        row = 1 + max((row_of[s] for s in box.sources), default=-1)
        row_of[i] = row
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].append(i)
        above[i] = []
        for s in dict.fromkeys(box.sources):
            before: Any = s
            for between in range(row_of[s] + 1, row):
                bend = (s, i, between)
                rows[between].append(bend)
                above[bend] = [before]
                before = bend
            above[i].append(before)
    rank: dict[Any, float] = {}
    for items in rows:
        middle = {
            item: sum(rank[a] for a in above[item]) / len(above[item]) if above[item] else 0.5
            for item in items
        }
        items[:] = sorted(items, key=lambda item: str(item))
        items.sort(key=middle.__getitem__)
        for k, item in enumerate(items):
            rank[item] = (k + 0.5) / len(items)
    return coordinates(rows)


def coordinates(rows: list[list[Any]]) -> dict[Any, tuple[float, float]]:
    """Return the middle of each item; every row is centered."""
    widths = [[WIDE if isinstance(item, int) else ACROSS for item in row] for row in rows]
    totals = [sum(w) + ACROSS * (len(w) - 1) for w in widths]
    whole = max(totals, default=0)
    found = {}
    for k, (row, width, total) in enumerate(zip(rows, widths, totals, strict=True)):
        left = ACROSS + (whole - total) / 2
        for item, w in zip(row, width, strict=True):
            found[item] = (left + w / 2, ACROSS + k * (HIGH + DOWN) + HIGH / 2)
            left += w + ACROSS
    return found


#: Fill and outline by kind: Okabe and Ito's colors, lightened; the word stands in every box.
COLORS = {
    "operation": ("#ffffff", "#5a5a5a"),
    "leaf": ("#fdf3d8", "#e69f00"),
    "placeholder": ("#fdf3d8", "#e69f00"),
    "constant": ("#efefef", "#8a8a8a"),
    "variable": ("#dcefe8", "#009e73"),
    "assign": ("#f7e1d3", "#d55e00"),
    "fused": ("#dcebf7", "#0072b2"),
}


def paint(boxes: list[Box], spots: dict[Any, tuple[float, float]], title: str) -> str:
    """Return the SVG."""
    right = max((x for x, _ in spots.values()), default=0) + WIDE / 2 + ACROSS
    bottom = max((y for _, y in spots.values()), default=0) + HIGH / 2 + ACROSS
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.0f} {bottom:.0f}" '
        f'width="{right:.0f}" height="{bottom:.0f}" role="img" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5a5a5a"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for i, box in enumerate(boxes):
        parts += [edge(s, i, spots) for s in dict.fromkeys(box.sources)]
    parts += [shape(box, *spots[i]) for i, box in enumerate(boxes)]
    return "\n".join([*parts, "</svg>"])


def edge(source: int, target: int, spots: dict[Any, tuple[float, float]]) -> str:
    """Return the line from one box to another, through its bends."""
    bends = sorted(
        (k for k in spots if isinstance(k, tuple) and k[:2] == (source, target)), key=str
    )
    bends.sort(key=lambda k: k[2])
    x, y = spots[source]
    points = [(x, y + HIGH / 2), *[spots[b] for b in bends]]
    x, y = spots[target]
    points.append((x, y - HIGH / 2))
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        path += f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
    return f'<path d="{path}" fill="none" stroke="#5a5a5a" marker-end="url(#tip)"/>'


def shape(box: Box, x: float, y: float) -> str:
    """Return one box with its words; where it was made is shown when one points at it."""
    fill, line = COLORS[box.kind]
    label = box.label if len(box.label) <= 18 else box.label[:17] + "…"
    words = [
        f'<text x="{x:.1f}" y="{y - 3 if box.detail else y + 4:.1f}" text-anchor="middle" '
        f'font-size="12" fill="#111">{escape(label)}</text>'
    ]
    if box.detail:
        words.append(
            f'<text x="{x:.1f}" y="{y + 12:.1f}" text-anchor="middle" font-size="10" '
            f'fill="#444">{escape(box.detail)}</text>'
        )
    told = escape(f"{box.kind} {box.label} {box.detail} {box.line}".strip())
    frame = (
        f'<rect x="{x - WIDE / 2:.1f}" y="{y - HIGH / 2:.1f}" width="{WIDE}" height="{HIGH}" '
        f'rx="6" fill="{fill}" stroke="{line}" stroke-width="1.5"/>'
    )
    return f"<g><title>{told}</title>{frame}{''.join(words)}</g>"

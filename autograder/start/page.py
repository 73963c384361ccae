"""The start page as HTML: a map with a ring for each lesson, and the same in words below it.

    page = start_page(read_progress(course))       # a fragment; links are relative to work/

The ring shows how many of the lesson's checks passed; words beside it say so too.
"""

from __future__ import annotations

import math
from html import escape
from urllib.parse import quote

from autograder.start.progress import LessonProgress, next_lesson

COLUMN, ROW, RADIUS, MARGIN = 168, 136, 26, 20
STYLE = """
.cr-start { --ink: var(--jp-content-font-color1, #1b1b1b); color: var(--ink); font-size: 14px;
  --soft: var(--jp-content-font-color2, #555); --line: #9aa0a6; --done: #0072b2;
  --begun: #e69f00; }
.cr-start .map { position: relative; max-width: 100%; overflow-x: auto; }
.cr-start .map > svg { position: absolute; left: 0; top: 0; }
.cr-start .edge { stroke: var(--line); stroke-width: 2; fill: none; }
.cr-start .lesson { position: absolute; text-align: center; color: var(--ink); }
.cr-start .lesson > * { display: block; margin: 0 auto; padding: 0 8px; }
.cr-start .lesson small { color: var(--soft); }
.cr-start text { fill: var(--ink); }
.cr-start .disc { fill: var(--jp-layout-color0, #fff); stroke: var(--line); stroke-width: 3; }
.cr-start .ring { fill: none; stroke-width: 7; }
.cr-start .ring.done { stroke: var(--done); }
.cr-start .ring.begun { stroke: var(--begun); }
.cr-start .next .disc { stroke-dasharray: 5 4; stroke: var(--ink); }
.cr-start .lesson:focus .disc, .cr-start .lesson:hover .disc { stroke: var(--done); }
.cr-start .go { margin: 0.4em 0 1em; }
.cr-start table { border-collapse: collapse; }
.cr-start td, .cr-start th { text-align: left !important; padding: 3px 14px 3px 0; }
.cr-start summary { cursor: pointer; margin: 0.6em 0; }
"""


def start_page(lessons: tuple[LessonProgress, ...]) -> str:
    """Return the page of these lessons, an HTML fragment that needs nothing from elsewhere."""
    body = _map(lessons) + _go_on(lessons) + _table(lessons)
    return f'<div class="cr-start"><style>{STYLE}</style>{body}</div>'


def in_words(lessons: tuple[LessonProgress, ...]) -> str:
    """Return the page as plain text."""
    lines = [
        f"{one.number:02d} {one.title}: {one.state}, {one.passed} of {one.checks} checks pass"
        for one in lessons
    ]
    return "\n".join(lines)


def link(lesson: LessonProgress) -> str:
    """Return the address of a lesson's notebook, seen from work/."""
    return f"{quote(lesson.folder)}/{quote(lesson.folder)}.ipynb"


# -- the map ---------------------------------------------------------------------------------------


def _places(lessons: tuple[LessonProgress, ...]) -> dict[str, tuple[int, int]]:
    """Return column and row of each lesson: a column right of what it needs, rows from the top."""
    by_slug = {one.slug: one for one in lessons}
    columns: dict[str, int] = {}

    def column(slug: str, above: tuple[str, ...] = ()) -> int:
        if slug not in columns:
            needs = [name for name in by_slug[slug].needs if name in by_slug and name not in above]
            columns[slug] = max((column(name, (*above, slug)) + 1 for name in needs), default=0)
        return columns[slug]

    used: dict[int, int] = {}
    places = {}
    for one in lessons:
        at = column(one.slug)
        places[one.slug] = at, used.get(at, 0)
        used[at] = used.get(at, 0) + 1
    return places


def _map(lessons: tuple[LessonProgress, ...]) -> str:
    places = _places(lessons)
    width = 2 * MARGIN + COLUMN * (1 + max((at for at, _ in places.values()), default=0))
    height = MARGIN + ROW * (1 + max((row for _, row in places.values()), default=0))
    ahead = next_lesson(lessons)
    edges = [
        _edge(_middle(places[need]), _middle(places[one.slug]))
        for one in lessons
        for need in one.needs
        if need in places
    ]
    nodes = [_node(one, _middle(places[one.slug]), one is ahead) for one in lessons]
    # JupyterLab follows links in HTML only, so that each lesson is a link over the drawn lines.
    words = escape(in_words(lessons))
    return (
        f'<div class="map" style="width: {width}px; height: {height}px">'
        f'<svg width="{width}" height="{height}" role="img" aria-label="{words}">'
        f"{''.join(edges)}</svg>{''.join(nodes)}</div>"
    )


def _middle(place: tuple[int, int]) -> tuple[int, int]:
    column, row = place
    return MARGIN + COLUMN * column + COLUMN // 2, MARGIN + ROW * row + RADIUS + 4


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x0, y0), (x1, y1) = start, end
    half = (x0 + x1) // 2
    return f'<path class="edge" d="M{x0} {y0} C{half} {y0} {half} {y1} {x1} {y1}"/>'


def _node(lesson: LessonProgress, middle: tuple[int, int], ahead: bool) -> str:
    x, y = middle
    share = lesson.passed / lesson.checks if lesson.checks else 0.0
    said = f"{lesson.passed} of {lesson.checks} checks"
    centre, size = RADIUS + 4, 2 * RADIUS + 8
    return (
        f'<a href="{link(lesson)}" class="{"lesson next" if ahead else "lesson"}" '
        f'style="left: {x - COLUMN // 2}px; top: {y - centre}px; width: {COLUMN}px">'
        f'<svg width="{size}" height="{size}" aria-hidden="true">'
        f'<circle class="disc" cx="{centre}" cy="{centre}" r="{RADIUS}"/>{_ring(centre, share)}'
        f'<text x="{centre}" y="{centre + 6}" text-anchor="middle" font-size="17">'
        f"{lesson.number:02d}</text></svg>"
        f"<span>{escape(lesson.title)}</span>"
        f"<small>{'next: ' if ahead else ''}{said}</small></a>"
    )


def _ring(centre: int, share: float) -> str:
    """Return an arc from the top, clockwise, over a share of the circle."""
    if share <= 0:
        return ""
    if share >= 1:
        return f'<circle class="ring done" cx="{centre}" cy="{centre}" r="{RADIUS}"/>'
    angle = 2 * math.pi * share
    end_x, end_y = centre + RADIUS * math.sin(angle), centre - RADIUS * math.cos(angle)
    return (
        f'<path class="ring begun" d="M{centre} {centre - RADIUS} '
        f'A{RADIUS} {RADIUS} 0 {int(share > 0.5)} 1 {end_x:.1f} {end_y:.1f}"/>'
    )


# -- in words --------------------------------------------------------------------------------------


def _go_on(lessons: tuple[LessonProgress, ...]) -> str:
    ahead = next_lesson(lessons)
    if ahead is None:
        return '<p class="go">Every check of every lesson here passes.</p>'
    begun = [one for one in ahead.exercises if one.state != "done"]
    first = f", exercise <code>{escape(begun[0].name)}</code>" if begun else ""
    return (
        f'<p class="go">Next: <a href="{link(ahead)}">{ahead.number:02d} {escape(ahead.title)}</a>'
        f"{first}. About {ahead.minutes_left} minutes of exercises are left in it.</p>"
    )


def _table(lessons: tuple[LessonProgress, ...]) -> str:
    rows = []
    for lesson in lessons:
        for n, one in enumerate(lesson.exercises):
            name = f"{lesson.number:02d} {escape(lesson.title)}" if n == 0 else ""
            rows.append(
                f"<tr><td>{name}</td><td><code>{escape(one.name)}</code></td>"
                f"<td>{one.passed} of {one.checks}</td><td>{one.state}</td></tr>"
            )
    head = "<tr><th>lesson</th><th>exercise</th><th>checks that pass</th><th></th></tr>"
    return (
        f"<details><summary>Every exercise</summary><table>{head}{''.join(rows)}</table></details>"
    )

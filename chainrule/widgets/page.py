"""A page in which a widget lives without a kernel, from `file://` too: one file, nothing beside it.

    write_page("net.html", TinyNet(), title="A net in one look")

A widget's module asks its model for five methods (`get`, `set`, `on`, `off`, `save_changes`), so
the page hands it a small model of its own and calls `render`: no Jupyter code, no loader, no
network. What a widget computes in Python does not run there; ours compute in the browser.
"""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from typing import Protocol

from chainrule.widgets.assets import module, style

FRAGMENT = """\
<style>
{css}
</style>
<div id="{name}"><noscript><pre>{text}</pre></noscript></div>
<script type="module">
{esm}
{model}
render({{ model: pageModel({state}), el: document.getElementById("{name}") }});
</script>
"""

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<h1>{title}</h1>
{places}</body>
</html>
"""


class PageWidget(Protocol):
    """A widget of ours: a module that ends in `export default { render };`, a style, a text."""

    _esm: str
    _css: str

    def get_state(self) -> dict[str, object]:
        """Return the synced traits."""

    def text(self) -> str:
        """Return the same as text."""


def fragment(widget: PageWidget, name: str = "widget-1") -> str:
    """Return HTML (style, place and script) that shows `widget` in any page, alive.

    `name` is the id of its place, one per page. Without JavaScript the text form is shown.
    """
    jupyters = ("layout", "tabbable", "tooltip")
    state = {
        key: value
        for key, value in widget.get_state().items()
        if not key.startswith("_") and key not in jupyters
    }
    return FRAGMENT.format(
        css=widget._css,
        name=html.escape(name),
        text=html.escape(widget.text()),
        esm=widget._esm,
        model=module("page.js"),
        state=json.dumps(state).replace("</", "<\\/"),
    )


def write_page(
    path: str | os.PathLike[str], *widgets: PageWidget, title: str = "Chainrule"
) -> Path:
    """Write a page of its own that shows `widgets` one below the other; return its path."""
    places = "".join(fragment(widget, f"widget-{n}") for n, widget in enumerate(widgets, start=1))
    page = PAGE.format(title=html.escape(title), css=style("page.css"), places=places)
    target = Path(path)
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.write_text(page, encoding="utf-8")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target

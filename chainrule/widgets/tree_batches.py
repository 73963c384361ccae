"""Type trees, and compute their nodes one by one or in batches, as TensorFlow Fold did.

    trees = TreeBatches(source="(1 + 2) * 3\\n4 - 5")
    trees                                # in a notebook: type, choose an order, step through calls
    trees.step = 2                       # the calls made so far
    print(trees.text())                  # the same as text

All nodes of one depth and one operator, over all trees, go into one call. The browser parses and
groups by itself, so the trees also grow in a page without a kernel.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import table
from chainrule.widgets.tree_batches_math import (
    ORDERS,
    Call,
    TreeError,
    TreeNode,
    parse,
    said,
    steps,
    table_rows,
)

START = "(1 + 2) * 3\n4 - 5 * (6 - 7)\n(1 + 1) * (2 - 3) + 4"
HEAD = ("call", "of", "depth", "rows")


class TreeBatches(anywidget.AnyWidget):
    """Trees of sums, and the calls that compute them.

    Traits, all synced with the browser:
        source  the trees as text, one in a line: numbers, + - * and parentheses
        order   "one by one" or "in batches"
        step    how many calls have been made
    """

    _esm = module("tree_batches.js")
    _css = style("common.css", "tree_batches.css")

    source = traitlets.Unicode(START).tag(sync=True)
    order = traitlets.Enum(ORDERS, ORDERS[1]).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)

    @traitlets.validate("source")
    def _is_trees(self, proposal: Any) -> str:
        try:
            parse(proposal["value"])
        except TreeError as error:
            raise traitlets.TraitError(f"source: {error}.") from None
        return str(proposal["value"])

    def nodes(self) -> list[TreeNode]:
        """Return the nodes of all trees, each after its sides."""
        return parse(self.source)

    def calls(self, order: str | None = None) -> list[Call]:
        """Return the calls of an order, by default the one chosen."""
        return steps(self.nodes(), order or self.order)

    def said(self) -> str:
        """Return in words which call is made now, and how many there are in either order."""
        return said(self.nodes(), self.order, self.step)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the calls as rows of text, under HEAD."""
        return table_rows(self.nodes(), self.order)

    def text(self) -> str:
        """Return trees, the call made now and all calls as text."""
        nodes = self.nodes()
        used = {side for node in nodes for side in (node.left, node.right)}
        roots = [node for place, node in enumerate(nodes) if place not in used]
        trees = [f"{node.words} = {node.value}" for node in roots]
        return "\n".join([*trees, self.said(), table(HEAD, self.rows())])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle

"""TreeBatches without a browser: trees are Python's sums, calls those of dynamic batching."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import traitlets

from chainrule.widgets import TinyNet, TreeBatches, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.tree_batches_math import (
    DEEPEST,
    LENGTH,
    LINES,
    ORDERS,
    TreeError,
    TreeNode,
    parse,
    steps,
)


def drawn(rng: np.random.Generator, size: int) -> str:
    """A sum of `size` numbers with parentheses here and there."""
    parts = [str(n) for n in rng.integers(0, 10, size)]
    while len(parts) > 1:
        i = int(rng.integers(len(parts) - 1))
        joined = f"{parts[i]} {rng.choice(list('+-*'))} {parts[i + 1]}"
        parts[i : i + 2] = [f"({joined})" if rng.random() < 0.7 else joined]
    return parts[0]


def roots(nodes: list[TreeNode]) -> list[TreeNode]:
    """The nodes that are no side of another one."""
    used = {side for node in nodes for side in (node.left, node.right)}
    return [node for place, node in enumerate(nodes) if place not in used]


def test_a_tree_is_what_python_makes_of_the_text() -> None:
    rng = np.random.default_rng(14)
    for _ in range(200):
        line = drawn(rng, int(rng.integers(1, 9)))
        (root,) = roots(parse(line))
        assert root.value == eval(line)
        same = (ast.dump(ast.parse(text, mode="eval")) for text in (root.words, line))
        assert next(same) == next(same), "brackets and precedence as in Python"


def test_every_node_follows_its_sides_and_stands_above_them() -> None:
    rng = np.random.default_rng(15)
    nodes = parse("\n".join(drawn(rng, 7) for _ in range(6)))
    for place, node in enumerate(nodes):
        if node.depth:
            a, b = nodes[node.left], nodes[node.right]
            assert max(node.left, node.right) < place
            assert node.depth == 1 + max(a.depth, b.depth) and a.tree == b.tree == node.tree
        else:
            assert (node.left, node.right, node.words) == (-1, -1, node.label)


@pytest.mark.parametrize("order", ORDERS)
def test_each_node_is_computed_once_and_after_its_sides(order: str) -> None:
    rng = np.random.default_rng(16)
    nodes = parse("\n".join(drawn(rng, 6) for _ in range(5)))
    done: set[int] = set()
    for call in steps(nodes, order):
        for place in call.places:
            node = nodes[place]
            assert {node.left, node.right} <= done | {-1}
            assert call.depth == node.depth
            assert call.name == (node.label if node.depth else "leaf")
        assert not done & set(call.places)
        done |= set(call.places)
    assert done == set(range(len(nodes)))


def test_in_batches_no_two_calls_have_one_depth_and_operator() -> None:
    nodes = parse("1 + 2\n3 + 4\n5 - 6\n(1 + 2) + 3")
    kinds = [(call.depth, call.name) for call in steps(nodes, "in batches")]
    assert kinds == [(0, "leaf"), (1, "+"), (1, "-"), (2, "+")]
    assert len(steps(nodes, "one by one")) == len(nodes) == 14


def test_what_the_lesson_says_of_it() -> None:
    trees = TreeBatches()
    assert "21 one by one and 6 in batches" in trees.said()
    assert [call.depth for call in trees.calls()] == [0, 1, 1, 2, 3, 3]
    trees.source += "\n8 - 9"
    assert len(trees.calls()) == 6
    trees.source += "\n1 + (1 + (1 + (1 + (1 + 1))))"
    assert len(trees.calls()) == 9


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "1 to 8 trees"),
        ("\n".join("1" * (LINES + 1)), "1 to 8 trees"),
        ("(1 + 2", "line 1: a ) is missing"),
        ("1\n2 +", "line 2: expected a number up to 999 or a (, found the end"),
        ("1 2", "line 1: expected + - * or the end, found '2'"),
        ("1000", "found '1000'"),
        ("1 / 2", "found '/'"),
        ("1 + x", "found 'x'"),
        ("-1", "found '-'"),
        (" " * LENGTH + "1", "longer than 60"),
        ("+".join("1" * (DEEPEST + 2)), "deeper than 12"),
    ],
)
def test_what_is_no_tree_is_refused(source: str, words: str) -> None:
    with pytest.raises(TreeError, match=re.escape(words)):
        parse(source)
    with pytest.raises(traitlets.TraitError):
        TreeBatches(source=source)


def test_the_text_says_trees_calls_and_where_one_is() -> None:
    trees = TreeBatches(source="1 + 2\n3 - 4", step=2)
    text = trees.text()
    assert text.startswith(
        "1 + 2 = 3\n3 - 4 = -1\nCall 2 of 3, in batches: + at depth 1, 1 row: 1 + 2."
    )
    assert all(word in text for row in trees.rows() for word in row)
    trees.step = 99
    assert "Call 3 of 3" in trees.said()
    (data, _) = trees._repr_mimebundle_() or ({}, {})
    assert data["text/plain"] == trees.text()


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("tree_batches.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("tree_batches.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    page = write_page(tmp_path / "two.html", TreeBatches(), TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "21 one by one" in page, "the text form, for a reader without JavaScript"

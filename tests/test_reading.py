"""The page that leads through the library: its numbers are true and its places are there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "read_chainrule.md"
HEART = ("primitive.py", "tape.py", "sweep.py", "function.py")


def code_lines(path: Path) -> int:
    """Return how many lines hold code: no docstring, no comment, no blank."""
    source = path.read_text(encoding="utf-8")
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    explained: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            explained.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in idle | {tokenize.ENDMARKER}:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - explained)


def test_the_reading_page_counts_the_lines_of_the_heart() -> None:
    count = sum(code_lines(ROOT / "chainrule" / name) for name in HEART)
    assert f"hold its heart, {count} lines of code" in PAGE.read_text(encoding="utf-8")


def test_every_name_in_the_table_of_places_exists() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Where things live")[1].split("##")[0]
    names = re.findall(r"`([a-z_/]+\.py|[a-z_]+/)`", table)
    assert len(names) > 6
    assert [n for n in names if not (ROOT / "chainrule" / n).exists()] == []

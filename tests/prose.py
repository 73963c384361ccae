"""What the course says in words: pages, cells of text, comments and the sentences in code.

Code, TeX, addresses and HTML tags are left out by the Markdown parser that jupytext brings.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder.lesson.model import Cell
from autograder.lesson.percent import read_sheet
from autograder.lesson.source import as_python

ROOT = Path(__file__).resolve().parent.parent
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE-PROSE.md")
TAG = re.compile(r"<[^>]*>")
GAP = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where code or a formula was."""
DIRECTIVE = re.compile(r"#+ ?(?:BEGIN|END|%%|type:|noqa|fmt:|ruff:)")
SENTENCE = re.compile(r"(?:[^\W\d_]+[,;:]? ){2}[^\W\d_]+")


@dataclass(frozen=True)
class Passage:
    """A piece of running text, and where it stands."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return the Markdown pages of the course."""
    below = (path for name in ("docs", "benchmarks", "datasets") for path in rglob(name, "*.md"))
    return [*(ROOT / name for name in TOP), *below]


def rglob(folder: str, pattern: str) -> list[Path]:
    """Return the files below one of our folders, sorted."""
    return sorted((ROOT / folder).rglob(pattern))


def masters() -> list[Path]:
    """Return the percent files that lessons are made of."""
    return rglob("lessons", "*.py")


@cache
def cells(path: Path) -> tuple[Cell, ...]:
    """Return the cells of a percent file."""
    return read_sheet(path).cells


def parser() -> MarkdownIt:
    """Return a parser of Markdown as JupyterLab shows it: with tables and formulas."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(dollarmath_plugin)


def passages() -> Iterator[Passage]:
    """Return what students read as text: pages, lessons with their answers, the library."""
    for path in pages():
        yield from in_markdown(path.read_text(encoding="utf-8"), path)
    for path in rglob("chainrule", "*.py"):
        yield from in_code(path.read_text(encoding="utf-8"), path)
    for path in masters():
        for cell in cells(path):
            reader = in_markdown if cell.kind == "markdown" else in_code
            yield from reader(cell.source, path, cell.body - 1)


def in_markdown(text: str, path: Path, before: int = 0) -> Iterator[Passage]:
    """Return the paragraphs, headings, table cells and list entries of a text.

    `before` is the number of lines of the file above the text.
    """
    for token in parser().parse(text):
        first = before + 1 + (token.map[0] if token.map else 0)
        if token.type == "html_block":
            yield Passage(path, first, TAG.sub(" ", token.content))
        elif token.type == "inline":
            yield Passage(path, first, "".join(spoken(token.children or [])))


def spoken(tokens: Iterable[Token]) -> Iterator[str]:
    """Return the text of inline tokens, with GAP for code, formulas, tags and bare addresses."""
    address = False
    for token in tokens:
        if token.type in ("link_open", "link_close") and token.info == "auto":
            address = token.type == "link_open"
        elif token.type == "text":
            yield GAP if address else token.content
        elif token.type == "image":
            yield from spoken(token.children or [])
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type in ("code_inline", "math_inline", "math_inline_double", "html_inline"):
            yield GAP


def in_code(source: str, path: Path, before: int = 0) -> Iterator[Passage]:
    """Return comments, docstrings and strings of at least three words of a cell of code."""
    source = as_python(source)
    for first, text in (*comments(source), *strings(source)):
        kept = [line for line in text.split("\n") if not line.lstrip().startswith((">>>", "..."))]
        for passage in in_markdown("\n".join(kept), path, before + first - 1):
            yield Passage(path, passage.line, passage.text)


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Return each block of comment lines with the line of its first."""
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or DIRECTIVE.match(token.string):
            continue
        if block and token.start[0] != last + 1:
            yield last - len(block) + 1, "\n".join(block)
            block = []
        block.append(token.string.lstrip("#").strip())
        last = token.start[0]
    if block:
        yield last - len(block) + 1, "\n".join(block)


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Return each string that reads as a sentence, with its line; of f-strings the fixed parts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else GAP for p in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if SENTENCE.search(text):
            yield node.lineno, textwrap.dedent(text.strip("\n"))

"""Small facts about the source of a cell that anybody may have written.

All of this runs in the grader's own process, before any sandbox and any limit of time, so what is
long is not read at all, and whatever a parser raises is caught.
"""

from __future__ import annotations

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

DEFINITION = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
MAGIC = re.compile(r"^[ \t]*[!?%,;/]|=[ \t]*[!%]|\?[ \t]*$", re.MULTILINE)
"""What IPython may rewrite: it reads the whole cell again for each."""
MOST_MAGICS = 40
MOST_READ_AGAIN = 500_000
"""Characters that IPython may read for the magics of one cell."""
MOST_CHARACTERS = 200_000
MOST_LINES = 5_000


def too_long(source: str) -> bool:
    """Tell whether a cell is longer than any answer, so that reading it would hold up the class."""
    return len(source) > MOST_CHARACTERS or source.count("\n") >= MOST_LINES


def defined_names(source: str) -> frozenset[str]:
    """Return the functions, classes and variables that a cell binds at top level.

    A source with a syntax error still names its functions and classes.
    """
    try:
        body = _parsed(source).body
    except Exception:  # whatever a parser makes of a text that anybody may have written
        return frozenset(DEFINITION.findall(source))
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    return frozenset(names)


def syntax_error(source: str) -> str:
    """Return where a cell is not Python, in words; '' when it is. Magics are IPython's to read."""
    magics = sum(1 for _ in MAGIC.finditer(source))
    if magics > MOST_MAGICS or magics * len(source) > MOST_READ_AGAIN:
        return ""  # the run itself will say
    try:
        _parsed(TransformerManager().transform_cell(source) if not too_long(source) else source)
    except SyntaxError as error:
        return f"line {error.lineno}, {error.msg}"
    except Exception as error:  # IPython's transformer and the parser fail in many ways
        return str(error)[:200] or type(error).__name__
    return ""


def _parsed(source: str) -> ast.Module:
    """Return a cell's tree; raises `SyntaxError`, `ValueError` and what else a parser raises."""
    if too_long(source):
        raise ValueError(f"the cell is too long, {MOST_LINES} lines are the most")
    return ast.parse(source)


def compiles(source: str) -> bool:
    """Tell whether a cell is Python, magics aside."""
    try:
        _parsed(source)
    except Exception:  # as above
        return False
    return True


def normal(source: str) -> str:
    """Return a source without what does not count: blank ends and trailing spaces."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())

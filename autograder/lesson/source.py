"""Small facts about Python sources of notebook cells."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable

from IPython.core.inputtransformer2 import TransformerManager


def as_python(source: str) -> str:
    """Return a cell's source as plain Python: IPython's magics become calls, line by line."""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        return str(TransformerManager().transform_cell(source))


def bound_names(sources: Iterable[str]) -> list[str]:
    """Return, sorted, the names that cells bind at top level when run one after another."""
    found: set[str] = set()
    for source in sources:
        table = symtable.symtable(as_python(source), "<cell>", "exec")
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_assigned() or symbol.is_imported()
        }
    return sorted(found - {"_"})

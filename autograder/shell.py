"""IPython's own shell, with everything that a cell shows collected as notebook outputs."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")

from ipykernel.jsonutil import encode_images, json_clean
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from autograder.checks.desk import TimeLimit, time_limit

MAX_TEXT = 200_000
"""Characters of each stream, and of each display, that a cell's output keeps."""


class _Stream(io.TextIOBase):
    """A text stream that adds to the outputs of the cell."""

    def __init__(self, outputs: list[dict[str, Any]], name: str) -> None:
        self.outputs = outputs
        self.name = name
        self.left = MAX_TEXT

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = str(text)[: self.left]
        self.left -= len(kept)
        last = self.outputs[-1] if self.outputs else {}
        if kept and last.get("name") == self.name:
            last["text"] += kept
        elif kept:
            self.outputs.append({"output_type": "stream", "name": self.name, "text": kept})
        return len(text)


class _Publisher(DisplayPublisher):
    outputs = AnyTrait()

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **kwargs: Any) -> None:
        shown = {"output_type": "display_data", "data": _plain(data), "metadata": {}}
        self.outputs.append(shown)

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear()


class _Hook(DisplayHook):
    outputs = AnyTrait()
    source = AnyTrait("")

    def quiet(self) -> bool:
        return bool(self.semicolon_at_end_of_expression(self.source))

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        shown = {"output_type": "execute_result", "data": _plain(format_dict), "metadata": {}}
        self.outputs.append(shown | {"execution_count": None})

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Interactive(InteractiveShell):
    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)
    outputs = AnyTrait()

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        if isinstance(evalue, TimeLimit):
            stb = ["This cell was stopped: it ran past its time."]
        self.outputs.append(
            {
                "output_type": "error",
                "ename": getattr(etype, "__name__", str(etype)),
                "evalue": _text(evalue)[:2_000],
                "traceback": [str(line)[:MAX_TEXT] for line in stb][:200],
            }
        )


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return ""


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    clean = json_clean(encode_images(dict(data)))
    return {
        str(mime): value[: 20 * MAX_TEXT] if isinstance(value, str) else value
        for mime, value in clean.items()
    }


class Shell:
    """Runs cells one after the other in one namespace."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.cache_size = 0
        self.outputs: list[dict[str, Any]] = []
        self.shell = _Interactive(config=config, outputs=self.outputs)
        for part in (self.shell.display_pub, self.shell.displayhook):
            part.set_trait("outputs", self.outputs)
        for kind in (_Interactive, InteractiveShell):
            setattr(kind, "_instance", self.shell)  # noqa: B010  (what get_ipython() returns)

    @property
    def namespace(self) -> dict[str, Any]:
        """The globals of the cells."""
        names: dict[str, Any] = self.shell.user_ns
        return names

    def run(self, source: str, limit: float) -> list[dict[str, Any]]:
        """Run one cell for at most `limit` seconds; return its outputs in nbformat's shape."""
        self.outputs.clear()
        self.shell.displayhook.set_trait("source", source)
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream(self.outputs, "stdout"), _Stream(self.outputs, "stderr")
        try:
            with time_limit(limit):
                self.shell.run_cell(source, store_history=False)
        except TimeLimit:
            note = "This cell was stopped: it ran past its time.\n"
            self.outputs.append({"output_type": "stream", "name": "stderr", "text": note})
        finally:
            sys.stdout, sys.stderr = before
        return [dict(output) for output in self.outputs]

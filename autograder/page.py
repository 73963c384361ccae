"""The notebook page at the other end of a kernel: messages become a cell's outputs.

The rules are nbclient's (its `NotebookClient.process_message` and `OutputWidget`, 0.11), without
nbformat's validation of each output, which would cost a student's process 20 MB and 1 ms a message.
`tests/test_fidelity.py` compares the two.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

Output = dict[str, Any]
Message = dict[str, Any]

MAX_OUTPUTS = 2_000
"""Displays that one cell keeps, and messages that its widgets may send back."""
MAX_SHOWN = 4_000_000
"""Characters of all displays of one cell together."""
MAX_LINES = 400
"""Parts of a traceback that are kept, from both ends."""
TIMED_OUT = "CellTimeoutError"
"""Name of the last error of a cell that was stopped; nbgrader's name for it."""
UNSHOWN = "ERROR: An error occurred while showtraceback was disabled"
SHOWN = ("display_data", "execute_result")


class Area:
    """A place where outputs appear: a cell, or a widget that catches them."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.clear_next = False
        self.left, self.room = MAX_OUTPUTS, MAX_SHOWN

    def clear(self, wait: bool) -> None:
        """Forget the outputs, now or when the next one comes."""
        self.clear_next = wait
        if not wait:
            self.outputs.clear()

    def add(self, output: Output) -> None:
        """Show one output; a stream joins what stands before it."""
        if self.clear_next:
            self.clear(wait=False)
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        elif output["output_type"] not in SHOWN or self._fits(output):
            self.outputs.append(output)

    def _fits(self, output: Output) -> bool:
        self.left -= 1
        self.room -= len(repr(output["data"]))
        return self.left >= 0 and self.room >= 0


class Catcher:
    """An `ipywidgets.Output` as the page has it: takes what the kernel sends for one request."""

    def __init__(self, page: Page, key: str, outputs: list[Output]) -> None:
        self.page, self.key = page, key
        self.area = Area()
        self.area.outputs = list(outputs)
        self.request = ""

    def hook(self, request: str) -> None:
        """Catch what belongs to this request, or with an empty id let it go."""
        stack = self.page.catchers
        if request:
            stack.setdefault(request, []).append(self)
        elif self in stack.get(self.request, []):
            stack[self.request].remove(self)
        self.request = request

    def clear(self, wait: bool) -> None:
        """Forget what was caught."""
        self.area.clear(wait)
        if not wait:
            self.tell()

    def add(self, output: Output) -> None:
        """Catch one output."""
        self.area.add(output)
        self.tell()

    def tell(self) -> None:
        """Send the outputs back to the kernel, whose widget holds them."""
        outputs = [dict(one) for one in self.area.outputs]
        self.page.touched.add(self.key)
        self.page.widgets.setdefault(self.key, {})["outputs"] = outputs
        data = {"method": "update", "state": {"outputs": outputs}, "buffer_paths": []}
        self.page.letters[self.key] = {"comm_id": self.key, "data": data}


class Page:
    """All cells that ran so far; `begin` starts the next one."""

    def __init__(self) -> None:
        self.cell = Area()
        self.shown: dict[str, None] = {}
        """Display ids that some cell has shown."""
        self.updates: dict[str, Output] = {}
        self.widgets: dict[str, dict[str, Any]] = {}
        self.buffers: dict[str, dict[str, Any]] = {}
        self.touched: set[str] = set()
        self.objects: dict[str, Catcher] = {}
        self.catchers: dict[str, list[Catcher]] = {}
        self.letters: dict[str, dict[str, Any]] = {}
        """Widget -> what the page has to tell it; the kernel listens when the cell is done."""

    def begin(self) -> None:
        """Start a cell."""
        self.cell = Area()
        self.updates.clear()
        self.touched.clear()

    def take(self, message: Message) -> None:
        """Show what a message of the kernel says."""
        handler: Callable[[Message], None] | None = getattr(
            self, f"_on_{message['msg_type']}", None
        )
        if handler is not None:
            handler(message)

    # -- outputs ---------------------------------------------------------------------------------

    def _show(self, message: Message, *names: str) -> None:
        content = message["content"]
        output = {"output_type": message["msg_type"]} | {name: content[name] for name in names}
        key = (content.get("transient") or {}).get("display_id")
        if key:
            output["transient"] = {"display_id": key}
            if key in self.shown:  # a second display with the id changes the first one too
                self._update(key, content)
            self.shown[key] = None
        self._area(message).add(output)

    def _on_stream(self, message: Message) -> None:
        self._show(message, "name", "text")

    def _on_display_data(self, message: Message) -> None:
        self._show(message, "data", "metadata")

    def _on_execute_result(self, message: Message) -> None:
        self._show(message, "data", "metadata", "execution_count")

    def _on_error(self, message: Message) -> None:
        lines = message["content"]["traceback"]
        if len(lines) > MAX_LINES:
            ends = lines[: MAX_LINES // 2], lines[-MAX_LINES // 2 :]
            message["content"]["traceback"] = [*ends[0], "[... frames left out ...]", *ends[1]]
        self._show(message, "ename", "evalue", "traceback")

    def _on_execute_reply(self, message: Message) -> None:
        """Show an error that was not shown, as nbgrader does."""
        content = message["content"]
        enames = [one["ename"] for one in self.cell.outputs if one["output_type"] == "error"]
        if content["status"] == "error" and content["ename"] not in enames:
            error = {name: content[name] for name in ("ename", "evalue")}
            lines = content["traceback"] or [UNSHOWN]
            self.cell.add({"output_type": "error", **error, "traceback": lines[-MAX_LINES:]})

    def _on_clear_output(self, message: Message) -> None:
        self._area(message).clear(bool(message["content"].get("wait")))

    def _on_update_display_data(self, message: Message) -> None:
        key = (message["content"].get("transient") or {}).get("display_id")
        if key:
            self._update(key, message["content"])

    def _update(self, key: str, content: dict[str, Any]) -> None:
        new = {"data": content["data"], "metadata": content["metadata"]}
        about = {"output_type": "update_display_data", "transient": {"display_id": key}}
        self.updates[key] = about | new
        apply_update(self.updates[key], self.cell.outputs)

    def _area(self, message: Message) -> Area | Catcher:
        stack = self.catchers.get(message["parent_header"].get("msg_id", ""))
        return stack[-1] if stack else self.cell

    # -- widgets ---------------------------------------------------------------------------------

    def _on_comm_open(self, message: Message) -> None:
        content = message["content"]
        self._on_comm_msg(message)
        state = content["data"].get("state", {})
        if content.get("target_name") == "jupyter.widget" and _is_output_widget(state):
            key = content["comm_id"]
            self.objects[key] = Catcher(self, key, state.get("outputs") or [])

    def _on_comm_msg(self, message: Message) -> None:
        content = message["content"]
        key, data = content["comm_id"], content["data"]
        if "state" not in data:
            return
        self.touched.add(key)
        self.widgets.setdefault(key, {}).update(data["state"])
        for path, buffer in zip(data.get("buffer_paths") or (), message["buffers"], strict=False):
            text = base64.b64encode(buffer).decode()
            shown = {"data": text, "encoding": "base64", "path": path}
            self.buffers.setdefault(key, {})[repr(path)] = shown
        if key in self.objects and "msg_id" in data["state"]:
            self.objects[key].hook(data["state"]["msg_id"])

    def widget_state(self) -> list[Output]:
        """Return the state of the widgets that this cell touched, as a notebook stores it."""
        states = {}
        for key in sorted(self.touched & self.widgets.keys()):
            state = self.widgets[key]
            about = ("model_name", "model_module", "model_module_version")
            states[key] = {name: state.get(f"_{name}") for name in about} | {"state": state}
            if key in self.buffers:
                states[key]["buffers"] = list(self.buffers[key].values())
        fits = states and len(repr(states)) < MAX_SHOWN
        return [{"output_type": "widget_state", "state": states}] if fits else []


def _is_output_widget(state: dict[str, Any]) -> bool:
    names = state.get("_model_module"), state.get("_model_name")
    return names == ("@jupyter-widgets/output", "OutputModel")


def apply_update(update: Output, outputs: list[Output]) -> None:
    """Replace, in one cell's outputs, what stands under the update's display id."""
    about = update.get("transient")
    for output in outputs:
        if about and output.get("transient") == about and output.get("output_type") in SHOWN:
            output["data"], output["metadata"] = update.get("data"), update.get("metadata")


def settle(outputs: Iterable[Any], earlier: Iterable[list[Output]]) -> list[Output]:
    """Return a cell's own outputs, after its updates were applied to those of earlier cells."""
    sound = [output for output in outputs if isinstance(output, dict)]
    updates = [one for one in sound if one.get("output_type") == "update_display_data"]
    for cell in earlier if updates else ():
        for update in updates:
            apply_update(update, cell)
    extra = ("update_display_data", "widget_state")
    return [output for output in sound if output.get("output_type") not in extra]

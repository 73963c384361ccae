"""Drive JupyterLab in a browser the way a person does: menus, cells, the toolbar.

Every wait is for something that a person would see; there is no pause of a fixed length.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

START_LIMIT = 60.0  # seconds that the server may take to answer
PATIENCE = 60_000  # milliseconds that JupyterLab may take on a busy machine
FRESH_NUMBER = """([prompt, before]) =>
    /\\[\\d+\\]:/.test(prompt.textContent) && prompt.textContent !== before"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def private_jupyter(folder: Path) -> dict[str, str]:
    """Return variables that keep a person's own Jupyter settings out, and ours away from theirs."""
    jupyter = {f"JUPYTER_{name}_DIR": name for name in ("CONFIG", "DATA", "RUNTIME")}
    lab = {f"JUPYTERLAB_{name}_DIR": name for name in ("SETTINGS", "WORKSPACES")}
    places = {**jupyter, **lab, "IPYTHONDIR": "ipython"}
    return {**os.environ, **{name: str(folder / place) for name, place in places.items()}}


@contextmanager
def lab_server(course: Path, private: Path) -> Iterator[str]:
    """Start `autograder lab` on the course folder `course`; yield its address."""
    port = free_port()
    words = [
        *(sys.executable, "-m", "autograder", "lab", "--no-browser", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.allow_root=True"),
    ]
    log = private / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            words, cwd=course, env=private_jupyter(private), stdout=output, stderr=output
        )
    try:
        wait_for_server(f"http://127.0.0.1:{port}/api/status", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_server(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < limit:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"`autograder lab` did not answer; it said:\n{log.read_text()}")


class Notebook:
    """A notebook open in JupyterLab.

    A cell is named by its id: JupyterLab draws cells that are far away late or not at all, so a
    search for words would miss them.
    """

    def __init__(self, page: Page, address: str, course: Path, path: str) -> None:
        """Open `path`, a notebook below the folder `course`, and wait until its kernel is ready."""
        self.page = page
        cells = json.loads((course / path).read_text(encoding="utf-8"))["cells"]
        self.place = {cell["id"]: number for number, cell in enumerate(cells)}
        self.source = {cell["id"]: "".join(cell["source"]) for cell in cells}
        self.code = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        page.goto(f"{address}/lab/tree/{path}?reset")
        page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=PATIENCE)
        kernel = page.locator(".jp-Toolbar-kernelName", has_text="Python 3")
        idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        for sign in (kernel, idle):  # a narrow window hides both
            sign.wait_for(state="attached", timeout=PATIENCE)

    def run_menu(self, entry: str) -> None:
        """Choose an entry of the Run menu."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()

    def wait_for_last_cell(self) -> None:
        """Wait until the notebook's last code cell has run."""
        prompt = self.cell(self.code[-1]).locator(".jp-InputPrompt").element_handle()
        self.page.wait_for_function(FRESH_NUMBER, arg=[prompt, ""], timeout=2 * PATIENCE)

    def find(self, words: str) -> str:
        """Return the id of the one cell whose source contains `words`."""
        (found,) = (cell for cell, source in self.source.items() if words in source)
        return found

    def cell(self, cell: str) -> Locator:
        """Return a cell, scrolled into view."""
        node = self.page.locator(f'.jp-Cell[data-windowed-list-index="{self.place[cell]}"]')
        node.scroll_into_view_if_needed(timeout=PATIENCE)
        return node

    def write(self, cell: str, source: str) -> None:
        """Replace what stands in a code cell, with the keyboard."""
        self.cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def run(self, cell: str) -> Locator:
        """Run one code cell with Shift+Enter, wait until it is done; return its output area."""
        node = self.cell(cell)
        prompt = node.locator(".jp-InputPrompt")
        before = prompt.text_content()
        node.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            FRESH_NUMBER, arg=[prompt.element_handle(), before], timeout=PATIENCE
        )
        return self.cell(cell).locator(".jp-Cell-outputArea")

    def printed(self, cell: str) -> str:
        """Return the text below a code cell, drawn yet or not."""
        outputs = self.cell(cell).locator(".jp-OutputArea-output")
        return "\n".join(outputs.all_text_contents()).strip()

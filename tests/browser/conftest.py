"""A browser, and JupyterLab on a copy of the course with `work/` filled.

Pictures of what the tests saw go to a temporary folder, or to the one that CHAINRULE_SHOTS names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from .jupyterlab import lab_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COURSE = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without these Chromium wants a display, a sandbox or the network.
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


class OpenPage(Protocol):
    def __call__(
        self, width: int = ..., height: int = ..., **options: Any
    ) -> AbstractContextManager[Page]: ...


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed (pip install -e '.[test]')"
    )
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip("Chromium is not installed (on Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def open_page(browser: Browser) -> OpenPage:
    """Return what opens a fresh browser window; an uncaught error in its page fails the test."""

    @contextmanager
    def window(width: int = 1280, height: int = 900, **options: Any) -> Iterator[Page]:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        errors: list[str] = []
        try:
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            yield page
        finally:
            context.close()
        assert not errors, f"errors in the page: {errors}"

    return window


@pytest.fixture(scope="package")
def shots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for pictures of the screen, and say where it is."""
    chosen = os.environ.get("CHAINRULE_SHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f" (pictures of the screen: {folder})")
    return folder


@pytest.fixture(scope="package")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the course folder without anybody's own work."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    for part in ("notebooks", "solutions"):
        shutil.copytree(COURSE / part, folder / part)
    return folder


@pytest.fixture(scope="package")
def lab(browser: Browser, course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a JupyterLab on the copy of the course."""
    with lab_server(course, tmp_path_factory.mktemp("jupyter")) as address:
        yield address

"""Lesson 07's piece, `RavineRace`: in a page without a kernel, and in the lesson itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chainrule.widgets import RavineRace, write_page
from chainrule.widgets.assets import module

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/07_optimizers/07_optimizers.ipynb"
EPS_UNDER_THE_ROOT = """\
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / np.sqrt(s + eps)
"""
RIGHT = EPS_UNDER_THE_ROOT.replace("np.sqrt(s + eps)", "(np.sqrt(s) + eps)")

COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { NAMES, rows, run } = await import(url);
  return cases.map((state) => [NAMES.map((name) => run(name, state.settings[name], state).path),
    rows(state)]);
}"""
FRAMES = """() => new Promise((done) => {
  let frames = 0;
  const begin = performance.now();
  const count = () => {
    frames += 1;
    if (performance.now() - begin < 1500) requestAnimationFrame(count);
    else done(frames / 1.5);
  };
  requestAnimationFrame(count);
})"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "race.html", RavineRace())


def expect_results(page: Page, race: RavineRace) -> None:
    """Wait until every card says what the text form of `race` says."""
    for place, (_, _, words) in enumerate(race.rows()):
        page.locator(".card .status").nth(place).get_by_text(words, exact=True).wait_for()


def test_the_browser_runs_where_python_runs(open_page: OpenPage) -> None:
    races = [
        RavineRace(),
        RavineRace(angle=33, stretch=60, noise=0.3, seed=7),
        *(RavineRace(surface=s) for s in ("banana", "saddle", "four basins", "plateau", "bumps")),
        RavineRace(settings={"SGD": {"lr": 2.5}, "RMSProp": {"eps": 1.0}}, hidden=["Adam"]),
    ]
    keys = ("surface", "stretch", "angle", "noise", "seed", "start", "settings", "hidden")
    cases = [{key: getattr(race, key) for key in keys} for race in races]
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("ravine_race_math.js"), cases])
    for race, (paths, rows) in zip(races, answers, strict=True):
        shown = [path for n, path in zip(race.settings, paths, strict=True) if n not in race.hidden]
        for mine, theirs in zip(race.paths().values(), shown, strict=True):
            np.testing.assert_allclose(np.array(theirs), np.array(mine), rtol=1e-6, atol=1e-9)
        assert [tuple(row) for row in rows] == race.rows()


def test_a_race_runs_pauses_and_starts_again(
    open_page: OpenPage, page_file: Path, shots: Path
) -> None:
    with open_page(width=1000, height=900) as page:
        page.goto(page_file.as_uri())
        expect_results(page, RavineRace())
        page.screenshot(path=shots / "race_whole.png")
        play, step = page.locator(".play"), page.get_by_role("slider", name="step", exact=True)
        play.press("Enter")
        page.get_by_role("button", name="Pause").wait_for()
        assert page.evaluate(FRAMES) > 20, "60 a second on an idle machine"
        page.screenshot(path=shots / "race_running.png")
        play.press("Space")
        paused = float(step.input_value())
        assert 20 < paused < 300
        page.get_by_text(f"step {paused:.0f}", exact=True).wait_for()
        step.press("Home")
        step.press("ArrowRight")
        page.get_by_text("step 1", exact=True).wait_for()
        loss = RavineRace().losses()["SGD"][1]
        page.locator(".card .status").first.get_by_text(f"loss {loss:.3g}").wait_for()
        page.get_by_role("slider", name="steps per second").fill("200")
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Race").wait_for()
        expect_results(page, RavineRace())
        places = page.locator(".card .place").all_text_contents()
        assert places == ["1st", "4th", "2nd", "5th", "3rd"], "steps 34, 61, 50, 129, 53"
        step.fill("50")
        page.get_by_text("step 50", exact=True).wait_for()
        assert page.locator(".card .place").all_text_contents() == ["1st", "", "2nd", "", ""]


def test_every_slider_moves_the_paths(open_page: OpenPage, page_file: Path) -> None:
    race = RavineRace()
    with open_page(width=1000, height=900) as page:
        page.goto(page_file.as_uri())
        for name, options in race.settings.items():
            for key in options:
                page.get_by_role("button", name="Reset").click()
                expect_results(page, race)
                curve = page.locator(f".map .{name.lower()} .trail")
                before = curve.get_attribute("d")
                slider = page.get_by_role("slider", name=f"{name} {key}")
                for _ in range(3):
                    slider.press("PageUp")
                page.wait_for_function(
                    "([name, before]) => document.querySelector(`.map .${name} .trail`)"
                    ".getAttribute('d') !== before",
                    arg=[name.lower(), before],
                )
        page.get_by_role("button", name="Reset").click()
        expect_results(page, race)
        page.get_by_role("slider", name="noise").fill("0.5")
        expect_results(page, RavineRace(noise=0.5))
        page.get_by_role("button", name="Other noise").click()
        expect_results(page, RavineRace(noise=0.5, seed=2))
        page.get_by_role("checkbox", name="Nesterov").uncheck()
        expect_results(page, RavineRace(noise=0.5, seed=2, hidden=["Nesterov"]))


def test_the_start_is_dragged_and_moved_by_keys(open_page: OpenPage, page_file: Path) -> None:
    with open_page(width=1000, height=900) as page:
        page.goto(page_file.as_uri())
        start = page.get_by_role("slider", name="starting point")
        start.focus()
        for key in ("ArrowRight", "Shift+ArrowUp", "ArrowDown"):
            page.keyboard.press(key)
        expect_results(page, RavineRace(start=[-2.65, 1.65]))
        box = page.locator(".map > svg").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + box["height"] / 3, steps=4)
        page.mouse.up()
        x, y = (
            float(v) for v in start.get_attribute("aria-valuetext")[2:].split(";")[0].split(", y ")
        )
        assert (x, y) == pytest.approx((2, 1), abs=0.03)
        expect_results(page, RavineRace(start=[x, y]))


def test_surfaces_and_situations_to_try(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=1000, height=900) as page:
        page.goto(page_file.as_uri())
        for surface in ("banana", "saddle", "four basins", "plateau"):
            page.get_by_role("combobox", name="surface").select_option(surface)
            expect_results(page, RavineRace(surface=surface))
            page.screenshot(path=shots / f"race_{surface.replace(' ', '_')}.png")
        page.get_by_role("button", name="momentum 0.99").click()
        steep = {"momentum": 0.99}
        expect_results(page, RavineRace(settings={"Momentum": steep, "Nesterov": steep}))
        page.get_by_role("button", name="far out on the plateau").click()
        expect_results(page, RavineRace(surface="plateau", start=[-4, 3]))
        page.get_by_role("button", name="turned by 45°").click()
        page.locator(".card .status").nth(4).get_by_text("finished at step 110").wait_for()
        page.get_by_text("Read it as a table").click()
        assert page.locator("tbody tr").count() == 5
        page.screenshot(path=shots / "race_turned.png", full_page=True)


def test_the_map_and_its_shade_lie_on_each_other(open_page: OpenPage, page_file: Path) -> None:
    for width in (1180, 760, 480):
        with open_page(width=width, height=900) as page:
            page.goto(page_file.as_uri())
            boxes = [page.locator(f".map > {kind}").bounding_box() for kind in ("canvas", "svg")]
            assert boxes[0] == boxes[1]
            assert boxes[0]["width"] / boxes[0]["height"] == pytest.approx(4 / 3, abs=0.02)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=900, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect_results(page, RavineRace())
        page.screenshot(path=shots / f"race_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        lesson.run("setup")
        lesson.write("rmsprop", EPS_UNDER_THE_ROOT)
        lesson.run("rmsprop")
        lesson.run("rmsprop-eps")
        verdict = lesson.printed("rmsprop-eps")
        page.screenshot(path=shots / "lesson_07_wrong_answer.png")
        assert verdict.startswith("rmsprop · eps: not yet")
        assert "Your `eps` stands under the root" in verdict
        lesson.write("rmsprop", RIGHT)
        lesson.run("rmsprop")
        for behaviour in ("values", "eps", "own_state"):
            lesson.run(f"rmsprop-{behaviour}")
            assert lesson.printed(f"rmsprop-{behaviour}") == f"rmsprop · {behaviour}: pass"
        widget = lesson.run(lesson.find("from chainrule.widgets import RavineRace"))
        slider = widget.get_by_role("slider", name="Adam lr")
        slider.press("ArrowRight")
        race = RavineRace(settings={"Adam": {"lr": 0.105}})
        words = race.rows()[4][2]
        widget.locator(".card .status").nth(4).get_by_text(words, exact=True).wait_for()
        page.screenshot(path=shots / "lesson_07_race.png")

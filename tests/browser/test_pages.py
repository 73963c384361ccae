"""TinyNet in a page without a kernel, and its arithmetic in the browser against NumPy's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from chainrule.widgets import TinyNet, write_page
from chainrule.widgets.assets import module

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { compute, rows } = await import(url);
  return cases.map(([weights, inputs, target]) => {
    const values = compute(weights, inputs, target);
    return [values, rows(values)];
  });
}"""
CONTRAST = """(selectors) => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => parse(color).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return selectors.map((selector) => {
    const style = getComputedStyle(document.querySelector(selector));
    const ink = light(selector.includes("svg") ? style.fill : style.color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}"""


def random_nets(count: int) -> list[TinyNet]:
    """Nets at random weights of all sizes; every third has zeros, so that a unit stands at 0."""
    rng = np.random.default_rng(20)
    nets = []
    for n in range(count):
        weights = rng.normal(size=9) * 10.0 ** rng.integers(-3, 4)
        weights[rng.random(9) < (n % 3 == 0) * 0.5] = 0.0
        x = rng.normal(size=2)
        nets.append(TinyNet(weights=weights.tolist(), inputs=x.tolist(), target=rng.normal()))
    return nets


def card(page: Page, name: str) -> Any:
    return page.get_by_role("slider", name=f"weight {name},")


def drag(page: Page, name: str, distance: int) -> None:
    """Press on the card of a weight, move sideways, let go."""
    box = card(page, name).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + distance, y, steps=5)
    page.mouse.up()


def shown_rows(page: Page) -> list[list[str]]:
    """The rows of the table that the widget shows as its text form."""
    return page.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


def expect_shown(page: Page, net: TinyNet) -> None:
    """Wait until the page shows exactly the rows of `net`."""
    rows = [list(row) for row in net.rows()]
    try:
        page.wait_for_function(
            """(rows) => JSON.stringify([...document.querySelectorAll("tbody tr")].map((row) =>
                [...row.cells].map((cell) => cell.textContent))) === JSON.stringify(rows)""",
            arg=rows,
            timeout=5000,
        )
    except Exception:
        assert shown_rows(page) == rows
        raise


def stepped(net: TinyNet) -> TinyNet:
    """The net one step of gradient descent further."""
    v = net.values()
    grads = np.concatenate([v["grad_w1"].ravel(), v["grad_w2"]])
    weights = np.array(net.weights) - net.learning_rate * grads
    return TinyNet(weights=weights.tolist(), inputs=net.inputs, target=net.target)


def test_browser_and_numpy_compute_the_same(open_page: OpenPage) -> None:
    nets = random_nets(200)
    cases = [[net.weights, net.inputs, net.target] for net in nets]
    with open_page() as page:
        results = page.evaluate(COMPUTE, [module("tiny_net_math.js"), cases])
    for net, (values, rows) in zip(nets, results, strict=True):
        expected = net.values()
        assert values.keys() == expected.keys()
        for name, value in expected.items():
            got = np.array(values[name], dtype=float)
            assert got.shape == np.shape(value), name
            scale = max(1.0, float(np.abs(value).max()))
            np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-12 * scale, err_msg=name)
        assert [tuple(row) for row in rows] == net.rows()


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    return write_page(tmp_path / "net.html", TinyNet(), title="A net in one look")


def test_a_page_lives_without_kernel_or_network(
    open_page: OpenPage, page_file: Path, shots: Path
) -> None:
    with open_page(width=1180, height=640) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        loss = page.locator(".loss")
        assert loss.text_content() == "1.0000"
        assert page.locator(".off .name").all_text_contents() == ["unit 1"]
        line = page.locator("path.edge").nth(1)
        width = line.get_attribute("stroke-width")
        drag(page, "w1[0,1]", 60)
        weights = list(TinyNet().weights)
        weights[1] = -0.2
        expect_shown(page, TinyNet(weights=weights))
        assert loss.text_content() == "0.3600"
        assert page.locator(".off .name").count() == 0, "the unit is on again, and says so"
        assert line.get_attribute("stroke-width") != width
        assert card(page, "w1[0,1]").get_attribute("aria-valuenow") == "-0.2"
        page.screenshot(path=shots / "page_dragged.png")
        assert asked == [page_file.as_uri()]


def test_a_weight_moves_by_keyboard_alone(open_page: OpenPage, page_file: Path) -> None:
    net = TinyNet()
    with open_page() as page:
        page.goto(page_file.as_uri())
        page.keyboard.press("Tab")
        assert card(page, "w1[0,0]").evaluate("node => node === document.activeElement")
        for key, value in (
            *(("ArrowRight", 0.55), ("Shift+ArrowRight", 0.8), ("ArrowDown", 0.75)),
            *(("PageDown", 0.5), ("Shift+ArrowLeft", 0.25), ("ArrowUp", 0.3), ("Home", 0.5)),
        ):
            page.keyboard.press(key)
            expect_shown(page, TinyNet(weights=[value, *net.weights[1:]]))
        for _ in range(12):
            page.keyboard.press("Shift+ArrowRight")
        expect_shown(page, TinyNet(weights=[2.0, *net.weights[1:]]))
        page.get_by_role("status").get_by_text("w1[0,0] is 2.00").wait_for()
        page.keyboard.press("Tab")  # to the next card below
        page.locator(".chart code").get_by_text("w1[1,0]").wait_for()


def test_steps_of_descent_samples_and_reset(open_page: OpenPage, page_file: Path) -> None:
    net = TinyNet()
    with open_page() as page:
        page.goto(page_file.as_uri())
        step = page.get_by_role("button", name="One step of gradient descent")
        for _ in range(3):
            step.click()
            net = stepped(net)
            expect_shown(page, net)
        assert f"to {net.rows()[-1][1]}." in page.locator(".note").text_content()
        page.get_by_role("button", name="Reset weights").click()
        page.get_by_role("radio", name="sample 2").check()
        sample = TinyNet().samples[1]
        expect_shown(page, TinyNet(**sample))
        page.get_by_label("learning rate").fill("0.3")
        step.click()
        expect_shown(page, stepped(TinyNet(**sample, learning_rate=0.3)))


def test_a_step_that_would_run_away_is_refused(open_page: OpenPage, tmp_path: Path) -> None:
    net = TinyNet(weights=[90.0] * 9, learning_rate=0.3)
    with open_page() as page:
        page.goto(write_page(tmp_path / "net.html", net).as_uri())
        page.get_by_role("button", name="One step of gradient descent").click()
        page.get_by_text("the learning rate is too large").first.wait_for()
        expect_shown(page, net)


def test_the_curve_can_be_dragged_and_its_tangent_is_the_gradient(
    open_page: OpenPage, page_file: Path
) -> None:
    with open_page() as page:
        page.goto(page_file.as_uri())
        point = page.locator(".point").bounding_box()
        x, y = point["x"] + point["width"] / 2, point["y"] + point["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 20, y)
        page.mouse.up()
        page.wait_for_function(
            "document.querySelector('.card.selected').getAttribute('aria-valuenow') < 0.9"
        )
        weight = float(card(page, "w1[0,2]").get_attribute("aria-valuenow"))
        net = TinyNet(weights=[*TinyNet().weights[:2], weight, *TinyNet().weights[3:]])
        expect_shown(page, net)
        curve = page.locator(".curve").evaluate("""(curve) => {
          const tangent = document.querySelector(".tangent");
          const ends = [0, tangent.getTotalLength()].map((t) => tangent.getPointAtLength(t));
          return [ends[0].x, ends[0].y, ends[1].x, ends[1].y];
        }""")
        frame = page.locator("clipPath rect").evaluate(
            "(rect) => ['width', 'height'].map((name) => Number(rect.getAttribute(name)))"
        )
        top = max(
            TinyNet(weights=[*net.weights[:2], w, *net.weights[3:]]).values()["loss"]
            for w in np.linspace(-2, 2, 401)
        )
        slope = (curve[1] - curve[3]) / (curve[2] - curve[0])
        slope *= (frame[0] / 4) / (frame[1] / (1.06 * top))
        assert slope == pytest.approx(net.values()["grad_w1"][0, 2], rel=1e-3)
        assert slope > 0.1, "not where the curve is flat"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1180, 700])
def test_words_can_be_read_in_both_themes(
    open_page: OpenPage, page_file: Path, shots: Path, scheme: str, width: int
) -> None:
    with open_page(width=width, height=800, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        page.locator(".loss").wait_for()
        page.screenshot(path=shots / f"page_{scheme}_{width}.png", full_page=True)
        seen = [".tiny-net svg text.grad", ".tiny-net svg text.muted", ".legend", ".chart .grad"]
        assert min(page.evaluate(CONTRAST, seen)) >= 4.5
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "nothing sticks out to the right"


def test_without_javascript_the_text_is_shown(open_page: OpenPage, page_file: Path) -> None:
    with open_page(java_script_enabled=False) as page:
        page.goto(page_file.as_uri())
        assert page.locator("noscript pre").inner_text().strip() == TinyNet().text()


def test_two_widgets_on_one_page_are_independent(open_page: OpenPage, tmp_path: Path) -> None:
    other = TinyNet(weights=[0.25] * 9)
    file = write_page(tmp_path / "nets.html", TinyNet(), other)
    with open_page() as page:
        page.goto(file.as_uri())
        page.locator(".tiny-net").nth(1).locator(".card").first.press("ArrowRight")
        second = TinyNet(weights=[0.3, *other.weights[1:]])
        lost = [net.rows()[-1][1] for net in (TinyNet(), second)]
        page.locator(".loss").nth(1).get_by_text(lost[1]).wait_for()
        assert page.locator(".loss").all_text_contents() == lost
        page.get_by_role("radio").nth(1).check()
        chosen = page.get_by_role("radio").evaluate_all("all => all.map((radio) => radio.checked)")
        assert chosen == [False, True, True, False]

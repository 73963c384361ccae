"""TinyNet without a browser: its numbers, its text, what it hands to the browser, its page."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import traitlets

import chainrule.widgets
from chainrule.widgets import TinyNet, fragment, write_page
from chainrule.widgets.assets import HERE, module, style
from chainrule.widgets.textform import number, signed, table


def random_net(seed: int) -> TinyNet:
    rng = np.random.default_rng(seed)
    weights, inputs = rng.normal(size=9).tolist(), rng.normal(size=2).tolist()
    return TinyNet(weights=weights, inputs=inputs, target=float(rng.normal()))


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, chainrule.widgets\n"
        "heavy = {'anywidget', 'ipywidgets', 'IPython', 'traitlets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert chainrule.widgets.TinyNet.__name__ == 'TinyNet'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_exported_name_exists_and_others_do_not() -> None:
    for name in chainrule.widgets.__all__:
        assert getattr(chainrule.widgets, name) is not None
    assert set(chainrule.widgets.__all__) <= set(dir(chainrule.widgets))
    with pytest.raises(AttributeError, match="HugeNet"):
        _ = chainrule.widgets.HugeNet


def test_the_first_picture_has_the_numbers_that_the_lesson_speaks_of() -> None:
    v = TinyNet().values()
    np.testing.assert_allclose(v["h"], [2.0, -0.2, 0.5])
    np.testing.assert_allclose(v["h_relu"], [2.0, 0.0, 0.5])
    assert (v["y_pred"], v["loss"], v["grad_y_pred"]) == pytest.approx((0.75, 1.0, -2.0))
    np.testing.assert_allclose(v["grad_w2"], [-4.0, 0.0, -1.0])
    np.testing.assert_allclose(v["grad_h_relu"], [-1.0, -2.0, 1.0])
    np.testing.assert_allclose(v["grad_h"], [-1.0, 0.0, 1.0])
    np.testing.assert_allclose(v["grad_w1"], [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]])
    second = TinyNet(**TinyNet().samples[1]).values()
    assert list(second["h"] > 0) == [True, True, False], "another unit is off for sample 2"


@pytest.mark.parametrize("seed", range(5))
def test_gradients_are_the_slopes_of_the_loss(seed: int) -> None:
    net = random_net(seed)
    v = net.values()
    gradients = np.concatenate([v["grad_w1"].ravel(), v["grad_w2"]])
    for k, gradient in enumerate(gradients):
        losses = []
        for nudge in (1e-6, -1e-6):
            moved = list(net.weights)
            moved[k] += nudge
            losses.append(
                TinyNet(weights=moved, inputs=net.inputs, target=net.target).values()["loss"]
            )
        slope = (losses[0] - losses[1]) / 2e-6
        assert gradient == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_a_unit_at_exactly_zero_passes_no_gradient() -> None:
    net = TinyNet(weights=[0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    v = net.values()
    assert v["h"][0] == 0 and v["grad_h_relu"][0] != 0 and v["grad_h"][0] == 0
    assert "unit 0 is off: no gradient passes" in net.text()


def test_the_text_says_every_value_and_gradient() -> None:
    net = random_net(7)
    v = net.values()
    rows = {name: (value, grad) for name, value, grad, _ in net.rows()}

    def read(text: str) -> float:
        return float(text.replace("−", "-"))

    for name in ("w1", "h", "h_relu", "w2"):
        for place in np.ndindex(v[name].shape):
            value, grad = rows[f"{name}[{','.join(map(str, place))}]"]
            assert read(value) == pytest.approx(v[name][place], abs=5e-5)
            assert read(grad) == pytest.approx(v[f"grad_{name}"][place], abs=5e-5)
    assert read(rows["loss"][0]) == pytest.approx(v["loss"], abs=5e-5)
    assert len(net.text().splitlines()) == 1 + len(rows) == 21
    for h, line in zip(v["h"], re.findall("unit . is (on|off)", net.text()), strict=True):
        assert line == ("on" if h > 0 else "off")


def test_where_no_widget_can_be_shown_the_text_is() -> None:
    net = TinyNet()
    data, _ = net._repr_mimebundle_()
    assert data["text/plain"] == net.text()
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("weights", [1.0] * 8), ("weights", [1.0] * 8 + [math.nan]), ("inputs", [1.0])),
        *(("inputs", [math.inf, 1.0]), ("target", math.nan), ("learning_rate", -1.0)),
        *(("selected", 9), ("weights", ["1"] * 9)),
    ],
)
def test_what_is_no_net_is_refused_and_changes_nothing(name: str, value: object) -> None:
    net = TinyNet()
    before = getattr(net, name)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(net, name, value)
    assert getattr(net, name) == before
    with pytest.raises(traitlets.TraitError):
        TinyNet(**{name: value})


def test_two_nets_share_no_weights() -> None:
    first, second = TinyNet(), TinyNet()
    first.weights = [0.0] * 9
    first.samples[0]["inputs"][0] = 5.0
    assert second.weights == TinyNet().weights != first.weights
    assert TinyNet().samples[0]["inputs"][0] == 1.0
    assert first.start == second.start, "Reset goes back to the weights given at first"


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("tiny_net.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export default") == 1
    assert source.count("export ") == 1, "what is pasted in is no longer exported"
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|url\(", style("common.css", "tiny_net.css"))
    assert "</script" not in source


def test_shared_code_is_stored_once_and_pasted_once() -> None:
    source = module("tiny_net.js")
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    for name in re.findall(r"^export (?:const|function) (\w+)", (HERE / "common.js").read_text()):
        assert names.count(name) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.125, "0.1250"), (0.28125, "0.2813"), (-0.28125, "−0.2813"), (-0.00001, "0.0000")),
        *((123456.0, "1.23e+5"), (-2e-5, "0.0000"), (99999.99999, "100000.0000")),
    ],
)
def test_numbers_are_written_as_the_browser_writes_them(value: float, text: str) -> None:
    assert number(value) == text
    assert signed(value) == (f"+{text}" if value > 0 and float(text) else text)


def test_a_table_lines_up() -> None:
    assert table(("a", "b", "c"), [("x", "10", "left"), ("long", "2", "")]) == (
        "a      b  c\nx     10  left\nlong   2"
    )


def test_a_page_refers_to_nothing_outside(tmp_path: Path) -> None:
    path = write_page(tmp_path / "net.html", TinyNet(), title="</script><b>A & B")
    page = path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.html"]
    assert not re.search(r"\bsrc=|\bhref=|<link", page)
    assert "<title>&lt;/script&gt;&lt;b&gt;A &amp; B</title>" in page
    assert page.count("</script>") == page.count("<script") == 1
    assert "unit 1 is off" in page, "the text form, for a reader without JavaScript"


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    net = TinyNet()
    (tmp_path / "net.html").mkdir()
    with pytest.raises(OSError, match=r"net\.html"):
        write_page(tmp_path / "net.html", net)
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.html"]


def test_state_in_a_page_cannot_end_its_script() -> None:
    net = TinyNet(samples=[{"inputs": [1.0, 2.0], "target": 1.0, "name": "</script><b>"}])
    assert fragment(net).count("</script>") == 1

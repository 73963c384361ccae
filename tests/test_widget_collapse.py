"""Collapse without a browser: its numbers are the library's, its text says them, its page lives."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import traitlets

import chainrule as cr
from chainrule.widgets import Collapse, TinyNet, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.collapse import right_digits, short, verdict

PLACES = [-1000, -720, -400, -100, -89, -88, -60, -52, -40, -1, 0, 0.5, 17, 40, 100, 800, 1000]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("x", PLACES)
def test_the_composite_is_what_the_library_computes(x: float, dtype: str) -> None:
    leaf = cr.tensor(x, dtype=dtype, requires_grad=True)
    with np.errstate(all="ignore"):
        exp = cr.exp(-leaf)
        out = 1 / (1 + exp)
        out.backward()
    v = Collapse(x=x, dtype=dtype).values()
    np.testing.assert_array_equal([v["exp"], v["out"]], [exp.item(), out.item()])
    np.testing.assert_array_equal(v["grad_x"], leaf.grad.item())


@pytest.mark.parametrize("x", PLACES)
def test_exact_is_exact_and_the_node_is_close_to_it(x: float) -> None:
    v = Collapse(x=x, dtype="float64").values()
    small = np.exp(-abs(np.longdouble(x)))
    for name, true in (("value", (1 if x >= 0 else small) / (1 + small)),
                       ("slope", small / (1 + small) ** 2)):  # fmt: skip
        assert v[f"exact_{name}"] == pytest.approx(float(true), rel=1e-14)
        assert v[name] == pytest.approx(float(true), rel=1e-12 if x <= 0 else 0, abs=2e-16)


def test_the_places_that_the_lesson_speaks_of() -> None:
    def slopes(x: float, dtype: str = "float32") -> tuple[float, float]:
        right = Collapse(x=x, dtype=dtype).digits()
        return right["grad_x"], right["slope"]

    assert slopes(-51)[0] > 0.3 and slopes(-53) == (0, 6), "the slope is lost from about -52 on"
    assert slopes(-88)[0] == 0 and slopes(-89)[0] == -1, "nan from -89 on"
    assert slopes(-709, "float64")[0] == 0 and slopes(-710, "float64")[0] == -1
    assert slopes(40, "float64") == (14, 0), "where the node is worse"
    value = Collapse(x=-95).digits()
    assert value["out"] == 0 and value["value"] > 1, "where the composite's value is lost"
    assert Collapse(x=-1000).digits()["out"] == 6, "0 is right there"


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (-1000, "exp(1000) is inf in float32. Forward, 1 / inf is 0. Backward, 0 · inf is nan."),
        (-60, "too small for float32, so the slope is lost"),
        (-1, "Composite: the slope is right"),
        (40, "One node: y is rounded to 1"),
    ],
)
def test_the_text_says_what_happened(x: float, words: str) -> None:
    text = Collapse(x=x).text()
    assert words in text
    assert text.startswith("in float32\nname")


def test_the_text_says_every_value_and_gradient() -> None:
    picture = Collapse(x=-3.25, dtype="float64")
    v = picture.values()
    names = {"x": "x", "−x": "negate", "exp(−x)": "exp", "1 + exp(−x)": "add", "y": "out"}
    rows = {name: (value, grad) for name, value, grad, _ in picture.rows()}
    for shown, key in names.items():
        assert rows[shown] == (short(v[key]), short(v[f"grad_{key}"]))
    assert rows["Sigmoid(x)"] == (short(v["value"]), short(v["slope"]))
    assert all(word in picture.text() for pair in rows.values() for word in pair)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.25, "0.25"), (-60.0, "−60"), (math.nan, "nan"), (math.inf, "inf"), (-0.0, "0")),
        *((8.75651e-27, "8.757e−27"), (-1.5e30, "−1.500e30"), (12345.67, "12346"), (1e-3, "0.001")),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_digits_and_verdicts() -> None:
    assert right_digits(1.0, 1.01, "float32") == pytest.approx(2.0, abs=0.01)
    assert right_digits(math.nan, 1.0, "float32") == right_digits(math.inf, 1.0, "float64") == -1
    assert right_digits(0.0, 1e-60, "float32") == 6, "no float32 is closer"
    assert right_digits(0.0, 1e-60, "float64") == 0
    assert verdict(math.nan, 1.0, "float32") == "no number"
    assert verdict(0.0, 1e-20, "float32") == "lost, rounded to 0"
    assert verdict(2.0, 1.0, "float32") == "wrong"
    assert verdict(1.001, 1.0, "float32") == "right to 3 digits"
    assert verdict(1.0, 1.0, "float32") == "right"


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", math.nan), ("x", 1001.0), ("dtype", "float16"), ("shown", "loss"), ("collapsed", 2)],
)
def test_what_is_no_picture_is_refused_and_changes_nothing(name: str, value: object) -> None:
    picture = Collapse()
    before = getattr(picture, name)
    with pytest.raises(traitlets.TraitError):
        setattr(picture, name, value)
    assert getattr(picture, name) == before


def test_where_no_widget_can_be_shown_the_text_is() -> None:
    picture = Collapse()
    data, _ = picture._repr_mimebundle_()
    assert data["text/plain"] == picture.text()


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("collapse.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("collapse.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    page = write_page(tmp_path / "two.html", Collapse(x=-1000), TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "0 · inf is nan" in page, "the text form, for a reader without JavaScript"

"""A student's Markdown and HTML: formulas in their place only, few classes, and never for long."""

import time
from html.parser import HTMLParser

import nbformat
import pytest

from autograder.grading import inert
from autograder.grading.inert import clean_html, render_markdown

PICTURE = "data:image/png;base64,AA"


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def only(source: str, tag: str) -> dict[str, str | None]:
    """Return the attributes of the one element with this tag."""
    (attributes,) = (found for name, found in Elements(source).found if name == tag)
    return attributes


def test_a_formula_never_stands_inside_a_tag() -> None:
    quoted = r"$\text{'onerror='alert(1)'x='}$"
    broken = f"""x <? > <img src="{PICTURE}" alt='" ?>{quoted}<? '> ?>"""
    image = only(render_markdown(broken), "img")
    assert set(image) == {"src", "alt"} and r"\text{" in (image["alt"] or "")
    link = f"""x <? > <a href="https://a.b" title='" ?>{quoted}<? '> ?>see</a>"""
    assert set(only(render_markdown(link), "a")) == {"href", "title"}
    assert only(render_markdown(f"![$x$]({PICTURE})"), "img") == {"src": PICTURE, "alt": "x"}


@pytest.mark.parametrize("name", ["href", "style", "class", "src"])
def test_a_formula_brings_nothing_back_into_another_attribute(name: str) -> None:
    place = f"{inert.OPEN}0{inert.CLOSE}"
    given = f"<a {name}='https:{place}'>x</a><p style='color: u{place}rl(x)'>y</p>"
    assert clean_html(given, {0: "x"}) == "<a>x</a><p>y</p>"


def test_quotes_in_a_formula_are_entities() -> None:
    made = inert.mathml("\\text{a'b\"c}")
    assert "a&#x27;b&quot;c" in made and "<mtext>" in made


def test_a_place_made_of_entities_holds_no_formula() -> None:
    assert "<math" not in render_markdown("&#xE000;5&#xE001;")
    assert render_markdown("&#xE000;0&#xE001; $x$ &#xE000;0&#xE001;").count("<math") == 1


def test_markup_that_only_xml_has_is_text() -> None:
    for markup in ("<?a b?>", "<!x y>", "<![CDATA[a b]]>"):
        assert f"a {inert.html.escape(markup, quote=False)}" in render_markdown(f"a {markup}")
    assert "<code>&lt;?php</code>" in render_markdown("`<?php`")


def test_only_a_few_classes_are_kept() -> None:
    kept = clean_html(
        '<b class="modal-backdrop highlight k navbar-fixed-top">x</b><i class="a">y</i>'
    )
    assert kept == '<b class="highlight k">x</b><i>y</i>'
    code = render_markdown("```python\nx = 1\n```")
    assert '<div class="highlight">' in code and '<span class="mi">1</span>' in code
    table = '<table class="dataframe"><tbody></tbody></table>'
    assert clean_html(table) == table
    assert "tex2jax_process" not in clean_html("<p class=tex2jax_process>$x$</p>")


def test_mathjax_leaves_rendered_text_alone() -> None:
    for text in ("&#36;x&#36;", "\\$x\\$", "<div>\n$x$\n</div>", "<div>" * 20_000):
        made = render_markdown(text)
        assert made.startswith(f'<div class="{inert.UNTOUCHED}"') and made.endswith("</div>")
    closing = render_markdown("<p></div></div></p>\n\n</div> &#36;x&#36;")
    assert closing.count("</div>") == 1, "no text ends the pane it stands in"


LONG = {
    "deep": "<div>" * 20_000,
    "reopened": "".join(f"<b title={n}>" for n in range(10_000)),
    "reopened in a few": "".join(f"<b title={n}><p>" for n in range(245)) + "\n\nx" * 2_000,
    "environments": "\\begin{a}" * 20_000,
    "brackets": "\\\\[" * 15_000,
    "long": "word " * 20_000,
}


@pytest.mark.parametrize("name", LONG)
def test_what_would_take_long_stands_as_it_was_typed(name: str) -> None:
    began = time.perf_counter()
    made = render_markdown(LONG[name])
    assert time.perf_counter() - began < 5
    assert inert.TOO_MUCH in made and "<pre>" in made
    assert inert.html.escape(LONG[name][:1_000]) in made


def test_a_long_space_is_no_trouble() -> None:
    began = time.perf_counter()
    assert "a" in render_markdown("a" + " " * 49_000 + "b")
    assert time.perf_counter() - began < 5


def test_an_ordinary_text_is_set_however_it_is_marked() -> None:
    text = "\n\n".join(f"**Step {n}** has `x` and $x_{n}$, see <b>this</b>." for n in range(150))
    made = render_markdown(text)
    assert inert.TOO_MUCH not in made and made.count("<math") == 150
    rows = "<tr><td>1</td><td>2</td></tr>" * 400
    assert inert.TOO_MUCH not in show(f"<table>{rows}</table>")


def show(markup: str) -> str:
    """Return what becomes of a display of HTML."""
    data = {"text/html": markup, "text/plain": "its plain <words>"}
    output = nbformat.v4.new_output("display_data", data=data)
    return str(inert.inert_output(output).data["text/html"])


@pytest.mark.parametrize("name", ["deep", "reopened", "reopened in a few"])
def test_a_display_that_would_take_long_is_shown_in_words(name: str) -> None:
    began = time.perf_counter()
    made = show(LONG[name] + "<p>" * 1_000)
    assert time.perf_counter() - began < 5
    assert inert.TOO_MUCH in made and "its plain &lt;words&gt;" in made

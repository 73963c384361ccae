"""Make what a student wrote safe to look at: nothing in it runs, loads or leads astray.

Feedback pages use this by themselves. For nbgrader's formgrader and its own feedback a course turns
it on in `nbgrader_config.py`:

    c.HTMLExporter.preprocessors = ["autograder.grading.inert.Inert"]
    c.HTMLExporter.filters = {"markdown2html": "autograder.grading.inert.markdown2html"}
"""

from __future__ import annotations

import base64
import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from latex2mathml.converter import convert as latex_to_mathml
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from pygments.token import STANDARD_TYPES
from traitlets import Bool


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _names(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5"
    " h6 hr i img ins kbd li mark ol p pre s samp small span strong sub summary sup table tbody"
    " td tfoot th thead tr tt u ul var"
)
ATTRIBUTES = {
    "*": ["align", "class", "colspan", "dir", "lang", "rowspan", "scope", "style", "title"],
    "a": ["href"],
    "ol": ["start"],
}
CLASSES = frozenset({"dataframe", "highlight", *STANDARD_TYPES.values()}) - {""}
"""Tables of pandas and highlighted code; any other class could borrow a page's own styles."""
STYLES = CSSSanitizer(
    _names(
        "background-color border border-bottom border-collapse border-left border-right border-top"
        " color font-family font-size font-style font-weight padding text-align text-decoration"
        " vertical-align white-space width"
    )
)
ODD_STYLE = re.compile(r"[\\@]|url|expression|image|behavior", re.IGNORECASE)
LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")

MATH = "http://www.w3.org/1998/Math/MathML"
MATH_TAGS = frozenset(
    f"{{{MATH}}}{name}"
    for name in _names(
        "math menclose mfenced mfrac mi mn mo mover mpadded mphantom mroot mrow mspace msqrt"
        " mstyle msub msubsup msup mtable mtd mtext mtr munder munderover"
    )
)
MATH_ATTRIBUTES = _names(
    "accent columnalign columnlines columnspacing displaystyle display fence form height"
    " linethickness lspace mathsize mathvariant maxsize minsize movablelimits notation rowspacing"
    " rspace scriptlevel separator stretchy symmetric width"
)
UNTOUCHED = "tex2jax_ignore"
"""The class of what a page's MathJax leaves alone."""
PANE = f'<div class="{UNTOUCHED}" style="overflow-x: auto; overflow-y: hidden">'
"""What a student's words stand in: nothing in it is painted outside of it."""

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters that hold the place of a formula while the rest is cleaned."""
PLACE = re.compile(f"{OPEN}([0-9]+){CLOSE}")


def _allowed(tag: str, name: str, value: str) -> bool:
    if OPEN in value and name not in ("alt", "title"):
        return False
    if tag == "img":
        # Only pictures that lie in the page: anything else would be fetched when it is read.
        return name == "alt" or (name == "src" and PICTURE.fullmatch(value) is not None)
    if name == "href":
        # Entities as a browser resolves them: `javascript&colon;` is a link that runs, too.
        return tag == "a" and LINK.match(html.unescape(html.unescape(value))) is not None
    if name == "style":
        return ODD_STYLE.search(value) is None
    return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())


def clean_html(text: str, formulas: Mapping[int, str] | None = None) -> str:
    """Return HTML with no scripts, handlers, frames, forms, outside pictures or odd links.

    Places of `formulas` (number -> source) are left between tags; in an attribute the source
    stands instead.
    """
    cleaner = Cleaner(
        tags=TAGS,
        attributes=_allowed,
        protocols=("http", "https", "mailto", "data"),
        css_sanitizer=STYLES,
        strip=True,
        strip_comments=True,
        filters=[partial(_Settle, formulas=formulas or {})],
    )
    return str(cleaner.clean(text))


class _Settle(Filter):
    """Settle in the cleaned tree what depends on more than one attribute's name and value."""

    def __init__(self, source: Any, formulas: Mapping[int, str]) -> None:
        super().__init__(source)
        self.formulas = formulas

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for token in super().__iter__():
            if token["type"] not in ("StartTag", "EmptyTag"):
                yield token
            elif token["name"] == "img" and (None, "src") not in token["data"]:
                yield {"type": "StartTag", "name": "em", "namespace": None, "data": {}}
                yield {"type": "Characters", "data": "(picture left out)"}
                yield {"type": "EndTag", "name": "em", "namespace": None}
            else:
                yield token | {"data": dict(self._settled(token["data"]))}

    def _settled(self, attributes: dict[Any, str]) -> Iterator[tuple[Any, str]]:
        for name, value in attributes.items():
            if name[-1] == "class":
                value = " ".join(word for word in value.split() if word in CLASSES)
                if not value:
                    continue
            yield name, PLACE.sub(self._source, value)

    def _source(self, found: re.Match[str]) -> str:
        return self.formulas.get(int(found[1]), "")


# -- what would take too long ------------------------------------------------------------------

LONGEST = 50_000
"""Characters of one text that are set; the converters' time grows with the square of it."""
MOST_TAGS, MOST_TAGS_SHOWN = 500, 4_000
"""Tags of one Markdown text, and of one displayed table, that are set."""
MOST_REPEATED = 200_000
"""Tags left open that an HTML parser may open again, each at every tag that follows."""
MOST_FORMULAS = 500
LONGEST_SPACE = 200
REOPENED = re.compile(r"<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
FORMULA_START = re.compile(r"\\begin|\\\\[(\[]")
TOO_MUCH = (
    "This is too long, or has too many tags or formulas, to be set; it stands as it was typed."
)


def _too_much(text: str, tags: int, shown: str | None = None) -> bool:
    """Tell whether HTML in a text, with all that is `shown` with it, takes too long to clean."""
    reopened = sum(1 for _ in REOPENED.finditer(text)) if len(text) <= LONGEST else 0
    return (
        len(text) > LONGEST
        or text.count("<") > tags
        or reopened * (shown or text).count("<") > MOST_REPEATED
    )


def _as_typed(source: str) -> str:
    return f"<p><em>{TOO_MUCH}</em></p><pre>{html.escape(source)}</pre>"


# -- Markdown and formulas ---------------------------------------------------------------------

ODD_MARKUP = re.compile(r"<(?=[?!])(?!!--)")
"""Processing instructions, declarations and CDATA, which Markdown and HTML end differently."""


class _Formulas(IPythonRenderer):
    """Renders Markdown and keeps formulas aside, to be set as MathML afterwards."""

    def __init__(self) -> None:
        super().__init__(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True)
        self.kept: dict[int, tuple[str, str]] = {}

    def _keep(self, latex: str, display: str) -> str:
        self.kept[len(self.kept)] = latex, display
        return f"{OPEN}{len(self.kept) - 1}{CLOSE}"

    def block_math(self, body: str) -> str:
        return self._keep(body, "block")

    def inline_math(self, body: str) -> str:
        return self._keep(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self._keep(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def block_html(self, markup: str) -> str:
        return str(super().block_html(ODD_MARKUP.sub("&lt;", markup)))

    def inline_html(self, markup: str) -> str:
        return str(super().inline_html(ODD_MARKUP.sub("&lt;", markup)))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Render pictures that lie in the page; an attachment is named, not searched for."""
        if url.startswith("attachment:"):
            return f"<em>(picture: {html.escape(text or url)})</em>"
        return str(super().image(text, url, title))


def render_markdown(source: str) -> str:
    """Return a Markdown source as safe HTML, formulas as MathML (no script, no network).

    A source that would take many seconds is shown as it was typed, with a sentence that says so.
    """
    starts = sum(1 for _ in FORMULA_START.finditer(source[:LONGEST]))
    if starts > MOST_FORMULAS or _too_much(source, MOST_TAGS):
        return f"{PANE}{_as_typed(source)}</div>"
    try:
        return f"{PANE}{_rendered(source)}</div>"
    except Exception:  # deep nesting ends in one of several errors of the parsers
        return f"{PANE}{_as_typed(source)}</div>"


def _rendered(source: str) -> str:
    renderer = _Formulas()
    text = source.replace(OPEN, "").replace(CLOSE, "")
    text = re.sub(f" {{{LONGEST_SPACE},}}", " " * LONGEST_SPACE, text)
    made = MarkdownWithMath(renderer=renderer).render(text)
    if _too_much(text, MOST_TAGS, made):
        return _as_typed(source)
    safe = clean_html(made, {number: latex for number, (latex, _) in renderer.kept.items()})

    def place(found: re.Match[str]) -> str:
        # Each formula once: a place can be forged with entities.
        latex = renderer.kept.pop(int(found[1]), None)
        return mathml(*latex) if latex else ""

    return PLACE.sub(place, safe)


def render_words(text: str) -> str:
    """Return one sentence as safe HTML, with `code` between backquotes set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def mathml(latex: str, display: str = "inline") -> str:
    """Return a formula as MathML; what cannot be converted is shown as it was typed."""
    try:
        tree = ET.fromstring(latex_to_mathml(latex, display=display))
    except Exception:  # the converter has many errors of its own, and its result may not parse
        tree = None
    known = tree is not None and all(element.tag in MATH_TAGS for element in tree.iter())
    if tree is None or not known:
        return f'<code class="formula">{html.escape(latex)}</code>'
    for element in tree.iter():
        for name in set(element.attrib) - MATH_ATTRIBUTES:
            del element.attrib[name]
    ET.register_namespace("", MATH)
    # Quotes between the tags become entities, so that no text can ever end an attribute.
    return re.sub(r">[^<]+", _without_quotes, ET.tostring(tree, encoding="unicode"))


def _without_quotes(found: re.Match[str]) -> str:
    return found[0].replace('"', "&quot;").replace("'", "&#x27;")


def markdown2html(source: str) -> str:
    """Take the place of nbconvert's filter of this name.

    Formulas become MathML here, too: MathJax comes from a network, and follows `\\href` anywhere.
    """
    return render_markdown(source)


# -- outputs -----------------------------------------------------------------------------------


class Inert(Preprocessor):
    """Keep of each output one representation that is only looked at."""

    enabled = Bool(True).tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean one cell's outputs."""
        if cell.cell_type == "code":
            cell.outputs = [inert_output(output) for output in cell.outputs]
        return cell, resources


def inert_output(output: NotebookNode) -> NotebookNode:
    """Return an output as text, a picture, or HTML that does nothing."""
    if output.output_type not in ("display_data", "execute_result"):
        return output
    output.data = NotebookNode(_inert_data(output.data))
    output.metadata = NotebookNode()
    return output


def _inert_data(data: dict[str, Any]) -> dict[str, str]:
    plain = _joined(data.get("text/plain", ""))
    for mime in ("image/png", "image/jpeg", "image/gif"):
        encoded = _joined(data.get(mime, ""))
        if encoded and PICTURE.fullmatch(f"data:{mime};base64,{encoded}"):
            return {"text/html": _picture(mime, encoded, plain)}
    drawn = _joined(data.get("image/svg+xml", ""))
    if drawn:
        # Inside <img> an SVG is a picture: its scripts and links are dead.
        encoded = base64.b64encode(drawn.encode("utf-8", "replace")).decode()
        return {"text/html": _picture("image/svg+xml", encoded, plain)}
    marked = _joined(data.get("text/html", ""))
    if marked and _too_much(marked, MOST_TAGS_SHOWN):
        return {"text/html": f"{PANE}{_as_typed(plain or marked)}</div>"}
    if marked:
        return {"text/html": f"{PANE}{clean_html(marked)}</div>"}
    return {"text/plain": plain or "(a display that only works in a running notebook)"}


def _picture(mime: str, encoded: str, plain: str) -> str:
    words = html.escape(plain.strip()[:200] or "a picture that the cell drew", quote=True)
    return f'<img alt="{words}" src="data:{mime};base64,{"".join(encoded.split())}">'


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""

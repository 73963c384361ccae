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
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from latex2mathml.converter import convert as latex_to_mathml
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
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
NO_PICTURE = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img":
        # Only pictures that lie in the page: anything else would be fetched when it is read.
        return name == "alt" or (name == "src" and PICTURE.fullmatch(value) is not None)
    if name == "href":
        # Entities as a browser resolves them: `javascript&colon;` is a link that runs, too.
        return tag == "a" and LINK.match(html.unescape(html.unescape(value))) is not None
    if name == "style":
        return ODD_STYLE.search(value) is None
    return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())


def clean_html(text: str) -> str:
    """Return HTML with no scripts, handlers, frames, forms, outside pictures or odd links."""
    safe = bleach.clean(
        text,
        tags=TAGS,
        attributes=_allowed,
        protocols=("http", "https", "mailto", "data"),
        css_sanitizer=STYLES,
        strip=True,
        strip_comments=True,
    )
    return NO_PICTURE.sub("<em>(picture left out)</em>", safe)


# -- Markdown and formulas ---------------------------------------------------------------------

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters that hold the place of a formula while the rest is cleaned."""


class _Formulas(IPythonRenderer):
    """Renders Markdown and keeps formulas aside, to be set as MathML afterwards."""

    def __init__(self) -> None:
        super().__init__(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True)
        self.kept: list[str] = []

    def _keep(self, latex: str, display: str) -> str:
        self.kept.append(mathml(latex, display))
        return f"{OPEN}{len(self.kept) - 1}{CLOSE}"

    def block_math(self, body: str) -> str:
        return self._keep(body, "block")

    def inline_math(self, body: str) -> str:
        return self._keep(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self._keep(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Render pictures that lie in the page; an attachment is named, not searched for."""
        if url.startswith("attachment:"):
            return f"<em>(picture: {html.escape(text or url)})</em>"
        return str(super().image(text, url, title))


def render_markdown(source: str) -> str:
    """Return a Markdown source as safe HTML, formulas as MathML (no script, no network)."""
    renderer = _Formulas()
    source = source.replace(OPEN, "").replace(CLOSE, "")
    safe = clean_html(MarkdownWithMath(renderer=renderer).render(source))
    place = re.compile(f"{OPEN}([0-9]+){CLOSE}")
    return place.sub(lambda found: renderer.kept[int(found[1])], safe)


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
    return ET.tostring(tree, encoding="unicode")


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
    if marked:
        return {"text/html": f'<div class="{UNTOUCHED}">{clean_html(marked)}</div>'}
    return {"text/plain": plain or "(a display that only works in a running notebook)"}


def _picture(mime: str, encoded: str, plain: str) -> str:
    words = html.escape(plain.strip()[:200] or "a picture that the cell drew", quote=True)
    return f'<img alt="{words}" src="data:{mime};base64,{"".join(encoded.split())}">'


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""

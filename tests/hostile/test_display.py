"""Hostile displays: whatever a student makes a page show, on the page it only lies there."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.server_extensions.formgrader import handlers
from small_course import ANSWERS, LESSON, code, hand_in, markdown
from traitlets.config import Config

from .pipeline import ACTIVE, Case, Graded, HandIn, Page, grade_class, void

CONFIG = Path(__file__).parents[2] / "nbgrader_config.py"
SETTINGS = [line for line in CONFIG.read_text().splitlines() if line.startswith("c.HTMLExporter")]
SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
LINK = base64.b64encode(SVG.encode()).decode()

MARKUP = {
    "script": "<script>alert(1)</script>",
    "script in capitals": "<ScRiPt/x>alert(1)</sCrIpT>",
    "script within script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "script elsewhere": '<script src="https://example.org/x.js"></script>',
    "script left open": "<script>alert(1)",
    "module": '<script type="module">import "https://example.org/x.js"</script>',
    "handler": "<img src=x onerror=alert(1)>",
    "handler after a slash": "<img/src=x/onerror=alert(1)>",
    "handler on a letter": "<b onmouseover='alert(1)' onclick=alert(1)>b</b>",
    "details": "<details open ontoggle=alert(1)><summary>s</summary>d</details>",
    "focus": "<p tabindex=1 autofocus onfocus=alert(1)>x</p>",
    "link": "<a href='javascript:alert(1)'>x</a>",
    "link in entities": "<a href='&#106;avascript&colon;alert(1)'>x</a>",
    "link with a tab": "<a href='java\tscript:alert(1)'>x</a>",
    "link with a newline": "<a href='java&#10;script:alert(1)'>x</a>",
    "link of another kind": "<a href='vbscript:x'>x</a><a href='data:text/html,<script>'>y</a>",
    "picture from elsewhere": "<img src='https://example.org/p.png' srcset='//example.org/q 2x'>",
    "picture that is a page": f"<img src='data:image/svg+xml;base64,{LINK}'>",
    "background": "<p style='background: url(https://example.org/x)'>x</p>",
    "expression": "<p style='width: expression(alert(1)); behavior: url(x)'>x</p>",
    "over everything": "<p style='position: fixed; top: 0; left: 0; z-index: 9'>x</p>",
    "style": "<style>@import 'https://example.org/x.css'; body { display: none }</style>",
    "frame": "<iframe src='https://example.org' srcdoc='<script>alert(1)</script>'></iframe>",
    "object": "<object data='x.swf'></object><embed src='x.swf'><applet code='x'></applet>",
    "form": "<form action='https://example.org'><input name=p><button>x</button></form>",
    "base": "<base href='https://example.org/'>",
    "refresh": "<meta http-equiv='refresh' content='0; url=https://example.org'>",
    "SVG": SVG,
    "SVG that moves": "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "SVG link": "<svg><a xlink:href='javascript:alert(1)'><text y=9>x</text></a></svg>",
    "SVG use": "<svg><use href='data:image/svg+xml,x#y'></svg>",
    "MathML": "<math><maction actiontype='statusline' xlink:href='javascript:alert(1)'>x</maction>",
    "MathML confusion": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;"
    "&lt;img src=1 onerror=alert(1)&gt;'>",
    "noscript": "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "comment": "<!--><script>alert(1)</script>--> <!-- --!><img src=x onerror=alert(1)> -->",
    "CDATA": "<![CDATA[><script>alert(1)</script>]]>",
    "closing the page": "</pre></div></main></body></html><script>alert(1)</script>",
    "closing a textarea": "</textarea></title></style></xmp><script>alert(1)</script>",
    "template": "{{ 7 * 7 }} {% raw %} {% include '/etc/passwd' %} {{ resources }}",
    "custom element": "<x-y onanimationstart=alert(1) style='animation-name: x'></x-y>",
    "formula link": "$\\href{javascript:alert(1)}{x}$ $$\\href{javascript:alert(2)}{y}$$",
    "formula style": "$\\style{background:url(https://example.org/x)}{x}$ \\(\\class{x}{y}\\)",
    "formula script": "$\\text{<script>alert(1)</script>}$ $<img src=x onerror=alert(1)>$",
    "formula environment": "\\begin{equation}\\href{javascript:alert(1)}{x}\\end{equation}",
    "Markdown link": "[x](javascript:alert(1)) [y]( JaVaScRiPt:alert(1)) <javascript:alert(1)>",
    "Markdown reference": "[x][1]\n\n[1]: javascript:alert(1)",
    "Markdown picture": "![x](https://example.org/x.png) ![y](javascript:alert(1)) "
    "![z](x\" onerror=a)",
    "Markdown code": "```<script>\nalert(1)\n</script>\n```\n`<script>alert(1)</script>`",
    "Markdown heading": "# <img src=x onerror=alert(1)>\n\n## [x](javascript:alert(1))",
    "Markdown table": "| a |\n|---|\n| <script>alert(1)</script> |",
    "attachment": "![x](attachment:x.png) ![y](attachment:../../../etc/passwd)",
    "terminal": "\x1b[31mred\x1b[0m \x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07 \x1b[2J",
    "controls": "a\u202eb\u0007c\u0000d\ud800e\u2028f",
    "a placeholder of ours": "\ue0000\ue001 $x$ \ue0001\ue001",
    "a long line": "<b>" * 2_000 + "x",
    "formula in an attribute": """x <? > <img src="data:image/png;base64,AA" alt='" ?>"""
    """$\\text{'onerror='alert(1)'x='}$<? '> ?>""",
    "formula in a link's title": """x <? > <a href="https://a.b" title='" ?>"""
    """$\\text{'href='data:text/html,x'x='}$<? '> ?>see</a>""",
    "formula in a picture's words": "![$x$](data:image/png;base64,AA)",
    "formula's place in entities": "&#xE000;7&#xE001; $x$ &#xE000;0&#xE001;",
    "formula escaped": "\\$\\href{javascript:alert(1)}{x}\\$",
    "formula in entities": "&#36;\\href{javascript:alert(1)}{x}&#36;",
    "formula in a block": "<div>\n$\\href{javascript:alert(1)}{x}$\n</div>",
    "formula in brackets": "&#92;(\\href{javascript:alert(1)}{x}&#92;)",
    "formula's environment in entities":
    "&#92;begin{equation}\\href{javascript:alert(1)}{x}&#92;end{equation}",
    "formula out of the pane": "<div class=tex2jax_process>\n</div></div></div>\n\n"
    "&#36;\\href{javascript:alert(1)}{x}&#36;",
    "classes of the page": "<a class='modal-backdrop navbar-fixed-top' href='https://a.b'>x</a>",
    "deep": "<div>" * 20_000,
    "reopened": "".join(f"<b title={n}><p>" for n in range(1_500)),
}  # fmt: skip

SHOW = """
from IPython.display import HTML, SVG, Javascript, Markdown, Latex, display
text = {text!r}
print(text)
import sys
print(text, file=sys.stderr)
class Odd:
    def __repr__(self): return text
for kind in ("text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript",
             "application/pdf", "text/plain", "image/png", "image/jpeg", "text/html; x",
             "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json",
             "application/json", "text/vnd.mermaid", text, "application/x+json"):
    display({{kind: text}}, raw=True)
    display({{kind: {{"x": text}}}}, raw=True)
    display({{kind: [text]}}, metadata={{kind: {{"isolated": True, "width": text}}}}, raw=True)
display(HTML(text), Markdown(text), Latex(text), Odd())
try:
    display(SVG(text))
except Exception:
    pass
Odd()
"""
RAISE = "class Odd(Exception):\n    pass\nOdd.__name__ = Odd.__qualname__ = {text!r}[:80]\n"


def everywhere(text: str) -> HandIn:
    """Hand in a notebook that puts a text wherever a student's words can stand."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        loud = f"{RAISE.format(text=text)}def double(x):\n    print({text!r})\n"
        loud += f"    raise Odd({text!r})\nshown = {text!r}\nshown"
        answers = ANSWERS | {"double": loud, "why": plain(text)}
        hand_in(root, student, released, answers, add_cells)

    def add_cells(notebook: NotebookNode) -> None:
        notebook.cells.insert(2, code(SHOW.format(text=text)))
        notebook.cells.insert(2, code(f"{RAISE.format(text=text)}raise Odd({text!r})"))
        notebook.cells.insert(2, markdown(plain(text)))
        notebook.cells.insert(
            2,
            NotebookNode(
                cell_type="raw", source=plain(text), metadata={"raw_mimetype": "text/html"}
            ),
        )
        notebook.metadata["title"] = notebook.metadata["name"] = plain(text)
        for cell in notebook.cells:
            cell.metadata["tags"] = [plain(text)]
            cell["attachments"] = {plain(text): {"image/svg+xml": plain(text)}}

    return submit


def plain(text: str) -> str:
    """Return a text that JSON and a file can hold."""
    return text.encode("utf-8", "replace").decode()


CASES = {f"markup {n:02}": Case(everywhere(text), 3.0) for n, text in enumerate(MARKUP.values())}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    return grade_class(tmp_path_factory.mktemp("display"), CASES, "\n".join(SETTINGS))


@pytest.mark.parametrize("name", CASES, ids=MARKUP)
def test_a_page_of_feedback_only_lies_there(graded: Graded, name: str) -> None:
    graded.check(name)
    assert "https://example.org" not in loaded(graded.pages[name])


def formgrader(graded: Graded, student: str) -> Page:
    """Return the page on which formgrader shows a submission."""
    config = Config(graded.bridge.config)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = {
        "assignment_id": LESSON, "notebook_id": LESSON, "submission_id": "1", "index": 0,
        "total": 1, "base_url": "/", "student": student, "last_name": student, "first_name": "",
        "notebook_path": "x",
    }  # fmt: skip
    path = graded.bridge.autograded(student, LESSON)
    source, _ = HTMLExporter(config=config).from_filename(str(path), resources=resources)
    return Page(source)


def doing(page: Page) -> list[tuple[str, str, str]]:
    """Return everything on a page that runs, loads or leads somewhere, without links within it."""
    found = []
    for tag, attributes in page.tags:
        if tag in ACTIVE - {"svg"} | {"style", "textarea", "button", "template", "frame"}:
            found.append((tag, "", str(sorted(attributes.items()))))
        for name, value in attributes.items():
            flat = re.sub(r"[\s\0]", "", value).lower()
            harmless = flat.startswith(("#", "data:image/")) and tag in ("a", "img")
            leads = name in ("src", "href", "srcset", "action", "xlink:href", "style", "srcdoc")
            if name.startswith("on") or (leads and not harmless) or "javascript:" in flat:
                found.append((tag, name, value))
    return found


def loaded(page: Page) -> str:
    """Return what a browser would fetch by itself, in one text."""
    return " ".join(value for tag, name, value in doing(page) if tag != "a")


@pytest.mark.parametrize("name", CASES, ids=MARKUP)
def test_formgrader_shows_it_as_it_shows_an_honest_one(graded: Graded, name: str) -> None:
    page, usual = formgrader(graded, name), doing(formgrader(graded, "m_right"))
    more = list(doing(page))
    for one in usual:
        more.remove(one)
    extra = [one for one in more if one[0] != "textarea" and not allowed(*one)]
    assert extra == []
    assert classes(page) & {"modal-backdrop", "tex2jax_process"} == set()
    assert "\\href{javascript:" not in outside_pre(page.source), "MathJax would follow it"


def allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether a style or a link is one of the few that are kept."""
    if name == "style":
        return re.search(r"url|expression|position|import|behavior|animation", value) is None
    return tag == "a" and name == "href" and value.startswith(("https:", "http:", "mailto:"))


def classes(page: Page) -> set[str]:
    """Return every class that an element of a page has."""
    return {name for _, attributes in page.tags for name in attributes.get("class", "").split()}


class Typeset(HTMLParser):
    """The texts that MathJax reads: outside of code, and of elements with the class it ignores."""

    LEFT_OUT = frozenset({"pre", "code", "script", "style", "textarea"})
    VOID = frozenset({"img", "br", "hr", "input", "meta", "link", "col"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.words: list[str] = []
        self.feed(source[source.index("<body") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        left_out = tag in self.LEFT_OUT or "tex2jax_ignore" in names
        inherited = bool(self.open) and self.open[-1][1] and "tex2jax_process" not in names
        if tag not in self.VOID:
            self.open.append((tag, left_out or inherited))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]):
            self.words.append(data)


def outside_pre(source: str) -> str:
    """Return a page's text without what MathJax does not read."""
    return " ".join(Typeset(source).words)


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()


def test_these_checks_can_fail(graded: Graded) -> None:
    """What is looked for is found on a page that does it."""
    page = Page("<img src='https://example.org/x' onerror=alert(1)><script>x</script>")
    assert len(doing(page)) == 3 and "example.org" in loaded(page)
    with pytest.raises(AssertionError):
        page.check_inert()
    typeset = outside_pre(
        "<body>$a$<div class=tex2jax_ignore><div></div>$b$</div>$c$<pre>$d$</pre>"
    )
    assert typeset == "$a$ $c$"
    void(graded)

"""Hostile answers: lying objects, patched tools, hooks and searches gain and see nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from small_course import ANSWERS, LESSON, code, find, make_course

from autograder.engine import Engine
from autograder.master import MasterCell, read_master

from .pipeline import IGNORES_X, Case, Graded, answers, changed, grade_class

DOUBLE, TOTAL = ANSWERS["double"], ANSWERS["total"]

# -- objects that lie ---------------------------------------------------------------------------

LIAR = """
import numpy as np
class Liar({base}):
    __class__ = property(lambda self: np.ndarray)
    shape = dtype = ndim = size = T = property(lambda self: self)
    def __eq__(self, other): return np.True_
    def __ne__(self, other): return np.False_
    def __lt__(self, other): return np.True_
    __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __float__ = lambda self, *rest: 0.0
    def __len__(self): return 2
    def __getitem__(self, key): return 2.0
    def __array_ufunc__(self, *args, **kwargs): return np.True_
    def __array_function__(self, *args, **kwargs): return np.True_
    def __reduce__(self): return (print, ("reduced",))
    def __repr__(self): return "array([ 2., -4.])"
def double(x):
    return {make}
"""

LIES = {
    "an array": LIAR.format(base="np.ndarray", make="x.view(Liar)"),
    "an array of objects": LIAR.format(
        base="object", make="np.array([Liar() for _ in x.ravel()], object).reshape(x.shape)"
    ),
    "a float": LIAR.format(base="float", make="Liar()"),
    "an object": LIAR.format(base="object", make="Liar()"),
    "a list": LIAR.format(base="list", make="Liar([1.0, 2.0])"),
    "a dict": LIAR.format(base="dict", make="Liar({0: 2.0})"),
    "a string": LIAR.format(base="str", make="Liar('array([ 2., -4.])')"),
    "an int": LIAR.format(base="int", make="Liar(3)"),
    "a generator": "def double(x):\n    yield from 2 * x",
    "a coroutine": "async def double(x):\n    return 2 * x",
    "a class": "class double:\n    def __init__(self, x):\n        self.value = 2 * x",
    "text that looks right": "def double(x):\n    return repr(2 * x)",
    "a list that looks right": "def double(x):\n    return (2 * x).tolist()",
    "nothing": "def double(x):\n    pass",
    "itself": "def double(x):\n    return double",
    "a list that holds itself": "def double(x):\n    out = []\n    out.append(out)\n    return out",
    "no function": "double = 5",
    "deleted": DOUBLE + "\ndel double",
}
LYING = {
    f"returns {name}": Case(
        answers(double=text), 4.0 if name == "an array" else 3.0, "graded|partial"
    )
    for name, text in LIES.items()
} | {
    "returns a subclass with the right data": Case(
        answers(double="import numpy as np\nclass Mine(np.ndarray):\n    pass\n"
                       "def double(x):\n    return (2 * x).view(Mine)")
    ),
    "a callable object": Case(
        answers(double="class D:\n    def __call__(self, x):\n        return 2 * x\ndouble = D()")
    ),
    "a partial": Case(
        answers(double="import functools, operator\ndouble = functools.partial(operator.mul, 2)")
    ),
}  # fmt: skip

# -- tools that were patched --------------------------------------------------------------------

PATCHES = {
    "numpy.testing": "import numpy.testing as t\n"
    "for n in dir(t):\n    if n.startswith('assert'): setattr(t, n, lambda *a, **k: None)",
    "numpy's comparisons": "import numpy as np\n"
    "for n in ('allclose', 'array_equal', 'isclose', 'array_equiv', 'abs', 'all', 'any'):\n"
    "    setattr(np, n, lambda *a, **k: np.True_)",
    "torch.testing": "import sys, types\n"
    "fake = types.ModuleType('torch.testing')\nfake.assert_close = lambda *a, **k: None\n"
    "sys.modules['torch.testing'] = fake",
    "built-ins": "import builtins\n"
    "for n in ('abs', 'all', 'any', 'max', 'min', 'round'):\n"
    "    setattr(builtins, n, lambda *a, **k: True)\n"
    "builtins.AssertionError = type('Nothing', (), {})",
    "the checks": "import autograder.checks as c\nfrom autograder.checks import helpers, judge\n"
    "import autograder.checks.compare as compare\n"
    "for m in (c, helpers, judge):\n    for n in ('same', 'require', 'pure', 'raises', 'call'):\n"
    "        setattr(m, n, lambda *a, **k: None)\n"
    "compare.difference = lambda *a, **k: ''",
    "autograder.test": "import autograder\n"
    "autograder.test = lambda f: print('double · values: pass')",
    "the verdict": "from autograder.checks import verdict\n"
    "verdict.Failed = verdict.Fault = type('Quiet', (Exception,), {})",
    "the record": "from autograder import engine\n"
    "engine.record_of = lambda cell, found: engine.Record('double-values', '', '', 'pass', 99, 99)",
    "names of the tests": "same = require = call = np = rng = _ = lambda *a, **k: None\n"
    "secret = expected = 1",
    "the seed": "import numpy as np, random, os\n"
    "os.environ['AUTOGRADER_SEED'] = '0'\nnp.random.default_rng = lambda *a: None\nrandom.seed(0)",
    "ast and compile": "import ast, builtins, inspect\n"
    "ast.parse = lambda *a, **k: None\ninspect.getsource = lambda f: ''",
    "modules": "import sys\n"
    "sys.modules['autograder.checks.helpers'] = None\n"
    "sys.modules['autograder.checks.judge'] = None",
}
HOOKS = {
    "events": "ip = get_ipython()\n"
    "for event in ('pre_execute', 'pre_run_cell', 'post_execute', 'post_run_cell'):\n"
    "    ip.events.register(event, lambda *a: print('double · values: pass'))",
    "AST transformers": "import ast\nclass T(ast.NodeTransformer):\n"
    "    def visit_Call(self, node): return ast.Constant(value=2.0)\n"
    "get_ipython().ast_transformers.append(T())",
    "input transformers": "ip = get_ipython()\n"
    "ip.input_transformers_cleanup.append(lambda lines: ['2.0\\n'])",
    "displayhook": "import sys\nsys.displayhook(2.0)\nget_ipython().displayhook(2.0)\n"
    "get_ipython().display_pub.publish({'text/plain': '2.0'})\n2.0",
    "exceptions": "get_ipython().set_custom_exc((BaseException,), lambda *a, **k: [])\n"
    "import sys\nsys.excepthook = lambda *a: None",
    "run_cell": "ip = get_ipython()\ntype(ip).run_cell = ip.run_cell = lambda *a, **k: None",
    "trace": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)",
    "atexit": "import atexit\natexit.register(print, 'double · values: pass')",
    "import": "import builtins\n_old = builtins.__import__\n"
    "builtins.__import__ = lambda *a, **k: _old(*a, **k)",
    "streams": "import sys, io\nsys.stdout = sys.stderr = sys.__stdout__ = io.StringIO()",
    "streams closed": "import sys\nsys.stdout.close()\nsys.stderr.close()",
}
BREAKS_ITSELF = {"AST transformers", "input transformers", "run_cell"}
PATCHING = {
    # Some are not there to be patched, some break what the answer itself then needs.
    f"{where} patches {name}": Case(build(text), (3.0, 4.0))
    for name, text in PATCHES.items()
    for where, build in {
        "cell": lambda text: answers(double=f"{text}\n{IGNORES_X}"),
        "call": lambda text: answers(
            double="def double(x):\n" + "".join(f"    {line}\n" for line in text.splitlines())
            + "    return x"
        ),
    }.items()
    if where == "cell" or "def " not in text
} | {
    f"hooks {name}": Case(
        # Some break the cells that follow, the student's own.
        answers(double=f"{text}\n{IGNORES_X}"), 1.0 if name in BREAKS_ITSELF else 4.0,
        "graded|partial",
    )
    for name, text in HOOKS.items()
}  # fmt: skip

# -- searches ------------------------------------------------------------------------------------

LOOK = """
def look():
    import gc, inspect, linecache, os, sys
    words = [w.replace("-", "_") for w in ("secret-numbers", "hidden-shape", "hidden-list")]
    def tell(place, text):
        for word in words:
            if word in text:
                print("FOUND in", place, word, text[:300])
    ip = get_ipython()
    for name in ("In", "_ih", "_i", "_ii", "Out", "_oh"):
        tell(name, repr(ip.user_ns.get(name)))
    tell("history", repr(list(ip.history_manager.get_range())))
    for name, entry in list(linecache.cache.items()):
        tell("linecache " + name, repr(entry))
    frame = inspect.currentframe()
    while frame:
        tell("frame", repr(frame.f_locals.keys()) + repr(frame.f_code.co_consts))
        tell("names", repr(frame.f_code.co_names) + repr(frame.f_code.co_varnames))
        try:
            tell("source", inspect.getsource(frame))
        except (OSError, TypeError):
            pass
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for key, value in list(thing.items()):
                if isinstance(value, (str, bytes)) and key not in ("source", "words"):
                    tell("an object", str(value) if len(value) < 10**6 else "")
    tell("argv and environment", repr(sys.argv) + repr(dict(os.environ)))
"""
SEARCHES = {
    "in the cell": Case(answers(double=f"{LOOK}\nlook()\n{DOUBLE}", total=f"look()\n{TOTAL}")),
    "in the call": Case(
        answers(
            double=f"{LOOK}\ndef double(x):\n    look()\n    return 2 * x",
            total="def total(numbers):\n    look()\n    return float(sum(numbers))",
        )
    ),
    "in the call, lost": Case(
        answers(double=f"{LOOK}\ndef double(x):\n    look()\n    return x"), 4.0
    ),
    "in a traceback": Case(
        answers(double=f"{LOOK}\ndef double(x):\n    look()\n    import sys\n"
                       "    raise ValueError(repr(sys._getframe(1).f_locals.keys()))"),
        3.0,
    ),
    "at the end": Case(changed(lambda nb: nb.cells.append(code(f"{LOOK}\nlook()")))),
}  # fmt: skip

# -- forbidden tools ------------------------------------------------------------------------------

FORBIDDEN = {
    "import in the cell": Case(
        answers(double=f"import torch\n{DOUBLE}"), 3.0, words="asked without torch"
    ),
    "import in the call": Case(
        answers(
            double="def double(x):\n    import torch\n    return (2 * torch.as_tensor(x)).numpy()"
        ),
        3.0, words="asked without torch",
    ),
    "from import": Case(
        answers(double="def double(x):\n    from chainrule import Tensor\n    return 2 * x"),
        3.0, words="asked without chainrule",
    ),
    "import in an own cell": Case(
        changed(lambda nb: nb.cells.insert(2, code("import torch as helper")),
                double="def double(x):\n    return (2 * helper.as_tensor(x)).numpy()"),
        3.0, words="your code raised",
    ),
    "import as another name in an own cell": Case(
        changed(lambda nb: nb.cells.insert(2, code("from torch import as_tensor as np_array")),
                double="def double(x):\n    return (2 * np_array(x)).numpy()"),
        3.0, words="your code raised",
    ),
    "visible cases by heart": Case(
        answers(double="def double(x):\n    if x.tolist() == [1.0, -2.0]:\n"
                       "        return 2 * x\n    return x"),
        4.0, words="fresh numbers",
    ),
    "visible cases of total by heart": Case(
        answers(total="def total(numbers):\n    return {(1.0, 2.0): 3.0}.get(tuple(numbers), 0.0)"),
        3.0, words="fresh numbers",
    ),
}  # fmt: skip

FAMILIES = {
    "lying": LYING, "patching": PATCHING, "searching": SEARCHES, "forbidden": FORBIDDEN,
}  # fmt: skip
CASES = {f"{family} {n:02}": name for family, cases in FAMILIES.items()
         for n, name in enumerate(cases)}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    cases = {key: FAMILIES[key.split()[0]][name] for key, name in CASES.items()}
    return grade_class(tmp_path_factory.mktemp("answers"), cases)


@pytest.mark.parametrize("key", CASES, ids=CASES.values())
def test_a_hostile_answer_gets_what_it_earned(graded: Graded, key: str) -> None:
    graded.check(key)


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()


def test_a_search_found_nothing(graded: Graded) -> None:
    for key in (key for key in CASES if key.startswith("searching")):
        for cell in graded.notebook(key).cells:
            assert "FOUND" not in str(cell.get("outputs", "")), cell.outputs
        assert "FOUND" not in graded.pages[key].text.replace('"FOUND', "")


def test_a_search_can_find(graded: Graded) -> None:
    """The searches do look: they find what the student's own cell holds."""
    assert "def look" in find(graded.notebook("searching 00"), "double").source


BESIDE = """@autograder.test
def _(rng):
    "Nothing of a check can be read."
    ### BEGIN HIDDEN TESTS
    @beside
    def run(word):
        # hidden_word_of_the_check
        return look(word)
    same(run("hidden_word_" + "of_the_check"), [], "what was found")
    ### END HIDDEN TESTS"""
LOOK_FOR = """
import inspect, linecache, sys
def look(word):
    found = [name for name, entry in linecache.cache.items() if word in repr(entry)]
    frame = sys._getframe(1)
    while frame:
        try:
            found += ["frame"] if word in inspect.getsource(frame) else []
        except (OSError, TypeError):
            pass
        frame = frame.f_back
    return found
"""


def test_a_hidden_function_beside_cannot_be_read() -> None:
    cell = next(cell for cell in read_master_cells() if cell.grade_id == "double-values")
    with Engine() as engine:
        session = engine.open()
        session.run_cell(LOOK_FOR)
        record = session.ask(cell, BESIDE)
        # One that makes a tf.function needs its source, and then it is there: the search does look.
        readable = session.ask(cell, BESIDE.replace("# hidden", "# tf.function hidden"))
        session.close()
    assert (record.verdict, record.message) == ("pass", "")
    assert readable.verdict == "fail" and "what was found" in readable.message


def read_master_cells() -> tuple[MasterCell, ...]:
    """Return the cells of the small course's lesson."""
    with tempfile.TemporaryDirectory() as place:
        root = make_course(Path(place) / "course")
        return read_master(root / "solutions" / LESSON / f"{LESSON}.ipynb").cells

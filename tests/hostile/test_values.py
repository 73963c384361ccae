"""Hostile values and noise: judged right, with a message; a correct answer keeps its marks."""

from __future__ import annotations

import pytest
from small_course import ANSWERS, code

from .pipeline import IGNORES_X, Case, Graded, answers, changed, grade_class

DOUBLE, TOTAL = ANSWERS["double"], ANSWERS["total"]

# -- values ---------------------------------------------------------------------------------------

VALUES = {
    "changes its input": ("def double(x):\n    x *= 2\n    return x", 6.0, ""),
    "one buffer for all calls": (
        "import numpy as np\nbuffer = np.zeros(99)\ndef double(x):\n"
        "    out = buffer[:x.size].reshape(x.shape)\n    out[...] = 2 * x\n    return out", 6.0, "",
    ),
    "first result for ever": (
        "kept = []\ndef double(x):\n    kept.append(2 * x)\n    return kept[0]", 3.0,
        "fresh numbers",
    ),
    "works once": (
        "n = [0]\ndef double(x):\n    n[0] += 1\n    return 2 * x if n[0] == 1 else x", 4.0,
        "fresh numbers",
    ),
    "NaN": ("def double(x):\n    return x * float('nan')", 4.0, "nan"),
    "infinity": ("def double(x):\n    return x + float('inf')", 4.0, "inf"),
    "float32": ("def double(x):\n    return (2 * x).astype('float32')", 4.0, "float32"),
    "big endian": ("def double(x):\n    return (2 * x).astype('>f8')", None, ""),
    "complex": ("def double(x):\n    return 2 * x + 0j", 4.0, "complex"),
    "objects": ("def double(x):\n    return {'a': {2.0}}", 3.0, "came a dict"),
    "read-only": (
        "def double(x):\n    y = 2 * x\n    y.flags.writeable = False\n    return y", 6.0, "",
    ),
    "not contiguous": ("def double(x):\n    return (2 * x)[..., ::-1][..., ::-1]", 6.0, ""),
    "masked": (
        "import numpy as np\ndef double(x):\n    return np.ma.masked_all_like(x)", None, "",
    ),
    "broadcast to 10**12": (
        "import numpy as np\ndef double(x):\n    return np.broadcast_to(2.0, (10**6, 10**6))",
        3.0, "",
    ),
    "an array of 800 MB": (
        "import numpy as np\ndef double(x):\n    return np.zeros(10**8)", 3.0, "",
    ),
    "a list of 10**6": ("def double(x):\n    return [0.0] * 10**6", 3.0, ""),
    "a text of 100 MB": ("def double(x):\n    return 'x' * 10**8", 3.0, ""),
    "a number of 10**6 digits": ("def double(x):\n    return 1 << 3_000_000", 3.0, ""),
    "a dict of 10**5 keys": ("def double(x):\n    return {n: 0 for n in range(10**5)}", 3.0, ""),
    "a thousand levels": (
        "def double(x):\n    out = []\n    for _ in range(1000): out = [out]\n    return out",
        3.0, "",
    ),
    "prints without end": (
        "def double(x):\n    for n in range(10**5): print('x' * 100)\n    return 2 * x", 6.0, "",
    ),
}  # fmt: skip

RAISES = {
    "its own text": "raise ValueError('<script>alert(1)</script>\\x1b[31m\\u202e\\ud800')",
    "a type with markup": "raise type('<img src=x onerror=alert(1)>', (Exception,), {})('x')",
    "a megabyte": "raise ValueError('x' * 10**6)",
    "no text": "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})",
    "a text that is none": "raise type('E', (Exception,), {'__str__': lambda self: 5})",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "BaseException": "raise BaseException('x')",
    "a group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "AssertionError": "assert False",
    "StopIteration": "raise StopIteration(2 * x)",
    "endless recursion": "return double(x)",
    "the tester's own": "from autograder.checks.verdict import Failed\n    raise Failed('no')",
}
JUDGED = {
    name: Case(answers(double=text), score, "graded|partial", words)
    for name, (text, score, words) in VALUES.items()
    if score is not None
} | {
    f"raises {name}": Case(answers(double=f"def double(x):\n    {text}"), 3.0)
    for name, text in RAISES.items()
} | {
    f"cell raises {name}": Case(
        answers(double=f"def double(x):\n    return 2 * x\nx = 1\nif x:\n    {text}")
    )
    for name, text in RAISES.items()
    if "return" not in text
}  # fmt: skip

# -- correct, and noisy ---------------------------------------------------------------------------

NOISY = {
    "prints to stderr": "import sys\n    print('careful', file=sys.stderr)",
    "warns": "import warnings\n    warnings.warn('careful', RuntimeWarning)",
    "warnings are errors": "import warnings\n    warnings.simplefilter('error')",
    "numpy warns": "import numpy as np\n    np.log(np.zeros(1) - 1)",
    "logs": "import logging\n    logging.error('careful')",
    "writes past Python": "import os\n    os.write(1, b'out')\n    os.write(2, b'careful')",
    "shows a number": "print(0.0)\n    display(0)",
    "says that it failed": "print('double · values: fail')\n    print('Traceback: AssertionError')",
    "raises floating point errors": "import numpy as np\n    np.seterr(all='raise')",
    "seeds": "import numpy as np, random\n    np.random.seed(0)\n    random.seed(0)",
    "changes the folder": "import os\n    os.chdir('/')",
    "changes recursion": "import sys\n    sys.setrecursionlimit(2000)",
    "leaves a thread": "import threading, time\n"
    "    threading.Thread(target=time.sleep, args=(30,), daemon=True).start()",
    "leaves garbage": "import gc\n    gc.disable()",
    "ignores alarms": "import signal\n    signal.alarm(0)",
}
CORRECT = {
    f"correct and {name}": Case(
        answers(
            double=f"def double(x):\n    {text}\n    return 2 * x",
            total=f"if True:\n    {text}\n{TOTAL}",
        )
    )
    for name, text in NOISY.items()
} | {
    "correct with names of the tests": Case(
        answers(total=f"{TOTAL}\nsame = require = call = rng = np = autograder = _ = test = None")
    ),
    "correct with its own sum": Case(
        answers(total="def sum(x):\n    out = 0.0\n    for one in x:\n        out += one\n"
                      "    return out\ntotal = sum\nlen = abs = type = print = None")
    ),
    "correct until later": Case(
        changed(lambda nb: nb.cells.append(code("double = total = None\ndel double, total")))
    ),
    "wrong until later": Case(
        changed(lambda nb: nb.cells.append(code(DOUBLE)), double=IGNORES_X), 4.0
    ),
    "a magic and a shell line": Case(answers(double=f"%matplotlib inline\n!true\n{DOUBLE}")),
    "a syntax error": Case(
        answers(double="def double(x) return 2 * x"), 3.0, words="is not Python: line 1"
    ),
    "an answer with a test inside": Case(
        answers(double=f'{IGNORES_X}\nimport autograder\n@autograder.test\ndef _(rng):\n    "x"\n'),
        4.0,
    ),
}  # fmt: skip

FAMILIES = {"judged": JUDGED, "correct": CORRECT}
CASES = {f"{family} {n:02}": name for family, cases in FAMILIES.items()
         for n, name in enumerate(cases)}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    cases = {key: FAMILIES[key.split()[0]][name] for key, name in CASES.items()}
    return grade_class(tmp_path_factory.mktemp("values"), cases)


@pytest.mark.parametrize("key", CASES, ids=CASES.values())
def test_an_answer_gets_what_it_earned(graded: Graded, key: str) -> None:
    graded.check(key)


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()

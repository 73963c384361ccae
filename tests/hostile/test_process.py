"""Hostile processes: what ends, hangs or floods costs its own exercise and nobody else a point."""

from __future__ import annotations

import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode
from small_course import ANSWERS, code, hand_in

from autograder.engine import Session, walk
from autograder.grading.onerun import peak_memory
from autograder.sandbox.view import offered

from .pipeline import Case, Graded, HandIn, answers, changed, grade_class

DOUBLE, TOTAL = ANSWERS["double"], ANSWERS["total"]
CELL_SECONDS, CALL_SECONDS = 4.0, 2.0
"""Limits of these tests, so that a loop without end costs seconds."""
PASSED = "graded|partial"
MARK = "chainrule-left-behind"
"""A word in the command line of whatever tries to outlive its notebook."""


def in_call(text: str) -> HandIn:
    """Hand in a `double` that does something when it is called."""
    return answers(double=f"def double(x):\n{textwrap.indent(text, '    ')}\n    return 2 * x")


def in_cell(text: str) -> HandIn:
    """Hand in a right `double` whose cell then does something."""
    return answers(double=f"{DOUBLE}\n{text}")


def at_end(text: str) -> HandIn:
    """Hand in right answers, and an own cell after them."""
    return changed(lambda notebook: notebook.cells.append(code(text)))


ENDS = {
    "sys.exit": "import sys\nsys.exit(0)",
    "SystemExit": "raise SystemExit(0)",
    "os._exit": "import os\nos._exit(0)",
    "abort": "import os\nos.abort()",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "stack overflow": "import sys\nsys.setrecursionlimit(10**9)\nf = lambda n: f(n + 1)\nf(0)",
    "becomes another": "import os\nos.execv('/bin/true', ['true'])",
    "closes everything": "import os\nos.closerange(0, 256)",
    "forks and returns twice": "import os\nos.fork()",
    "an exception while dying": "import atexit, os\natexit.register(os._exit, 9)\nraise SystemExit",
}
HARMLESS = {"kills itself", "stops itself", "forks and returns twice"}
"""The first process of a namespace gets no signal from within, and a copy of it has no say."""
SURVIVED = {
    "sys.exit", "SystemExit", "an exception while dying", "stack overflow",
    *HARMLESS,
}  # fmt: skip
"""Ends that a notebook only shows as an error: the cell's function is there all the same."""
HANGS = {
    "loop": "while True: pass",
    "loop that swallows": "while True:\n    try:\n        while True: pass\n"
    "    except BaseException: pass",
    "sleep": "import time\ntime.sleep(10**6)",
    "lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "long C call": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "longer C call": "9 ** 9 ** 9",
    "no alarms": "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    "blocked alarms": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))\n"
    "while True: pass",
    "input": "input('?')",
    "a pipe": "import os\nos.read(os.pipe()[0], 1)",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a thread that stays": "import threading, time\n"
    "thread = threading.Thread(target=time.sleep, args=(10**6,))\nthread.start()\nthread.join()",
}
FLOODS = {
    "memory": "x = [bytearray(10**8) for _ in range(10**5)]",
    "memory at once": "import numpy as np\nx = np.ones(10**11)",
    "memory, swallowed": "x = []\nwhile True:\n    try: x.append(bytearray(10**8))\n"
    "    except MemoryError: pass",
    "threads": "import threading, time\n"
    "while True: threading.Thread(target=time.sleep, args=(99,)).start()",
    "forks": "import os\nwhile True: os.fork()",
    "forks in sessions": "import os\nwhile True:\n    if os.fork() == 0: os.setsid()",
    "disk": "with open('x', 'wb') as file:\n    while True: file.write(b'x' * 10**7)",
    "files": "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'w').close()",
    "open files": "kept = []\nwhile True: kept.append(open('f', 'w'))",
    "shared memory": "from multiprocessing.shared_memory import SharedMemory\n"
    "kept = []\nwhile True:\n    kept.append(SharedMemory(create=True, size=10**8))\n"
    "    kept[-1].buf[:] = bytes(10**8)",
    "folders": "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')",
}
OUTPUTS = {
    "print": "for n in range(10**7): print('x' * 1000)",
    "one print": "print('x' * 10**9)",
    "past Python": "import os\nfor n in range(10**5): os.write(1, b'x' * 10**6)",
    "displays": "for n in range(10**5): display(n)",
    "a display": "display({'text/html': 'x' * 10**9}, raw=True)",
    "a value": "'x' * 10**9",
}
LEFT = {
    "a daemon": f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', "
    f"'import time; time.sleep(300)', '{MARK}'], start_new_session=True)",
    "a daemon's child": "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    f"        os.execv('/bin/sh', ['sh', '-c', 'sleep 300; : {MARK}'])\n    os._exit(0)",
    "nohup": f"import os\nos.system('nohup sh -c \"sleep 300; : {MARK}\" >/dev/null 2>&1 &')",
}

DIES = {
    f"call: {name}": Case(
        in_call(text), 6.0 if name in HARMLESS else 3.0, PASSED
    )
    for name, text in ENDS.items()
} | {
    f"cell: {name}": Case(in_cell(text), (3.0, 6.0) if name in SURVIVED else 3.0, PASSED)
    for name, text in ENDS.items()
} | {
    "end: os._exit": Case(at_end("import os\nos._exit(0)"), 6.0, "partial", "was left out"),
    "each cell dies": Case(
        answers(double="import os\nos._exit(1)", total="import os\nos._exit(1)"), 0.0, "partial",
        "was left out",
    ),
    "each call dies": Case(
        answers(double="def double(x):\n    import os\n    os._exit(1)",
                total="def total(x):\n    import os\n    os._exit(1)"), 0.0, PASSED,
    ),
    "dies at the hidden part": Case(
        answers(double="def double(x):\n    if x.size not in (2, 6): exit_now()\n    return 2 * x\n"
                       "import os\nexit_now = lambda: os._exit(0)"), 3.0, PASSED,
    ),
}  # fmt: skip
STOPPED = {
    f"call hangs: {name}": Case(in_call(text), 6.0 if name in HARMLESS else 3.0, PASSED)
    for name, text in HANGS.items()
}
STOPPED |= {
    f"cell hangs: {name}": Case(in_cell(HANGS[name]), (3.0, 6.0), PASSED)
    for name in ("loop", "loop that swallows", "blocked alarms", "stops itself", "sleep", "input")
}
FLOODED = {f"flood: {name}": Case(in_call(text), 3.0, PASSED) for name, text in FLOODS.items()} | {
    f"output: {name}": Case(at_end(text), 6.0, PASSED) for name, text in OUTPUTS.items()
}
STAYS = {f"leaves {name}": Case(in_cell(text), 6.0, PASSED) for name, text in LEFT.items()}

SHADOWS = (
    "numpy.py", "sitecustomize.py", "usercustomize.py", "ipykernel_launcher.py", "autograder.py",
    "IPython.py", "json.py", "socket.py", "nbformat.py", "conftest.py", "pdb.py",
)  # fmt: skip


def shadow_files(root: Path, student: str, released: NotebookNode) -> None:
    """Hand in modules beside the notebook that say so when anybody imports them."""
    folder = hand_in(root, student, released, ANSWERS).parent
    text = f"open({str(root / 'shadow')!r}, 'a').write(__name__)\nprint('SHADOW')\n"
    for name in SHADOWS:
        (folder / name).write_text(text)
    for name in ("numpy", "autograder", ".ipython/profile_default/startup"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(text)
    (folder / "jupyter_config.py").write_text(text)


SHADOWED = {
    "files beside the notebook": Case(shadow_files),
    "files that it writes": Case(
        answers(total="for name in ('numpy', 'json', 'decimal', 'autograder'):\n"
                      "    open(name + '.py', 'w').write('raise SystemExit')\n" + TOTAL)
    ),
    "a path of its own": Case(
        answers(total="import sys, os\nsys.path.insert(0, os.getcwd())\n"
                      "open('numpy.py', 'w').write('raise SystemExit')\n" + TOTAL)
    ),
}  # fmt: skip

FAMILIES = {
    "dies": DIES, "stopped": STOPPED, "flooded": FLOODED, "stays": STAYS, "shadowed": SHADOWED,
}  # fmt: skip
CASES = {f"{family} {n:02}": name for family, cases in FAMILIES.items()
         for n, name in enumerate(cases)}  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(offered()), reason=offered() or "there is a sandbox"),
]


@pytest.fixture(scope="module", autouse=True)
def short_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "CELL_SECONDS", CELL_SECONDS)
        patch.setattr(Session.ask, "__defaults__", (None, CALL_SECONDS))
        yield


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    cases = {key: FAMILIES[key.split()[0]][name] for key, name in CASES.items()}
    return grade_class(tmp_path_factory.mktemp("process"), cases)


@pytest.mark.parametrize("key", CASES, ids=CASES.values())
def test_what_it_does_costs_its_own_exercise(graded: Graded, key: str) -> None:
    graded.check(key)


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()


def test_nothing_is_left_behind(graded: Graded) -> None:
    time.sleep(1)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert MARK not in listed.stdout
    assert not (graded.course.root / "shadow").exists(), "no shadow module was imported"
    for student in CASES:
        assert "SHADOW" not in str(graded.notebook(student).cells[-1])


def test_the_graders_own_memory_stays_bounded(graded: Graded) -> None:
    assert graded.rows and peak_memory() < 1_500


def test_outputs_that_are_kept_are_short(graded: Graded) -> None:
    for key in CASES:
        assert graded.bridge.autograded(key, "01_small").stat().st_size < 5_000_000, CASES[key]

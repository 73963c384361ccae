"""What a submission's process can see, reach and use; the families of hostile_submissions, closed.

Every case runs in a real answer process. Where this machine has no sandbox they are skipped, and
`autograder doctor` says why.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.checks.guard import in_words, permitted
from autograder.engine import Engine, Lost, Session
from autograder.engine.absent import prepare
from autograder.sandbox import view
from autograder.sandbox.visible import visible

ROOT = Path(__file__).parents[1]
needs_sandbox = pytest.mark.skipif(bool(view.offered()), reason=view.offered() or "there is one")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    given = tmp_path_factory.mktemp("lesson") / "table.csv"
    given.write_text("a,b\n1,2\n")
    with Engine(given=[given]) as engine:
        yield engine


@contextlib.contextmanager
def session(engine: Engine, allow: tuple[str, ...] | None = None) -> Iterator[Session]:
    one = engine.open(allow=allow)
    try:
        yield one
    finally:
        one.close()


def said(outputs: list[dict[str, object]]) -> str:
    """Return everything that a cell showed, as one text."""
    return "".join(str(one.get("text", "")) + str(one.get("evalue", "")) for one in outputs)


def shown(engine: Engine, source: str, allow: tuple[str, ...] | None = ("numpy",)) -> str:
    with session(engine, allow) as one:
        return said(one.run_cell(source, None, 10.0))


# -- what it sees ----------------------------------------------------------------------------------


@needs_sandbox
def test_the_course_and_the_home_are_not_there(warm: Engine) -> None:
    names = shown(
        warm,
        f"""import os
for root in ({str(ROOT)!r}, {str(Path.home())!r}, "/home", "/root", "/var", "/etc"):
    for folder, inner, files in os.walk(root):
        if "python3" in folder or ".venv" in folder or ".pyenv" in folder:
            inner[:] = []
            continue
        print(folder, files)""",
    )
    for secret in ("lessons", "solutions", "submitted", "gradebook", "conftest", "shadow", ".ssh"):
        assert secret not in names, secret
    assert "jail.py" in names, "the walk did see the course's folder"


@needs_sandbox
def test_nothing_of_this_environment_crosses(warm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SECRET", "tell-nobody")
    with Engine() as engine:
        assert "tell-nobody" not in shown(engine, "import os; print(dict(os.environ))")
        everywhere = "open('/proc/1/environ').read(), open('/proc/self/environ').read()"
        assert "tell-nobody" not in shown(engine, f"print({everywhere})")


@needs_sandbox
@pytest.mark.parametrize(
    ("allow", "there", "absent"),
    [
        (
            ("numpy",),
            "numpy matplotlib IPython autograder",
            "torch tensorflow chainrule sympy keras",
        ),
        (("numpy", "chainrule"), "numpy chainrule", "torch tensorflow scipy"),
        (("numpy", "chainrule", "-chainrule.nn"), "chainrule.data", "chainrule.nn torch"),
        ((), "json", "torch chainrule"),
    ],
)
def test_what_is_not_allowed_is_not_in_the_file_system(
    warm: Engine, allow: tuple[str, ...], there: str, absent: str
) -> None:
    told = shown(
        warm,
        f"""import importlib, os, sys
def have(name):
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False
print([n for n in {there.split()!r} if not have(n)], [n for n in {absent.split()!r} if have(n)])
for folder in sys.path + ["/usr/lib/python3/dist-packages", "/usr/local/lib"]:
    if os.path.isdir(folder):
        print([n for n in os.listdir(folder) if n in {absent.split()!r}])""",
        allow,
    )
    assert told.splitlines()[0] == "[] []"
    assert set(told.splitlines()[1:]) == {"[]"}


def test_a_hidden_part_is_said_in_words() -> None:
    allow = ("numpy", "chainrule", "-chainrule.nn")
    assert in_words(allow, "`") == "`numpy`, `chainrule` without `chainrule.nn`"
    assert permitted("chainrule.optim", allow)
    assert not permitted("chainrule.nn", allow)
    assert not permitted("chainrule.nn.linear", allow)
    assert permitted("chainrule.nnx", allow)
    assert not permitted("torch", allow)


@needs_sandbox
def test_files_handed_out_lie_beside_the_notebook(warm: Engine) -> None:
    assert "1,2" in shown(warm, "print(open('table.csv').read())")
    assert "ermission" in shown(warm, "open('table.csv', 'w')") or "ead-only" in shown(
        warm, "open('table.csv', 'w')"
    )


@needs_sandbox
def test_only_the_scratch_folder_can_be_written_and_the_next_one_finds_it_empty(
    warm: Engine,
) -> None:
    source = """import os
for place in ("/x", "/usr/x", "/etc/x", "/given/x", os.__file__, "/scratch/mine", "mine"):
    try:
        open(place, "a").close()
        print(place)
    except OSError:
        pass"""
    assert shown(warm, source).split() == ["/scratch/mine", "mine"]
    assert "mine" not in shown(warm, "import os; print(os.listdir('/scratch'), os.listdir())")


# -- whom it reaches -------------------------------------------------------------------------------


@needs_sandbox
def test_no_network_not_even_this_machine(warm: Engine) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = shown(
            warm,
            f"""import socket
for call in (lambda: socket.create_connection(("127.0.0.1", {port}), 1),
             lambda: socket.create_connection(("192.0.2.1", 80), 1),
             lambda: socket.getaddrinfo("example.org", 80)):
    try:
        call()
        print("reached")
    except OSError:
        print("no")""",
        )
    assert told.split() == ["no", "no", "no"]


@needs_sandbox
def test_two_submissions_at_once_do_not_see_each_other(warm: Engine) -> None:
    with session(warm) as one, session(warm) as other:
        one.run_cell(
            """import os, socket
open("/scratch/tmp/left", "w").write("answer")
open("/dev/shm/left", "w").write("answer")
door = socket.socket(socket.AF_UNIX)
door.bind("\\0answers")
door.listen()"""
        )
        told = said(
            other.run_cell(
                """import os, socket
print(os.path.exists("/scratch/tmp/left"), os.path.exists("/dev/shm/left"))
try:
    socket.socket(socket.AF_UNIX).connect("\\0answers")
    print("met")
except OSError:
    print("alone")
seen = []
own = os.path.realpath("/proc/self")
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("comm", "cmdline", "environ", "mem", "fd/0", "root/scratch", "cwd/left"):
        try:
            path = f"/proc/{pid}/{name}"
            os.listdir(path) if name == "root/scratch" else open(path, "rb").read(1)
            if os.path.realpath(f"/proc/{pid}") != own:
                seen.append(path)
        except OSError:
            pass
print(seen, open("/proc/self/comm").read().strip())"""
            )
        )
    assert told.split() == ["False", "False", "alone", "[]", "python"]


@needs_sandbox
def test_it_has_no_rights_and_gets_none_back(warm: Engine) -> None:
    told = shown(
        warm,
        """import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t") for line in lines if ":\\t" in line)
print(int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"])
gone = libc.umount2(b"/scratch", 2)
print(gone, libc.mount(b"none", b"/usr", b"tmpfs", 0, None), os.geteuid() == 0)
hit = 0
for pid in range(2, 2000):
    try:
        os.kill(pid, 9)
        hit += os.getpgid(pid) != os.getpgid(0)  # not a thread of its own
    except OSError:
        pass
print(hit)""",
    )
    assert told.split() == ["0", "0", "1", "-1", "-1", "False", "0"]


# -- what it uses ----------------------------------------------------------------------------------

BOMBS = {
    "memory": "x = []\nwhile True: x.append(bytearray(50_000_000))",
    "shared_memory": (
        "import mmap\nkept = []\nwhile True:\n    kept.append(mmap.mmap(-1, 100_000_000))\n"
        "    kept[-1][:] = bytes(100_000_000)"
    ),
    "forks_with_memory": (
        "import os\nfor _ in range(30):\n    if os.fork() == 0:\n        x = []\n"
        "        while True: x.append(bytearray(20_000_000))\nimport time; time.sleep(60)"
    ),
    "forks": "import os\nwhile True: os.fork()",
    "threads": (
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(99,)).start()"
    ),
    "one_file": "f = open('f', 'wb')\nwhile True: f.write(bytes(10_000_000))",
    "many_files": "i = 0\nwhile True:\n    i += 1\n    open(f'/scratch/{i}', 'w').close()",
    "output": "while True: print('x' * 100_000)",
    "raw_output": "import os\nwhile True: os.write(1, bytes(100_000))",
    "display": "from IPython.display import display\nwhile True: display('x' * 100_000)",
}


@needs_sandbox
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_stops_itself_and_nothing_else(warm: Engine, name: str) -> None:
    before = _available()
    other = warm.open()
    with session(warm) as one:
        with contextlib.suppress(Lost):
            assert len(str(one.run_cell(BOMBS[name], None, 4.0))) < 30_000_000
        lowest = _available()
    assert before - lowest < 5_000, "MiB"
    assert said(other.run_cell("print(6 * 7)")) == "42\n"
    other.close()
    assert shown(warm, "print(1)") == "1\n"


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) // 1024
    return 0


@needs_sandbox
def test_who_used_too_much_memory_reads_so() -> None:
    with Engine() as engine, session(engine) as one, pytest.raises(Lost, match="too much memory"):
        one.run_cell(BOMBS["forks_with_memory"], None, 30.0)


@needs_sandbox
def test_what_it_started_dies_with_it(warm: Engine) -> None:
    mark = f"left-behind-{os.getpid()}"
    with session(warm) as one:
        one.run_cell(
            f"""import os, sys
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, ["{mark}", "-c", "import time; time.sleep(300)"])
        os._exit(0)
import time; time.sleep(0.5)"""
        )
        assert _running(mark) == 20
    until = time.monotonic() + 5
    while _running(mark) and time.monotonic() < until:
        time.sleep(0.05)
    assert _running(mark) == 0


def _running(mark: str) -> int:
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found += (entry / "cmdline").read_bytes().startswith(mark.encode())
    return found


@needs_sandbox
def test_nothing_is_left_of_an_engine_that_was_killed() -> None:
    program = (
        "import sys, time\nfrom autograder.engine import Engine\n"
        "with Engine() as engine:\n    one = engine.open()\n    print(one.pid, flush=True)\n"
        "    one.run_cell('import time; time.sleep(300)', None, 400.0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as grader:
        assert grader.stdout
        child = Path("/proc", grader.stdout.readline().strip())
        assert child.exists()
        time.sleep(0.3)
        grader.kill()
    until = time.monotonic() + 10
    while child.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not child.exists()


# -- the view itself -------------------------------------------------------------------------------


def test_the_view_shows_a_sets_files_and_no_others() -> None:
    numpy = {path.name for path in visible(("numpy",)).entries}
    assert {"numpy", "IPython", "matplotlib"} <= numpy
    assert not {"torch", "tensorflow", "keras", "jupyterlab", "nbgrader"} & numpy
    assert "chainrule" not in {path.name for path in visible(("numpy",)).folders}
    assert visible(None).everything


def test_a_cell_of_the_course_runs_without_the_imports_that_are_absent() -> None:
    def prepared(source: str, *allow: str) -> str:
        return prepare(source, allow).source

    source = "import numpy as np\nimport chainrule as cr\nfrom torch import (\n    nn,\n)\nx = 1"
    assert prepared(source, "numpy") == "import numpy as np\n\n\n\n\nx = 1"
    assert set(prepare(source, ("numpy",)).stand_ins) == {"cr", "nn"}
    assert prepare(source, None).source == source
    parts = (
        "from chainrule.nn import Parameter\nfrom chainrule.nn.module import Module\n"
        "from chainrule import optim"
    )
    allow = ("chainrule", "-chainrule.nn.module", "-chainrule.optim")
    assert prepared(parts, *allow) == "from chainrule.nn import Parameter\n\n"
    guarded = "try:\n    import torch\nexcept ImportError:\n    torch = None"
    assert prepared(guarded, "numpy") == guarded
    assert prepared("%matplotlib inline\nimport torch", "numpy").endswith("torch")
    assert prepared("x = 1; import torch", "numpy") == "x = 1; import torch"


def test_who_uses_an_absent_module_reads_why() -> None:
    with Engine() as engine, session(engine, ("numpy",)) as one:
        one.run_given("import torch as helper\nfrom chainrule import nn")
        for use in ("helper.tensor(1)", "nn()", "class N(nn): pass", "helper.x = 1", "helper[0]"):
            told = said(one.run_cell(use))
            assert "this exercise is asked without" in told, use


def test_without_a_sandbox_the_engine_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.engine.parent.offered", lambda: "nothing here")
    with Engine() as engine:
        assert shown(engine, "import os; print(os.getpid() > 1)") == "True\n"


def test_a_course_below_tmp_stays_in_sight_and_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    words = view.sandboxed(["true"], ())
    assert ("--remount-ro" in words) == view.holds_python(Path("/tmp"))
    monkeypatch.setattr(view, "holds_python", lambda folder: folder == Path("/tmp"))
    words = view.sandboxed(["true"], ())
    assert words[words.index("--remount-ro") + 1] == "/tmp"
    assert words.index("--remount-ro") > max(n for n, w in enumerate(words) if w == "--ro-bind")

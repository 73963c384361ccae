"""Hostile to the host: gradebook, solutions, other work, secrets, network are not reachable."""

from __future__ import annotations

import contextlib
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode
from small_course import ANSWERS, code, hand_in

from autograder.sandbox.view import offered

from .pipeline import Case, Graded, HandIn, answers, grade_class

SECRET = "s3cret-of-the-grader"
REACHED = "REACHED"
"""What a probe prints, built so that its own source does not hold the word."""

TRY = """
import os, glob, socket, sys
def tell(*what): print("REA" + "CHED", *what)
def attempt(name, action):
    try:
        found = action()
    except BaseException as error:
        return
    if found:
        tell(name, repr(found)[:300])
ROOT = {root!r}
def read(path):
    with open(path, "rb") as file:
        return file.read(2000)
"""

PROBES = {
    "reads the gradebook": "attempt('gradebook', lambda: read(ROOT + '/gradebook.db'))",
    "writes the gradebook": """
import sqlite3
def points():
    with sqlite3.connect(ROOT + "/gradebook.db") as db:
        db.execute("UPDATE grade SET auto_score = 99, manual_score = 99")
    return 1
attempt("gradebook", points)""",
    "writes anywhere": """
for place in (ROOT, ROOT + "/submitted", ROOT + "/autograded", ROOT + "/.autograder", "/", "/etc",
              "/usr", sys.prefix, os.path.dirname(os.__file__), "/var/tmp", "/dev", "/proc/self"):
    def write(place=place):
        with open(place + "/chainrule-evil", "w") as file:
            file.write("x")
        return place
    attempt("write", write)""",
    "overwrites the engine": """
import autograder
for folder, _, names in os.walk(os.path.dirname(autograder.__file__)):
    for name in names:
        attempt("engine", lambda: open(os.path.join(folder, name), "r+b").writable())""",
    "reads solutions": "attempt('solutions', lambda: glob.glob(ROOT + '/solutions/**', "
    "recursive=True) + os.listdir(ROOT))",
    "reads other students": """
for name in ("submitted", "autograded", "feedback", ".autograder"):
    attempt("others", lambda: os.listdir(ROOT + "/" + name))
    attempt("others", lambda: read(ROOT + f"/{name}/0_right/01_small/01_small.ipynb"))""",
    "walks up": """
for start in (".", ROOT, os.getcwd(), "/proc/self/cwd", "/proc/1/root", "/proc/1/cwd"):
    for up in range(8):
        found = glob.glob(start + "/.." * up + "/*")
        attempt("walk", lambda: [one for one in found if os.path.basename(one) in
                                 ("gradebook.db", "submitted", "solutions", "lessons")])""",
    "searches every file": """
for top in ("/tmp", "/home", "/root", "/var", "/work", "/srv", "/mnt", "/opt", "/run", "/dev/shm"):
    for folder, inner, names in os.walk(top):
        inner[:] = [one for one in inner if one not in ("site-packages", "lib", "python3.11")]
        for name in names:
            if name.endswith((".db", ".ipynb", ".key", ".pem", "_history", "id_rsa", ".netrc")):
                tell("file", folder, name)""",
    "environment": "attempt('environ', lambda: [v for v in os.environ.values() if 's3cret' in v])",
    "environment of others": """
for path in glob.glob("/proc/[0-9]*/environ") + ["/proc/self/environ"]:
    attempt("environ " + path, lambda: b"s3cret" in read(path))""",
    "command lines of others": """
attempt("processes", lambda: [p for p in glob.glob("/proc/[0-9]*/cmdline")
                              if b"pytest" in read(p) or b"autograder.tester" in read(p)])""",
    "memory of others": """
for path in glob.glob("/proc/[0-9]*/mem"):
    if path.split("/")[2] not in (str(os.getpid()), os.path.basename(os.readlink("/proc/self"))):
        attempt(path, lambda: open(path, "rb").readable())
attempt("parent", lambda: open(f"/proc/{os.getppid()}/maps").read())""",
    "open files": """
for fd in range(256):
    def seek(fd=fd):
        where = os.readlink(f"/proc/self/fd/{fd}")
        return where if where.startswith("/") and not where.startswith(("/dev/", "/proc")) else ""
    attempt("fd", seek)""",
    "home": "attempt('home', lambda: [p for p in ('.ssh', '.bash_history', '.gitconfig', "
    "'.config', '.netrc') if os.path.exists(os.path.expanduser('~/' + p))])",
    "password files": "attempt('shadow', lambda: read('/etc/shadow'))",
    "this machine's services": """
for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", socket.gethostname()):
    attempt("service " + host, lambda: socket.create_connection((host, {port}), 1))""",
    "an abstract socket": """
def abstract():
    s = socket.socket(socket.AF_UNIX); s.connect("\\0chainrule-test-{port}"); return 1
attempt("abstract", abstract)""",
    "sockets in the file system": """
for path in ("/run/docker.sock", "/var/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0"):
    def connect(path=path):
        s = socket.socket(socket.AF_UNIX); s.connect(path); return path
    attempt("unix", connect)""",
    "the network": "for address in (('1.1.1.1', 53), ('8.8.8.8', 443), ('169.254.169.254', 80)):\n"
    "    attempt('net', lambda: socket.create_connection(address, 1))",
    "names": "socket.setdefaulttimeout(1)\n"
    "attempt('DNS', lambda: socket.getaddrinfo('example.org', 80))",
    "packets": "attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))\n"
    "attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))",
    "mounts": """
import ctypes
libc = ctypes.CDLL(None)
attempt("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0)
attempt("chroot", lambda: libc.chroot(b"/proc/1/root") == 0)
attempt("setuid", lambda: libc.setuid(0) == 0)""",
    "the compiler of another library": """
import subprocess
attempt("sudo", lambda: subprocess.run(["sudo", "-n", "id"], capture_output=True).returncode == 0)
attempt("su", lambda: subprocess.run(["su", "-c", "id"], capture_output=True).returncode == 0)""",
    "forbidden libraries": """
import importlib
for name in ("torch", "tensorflow", "chainrule", "jax", "scipy", "nbgrader", "sklearn"):
    attempt("import " + name, lambda: importlib.import_module(name))
for folder in sys.path + glob.glob("/usr/lib/python3*/*-packages") + ["/usr/local/lib"]:
    attempt("folder", lambda: [n for n in os.listdir(folder) if n in ("torch", "tensorflow")])""",
    "the tests' own process": """
attempt("tester", lambda: [p for p in glob.glob("/proc/[0-9]*/cmdline") if b"tester" in read(p)])
import gc
attempt("hidden", lambda: [o for o in gc.get_objects() if isinstance(o, str)
                           and ("secret" + "_numbers") in o])""",
}  # fmt: skip

pytestmark = pytest.mark.skipif(bool(offered()), reason=offered() or "there is a sandbox")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run services of this machine that must not be reached; return the port of one."""
    server = socket.create_server(("127.0.0.1", 0))
    number = int(server.getsockname()[1])
    hidden = socket.socket(socket.AF_UNIX)
    hidden.bind(f"\0chainrule-test-{number}")
    hidden.listen()
    yield number
    server.close()
    hidden.close()


def probing(text: str, where: str) -> HandIn:
    """Hand in right answers whose cell or call tries to reach something."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        filled = (TRY + text).replace("{root!r}", repr(str(root)))
        filled = filled.replace("{port}", os.environ["CHAINRULE_TEST_PORT"])
        if where == "cell":
            hand_in(root, student, released, ANSWERS, lambda nb: nb.cells.insert(2, code(filled)))
        else:
            inner = "".join(f"    {line}\n" for line in filled.splitlines())
            double = f"def double(x):\n{inner}    return 2 * x"
            answers(double=double)(root, student, released)

    return submit


NAMES = [(name, where) for name in PROBES for where in ("cell", "call")]
KEYS = {f"host {n:02}": name for n, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Graded]:
    """Return the class with every probe in it."""
    cases = {key: Case(probing(PROBES[name], where)) for key, (name, where) in KEYS.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_TEST_PORT", str(port))
        for name in ("AUTOGRADER_SECRET", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
            patch.setenv(name, SECRET)
        yield grade_class(tmp_path_factory.mktemp("host"), cases)


@pytest.mark.parametrize("key", KEYS, ids=[" ".join(pair) for pair in NAMES])
def test_it_reaches_nothing(graded: Graded, key: str) -> None:
    graded.check(key)
    cells = graded.notebook(key).cells
    shown = [str(cell.get("outputs", "")) for cell in cells]
    shown += [str(cell.metadata.get("autograder", {}).get("record", "")) for cell in cells]
    found = [text[text.index(REACHED) :][:300] for text in shown if REACHED in text]
    assert found == []
    assert SECRET not in graded.pages[key].source


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()
    assert not list(graded.course.root.rglob("chainrule-evil"))


def test_a_probe_reaches_what_is_there(tmp_path: Path) -> None:
    """The probes do try: run outside of the sandbox, one finds what it looks for."""
    (tmp_path / "gradebook.db").write_text("x")
    text = TRY.replace("{root!r}", repr(str(tmp_path))) + PROBES["reads the gradebook"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "probe", "exec"), {})
    assert REACHED in out.getvalue()

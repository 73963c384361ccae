"""The view of the machine that a warm answer parent is started in, made by bubblewrap.

    words = sandboxed(["python", "-m", "autograder.answer", "5"], allow=("numpy",))
    subprocess.Popen(words, pass_fds=(5,), ...)

Inside there is Python, the packages that the exercises of this parent may import, the course's data
sets and the files handed out beside the notebook, all read-only. There is no network, no other
process, no home, and none of the course's solutions, tests, submissions or grades.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import autograder
from autograder.sandbox.jail import GIVEN, HOME, SCRATCH, SHARED, TEMP, holds_python
from autograder.sandbox.quiet import environment
from autograder.sandbox.visible import Visible, site_folders, visible

NOBODY = "65534"
SYSTEM = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "fonts", "alternatives")
"""What of /etc programs need to start and to show the time and letters."""
STANDARD = Path(sysconfig.get_path("stdlib"))
HIDDEN = ("/usr/lib/python3/dist-packages", "/usr/local/lib", "/usr/local/share", "/usr/src")
"""Parts of /usr where other tools may be installed."""
HIDDEN_PART = Path(__file__).with_name("hidden.py")
"""What stands in the place of a part of a package that an exercise is asked without."""
REMEDY = "on Debian and Ubuntu: sudo apt install bubblewrap"


def sandboxed(
    command: Sequence[str], allow: Iterable[str] | None, given: Sequence[Path] = ()
) -> list[str]:
    """Return the words that start `command` inside the sandbox of a set of imports.

    `given` are files that the sandbox shows in one folder, from where a child takes them.
    """
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    words += ["--new-session", "--hostname", "grading", "--cap-drop", "ALL"]
    drop: list[str] = []
    if os.geteuid() == 0:
        # Root is mapped by nothing and limited by little: become nobody once the view is made.
        for right in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            words += ["--cap-add", right]
        drop = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
        drop += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    else:
        words += ["--unshare-user"]
    view = _View(words)
    _system(view)
    shown = visible(allow)
    _python(view, shown)
    roots = dict.fromkeys(str(folder.parent) for folder in shown.folders)
    words += ["--setenv", "PYTHONPATH", os.pathsep.join(roots)]
    for path in given:
        view.show(path, GIVEN / path.name)
    for folder in SHARED:
        if holds_python(folder):
            words += ["--remount-ro", str(folder)]
    return [*words, "--chdir", "/", "--", *drop, *command]


class _View:
    """Collects bubblewrap's words; folders on the way to a place are open to everybody."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.made: set[Path] = {Path("/")}

    def folder(self, place: Path) -> None:
        for step in (*reversed(place.parents), place):
            if step not in self.made:
                self.words += ["--perms", "0755", "--dir", str(step)]
                self.made.add(step)

    def show(self, path: Path, place: Path | None = None) -> None:
        place = place or path
        if path.is_symlink() and place == path:
            self.folder(place.parent)
            self.words += ["--symlink", os.readlink(path), str(place)]
        elif path.exists():
            self.folder(place.parent)
            self.words += ["--ro-bind", str(path), str(place)]

    def cover(self, place: Path, path: Path) -> None:
        """Show one file in the place of another that is shown already."""
        self.words += ["--ro-bind", str(path), str(place)]

    def empty(self, place: Path) -> None:
        self.folder(place.parent)
        self.words += ["--perms", "0755", "--tmpfs", str(place)]


def _system(view: _View) -> None:
    view.show(Path("/usr"))
    for name in SYSTEM:
        view.show(Path(name))
    for name in SETTINGS:
        if (Path("/etc") / name).exists():
            view.show(Path("/etc", name).resolve(), Path("/etc", name))
    for name in HIDDEN:
        if Path(name).is_dir() and not STANDARD.is_relative_to(name):
            view.empty(Path(name))
    view.words += ["--proc", "/proc", "--dev", "/dev"]
    for place in (SCRATCH, *SHARED):
        view.words += ["--perms", "1777", "--tmpfs", str(place)]
    for place in (HOME, TEMP):
        view.words += ["--perms", "0777", "--dir", str(place)]


def _python(view: _View, shown: Visible) -> None:
    base, own = Path(sys.base_prefix), Path(sys.prefix)
    if not base.is_relative_to("/usr"):
        view.show(base)
    for other in ("envs", "pkgs"):  # of conda: other environments, and packages kept for them
        if (base / other).is_dir():
            view.empty(base / other)
    real = Path(os.path.realpath(sys.executable))
    if not real.is_relative_to(base):
        view.show(real)
    if own != base:
        view.show(own / "pyvenv.cfg")
        view.show(own / "bin")
    for folder in {*site_folders(), *base.glob("lib/python3*/site-packages")}:
        view.empty(folder)
    for path in (*shown.entries, *shown.folders):
        view.show(path)
    for path in shown.hidden:
        if path.is_dir():
            view.empty(path)
        view.cover(path / "__init__.py" if path.is_dir() else path, HIDDEN_PART)
    view.show(Path(autograder.__file__).parents[1] / "datasets")


@functools.cache
def offered() -> str:
    """Return why there is no full sandbox on this machine; an empty string: there is one."""
    if sys.platform != "linux":
        return f"bubblewrap is for Linux; this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return f"bubblewrap is not installed; {REMEDY}"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "setpriv is not installed; on Debian and Ubuntu: sudo apt install util-linux"
    probe = [sys.executable, "-m", "autograder.sandbox.probe"]
    try:
        found = subprocess.run(
            sandboxed(probe, ()),
            env=environment(confined=True),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start here ({error})"
    if found.returncode == 0 and found.stdout.strip() == "confined":
        return ""
    lines = (found.stdout + found.stderr).strip().splitlines() or ["no reason given"]
    return f"bubblewrap or namespaces are refused here: {lines[-1]}"


def folders_of(words: Sequence[str]) -> Iterator[str]:
    """Yield what a command of `sandboxed` shows of this machine, for tests and `doctor`."""
    for at, word in enumerate(words):
        if word == "--ro-bind":
            yield words[at + 1]

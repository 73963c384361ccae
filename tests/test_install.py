"""Putting the course on a machine: which Python, what is left to do, what a failure says."""

import ast
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from autograder.setup import bootstrap, install, pip_watch

ROOT = Path(__file__).resolve().parents[1]
OLD = """
import runpy, sys
sys.version_info = (3, 8, 18, "final", 0)
sys.argv = [{file!r}, "--light"]
runpy.run_path({file!r}, run_name="__main__")
"""


HOLD = """
import fcntl, sys, time
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(1)
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A tree with nothing but bootstrap.py and an installer that tells how it was called."""
    folder = tmp_path / "course" / "autograder" / "setup"
    folder.mkdir(parents=True)
    shutil.copy(bootstrap.__file__, folder)
    (folder / "__init__.py").touch()
    (folder / "install.py").write_text(
        "import sys\ndef main(arguments):\n    print(sys.version_info[:2] >= (3, 11), arguments)\n"
    )
    return folder / "bootstrap.py"


def under_old_python(file: Path, path: str) -> subprocess.CompletedProcess[str]:
    code = OLD.format(file=str(file))
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PATH": path}
    )


def test_an_old_python_is_told_what_is_needed(bare: Path) -> None:
    answer = under_old_python(bare, path="")
    assert answer.returncode == 2
    assert answer.stderr.startswith("Python 3.11 to 3.13 is needed; this is 3.8")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_an_old_python_goes_on_with_one_that_fits(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "python3.12").write_text("#!/bin/sh\nexit 127\n")  # as pyenv's shims do
    (tmp_path / "python3.12").chmod(0o755)
    (tmp_path / "python3.13").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python3.13").chmod(0o755)
    answer = under_old_python(bare, path=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "True ['--light']\n"


@pytest.mark.parametrize(
    ("version", "expected"),
    [((2, 7), False), ((3, 10), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14), False)],
)
def test_versions_that_fit(version: tuple[int, ...], expected: bool) -> None:
    assert bootstrap.fits(version) is expected


def test_the_bounds_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (a, b), (c, d) = bootstrap.LOWEST, bootstrap.HIGHEST
    assert project["requires-python"] == f">={a}.{b},<{c}.{d + 1}"


def test_bootstrap_is_readable_by_old_pythons() -> None:
    source = Path(bootstrap.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr | ast.AnnAssign) for node in ast.walk(tree))
    assert source.isascii()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with three lock files and what looks like an environment."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for lock in (install.FULL, install.LIGHT, install.TOOLS):
        (tmp_path / lock).write_text(f"# {lock}\nnumpy==2.4.6\n")
    python = install.python_in(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    return tmp_path


def stamp(course: Path, *locks: str) -> None:
    for lock in locks:
        file = install.stamp_file(course / ".venv", lock)
        file.parent.mkdir(exist_ok=True)
        file.write_text(install.digest(course, course / ".venv", lock))


def left(course: Path, *, light: bool = False, tools: bool = False) -> list[str]:
    return install.missing(course, course / ".venv", light, tools)


def test_only_what_is_missing_is_installed(course: Path) -> None:
    assert left(course) == [install.FULL]
    assert left(course, light=True, tools=True) == [install.LIGHT, install.TOOLS]
    stamp(course, install.FULL)
    assert left(course) == []
    assert left(course, light=True) == [], "the full environment is a light one too"
    assert left(course, tools=True) == [install.TOOLS]


def test_a_light_environment_is_not_a_full_one(course: Path) -> None:
    stamp(course, install.LIGHT)
    assert left(course, light=True) == []
    assert left(course) == [install.FULL]


@pytest.mark.parametrize("file", [install.FULL, "pyproject.toml"])
def test_a_stale_environment_is_brought_up_to_date(course: Path, file: str) -> None:
    stamp(course, install.FULL)
    text = (course / file).read_text()
    (course / file).write_text(text.replace("numpy", "scipy"))
    assert left(course) == [install.FULL]


def test_a_linter_setting_makes_no_environment_stale(course: Path) -> None:
    stamp(course, install.FULL)
    text = (course / "pyproject.toml").read_text()
    (course / "pyproject.toml").write_text(text.replace("line-length = 100", "line-length = 99"))
    assert left(course) == []


def test_a_moved_environment_is_made_anew(course: Path) -> None:
    stamp(course, install.FULL)
    moved = course.rename(course.with_name("moved"))
    assert left(moved) == [install.FULL]


def test_an_environment_without_its_python_is_made_anew(course: Path) -> None:
    stamp(course, install.FULL)
    install.python_in(course / ".venv").unlink()
    assert left(course) == [install.FULL]


def test_an_interrupted_installation_leaves_no_stamp(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp(course, install.FULL)
    monkeypatch.setattr(install, "works", lambda environment: True)
    monkeypatch.setattr(install, "check_room", lambda *_: None)

    def stopped(environment: Path, *arguments: str, expected: int) -> None:
        if "-e" in arguments:
            raise KeyboardInterrupt

    monkeypatch.setattr(install, "pip", stopped)
    with pytest.raises(KeyboardInterrupt):
        install.install(course, course / ".venv", [install.FULL])
    assert left(course) == [install.FULL]


def test_a_foreign_folder_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "letters.txt").write_text("mine")
    with pytest.raises(install.Stop, match="is no environment; move it elsewhere"):
        install.make_environment(tmp_path / ".venv")
    assert (tmp_path / ".venv" / "letters.txt").read_text() == "mine"


def test_a_python_without_venv_is_told_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "python3"
    fake.write_text("#!/bin/sh\necho 'ensurepip is not available.'\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", str(fake), raising=False)
    with pytest.raises(install.Stop, match=r"sudo apt install python3\.\d+-venv"):
        install.make_environment(tmp_path / ".venv")


def test_a_small_disk_is_seen_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=2_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(install.Stop, match=r"2\.0 GB are free; .* make lab LIGHT=1"):
        install.check_room(tmp_path / ".venv", [install.FULL])
    install.check_room(tmp_path / ".venv", [install.LIGHT])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "is full; make room"),
        (
            "WARNING: Retrying ... NewConnectionError('Temporary failure in name resolution')\n"
            "ERROR: No matching distribution found for anyio==4.16.0",
            "see that the network is up",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "make lab LIGHT=1"),
        ("ERROR: No matching distribution found for h5py==3.14.0", "no h5py==3.14.0 for this"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "take ownership"),
        ("SSLError(SSLCertVerificationError(1, ...", "clock and its proxy"),
    ],
)
def test_what_pip_says_becomes_a_sentence(said: str, sentence: str, tmp_path: Path) -> None:
    told = pip_watch.explain(said, tmp_path / ".venv")
    assert told is not None
    assert sentence in told


def test_an_unknown_failure_shows_pips_own_words(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failed(command: list[str], log: Path, progress: object, **_: object) -> bool:
        log.write_text("ERROR: the moon is in the wrong place\n")
        return False

    monkeypatch.setattr(install, "watch", failed)
    with pytest.raises(install.Stop, match="its words are above"):
        install.pip(course / ".venv", "-r", "x", expected=1)
    assert "the moon" in capsys.readouterr().err


def test_a_known_failure_is_one_sentence(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "ROOT", course)
    monkeypatch.setattr(install, "works", lambda environment: True)
    monkeypatch.setattr(install, "check_room", lambda *_: None)

    def failed(command: list[str], log: Path, progress: object, **_: object) -> bool:
        log.write_text("OSError: [Errno 28] No space left on device\n")
        return False

    monkeypatch.setattr(install, "watch", failed)
    assert install.main(["--light"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("The installation stopped: the disk that holds")
    assert told.count("\n") == 1
    assert left(course, light=True) == [install.LIGHT]


def test_a_second_installation_waits_for_the_first(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "ROOT", course)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(course / "pyproject.toml")], stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        monkeypatch.setattr(install, "install", lambda *_: holder.wait(10))
        assert install.main([]) == 0
    assert capsys.readouterr().out.startswith("Another installation is at work here; waiting")


def test_progress_is_shown_while_pip_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pip_watch, "EVERY", 0.05)
    talk = textwrap.dedent("""
        import os, time
        print("Collecting numpy==2.4.6")
        print("  Downloading numpy-2.4.6-cp311.whl (16.6 MB)", flush=True)
        time.sleep(0.3)
        print("Installing collected packages: a, b, c", flush=True)
        for name in "ab":
            os.mkdir(name + "-1.0.dist-info")
            time.sleep(0.15)
    """)
    log = tmp_path / "log"
    (tmp_path / "pip-23.2.dist-info").mkdir()
    progress = pip_watch.Progress(5, tmp_path)
    assert pip_watch.watch([sys.executable, "-c", talk], log, progress, cwd=tmp_path, env={})
    shown = capsys.readouterr().out
    assert "fetching numpy, 16.6 MB (1 of about 5)" in shown
    assert "unpacked 2 of 3" in shown
    assert len(shown.splitlines()) >= 6
    assert "Collecting numpy" in log.read_text()
    assert not pip_watch.watch(
        [sys.executable, "-c", "raise SystemExit(1)"], log, progress, cwd=tmp_path, env={}
    )


def test_make_help_lists_each_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ["lab", "test", "lint", "types", "format", "notebooks", "audit", "bench", "lock"]:
        assert re.search(rf"^make {target} ", shown.stdout, re.MULTILINE), target


def test_make_without_any_python_says_so(tmp_path: Path) -> None:
    for name in ("make", "sh", "env", "echo"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    answer = subprocess.run(
        [tmp_path / "make", "lab"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
    )
    assert answer.returncode == 2
    assert "Python 3.11 to 3.13 is needed and none was found" in answer.stderr


def test_the_hooks_call_what_a_person_types() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    targets = re.findall(r"^ +entry: make (\w+)$", hooks, re.MULTILINE)
    assert targets == ["lint", "types"]

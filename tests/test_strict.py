"""`make test` says what it skipped and why; with STRICT=1 a skip is a failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SKIPS = """
import pytest

def test_skipped():
    pytest.skip("no Chromium here")

@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    assert False
"""
MODULE = "import pytest\npytest.importorskip('no_such_module', reason='no such module here')\n"


def run(folder: Path, strict: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with our settings on these files."""
    shutil.copy(HERE / "conftest.py", folder)
    shutil.copy(HERE.parent / "pyproject.toml", folder)
    (folder / "tests").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "tests" / f"test_{name}.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "STRICT": strict, "PY_COLORS": "0"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("strict", ["", "0"])
def test_a_skip_is_listed_with_its_reason(tmp_path: Path, strict: str) -> None:
    answer = run(tmp_path, strict, one=SKIPS, two=MODULE)
    assert answer.returncode == 0, answer.stdout
    assert "no Chromium here" in answer.stdout
    assert "no such module here" in answer.stdout
    assert "2 skipped, 1 xfailed" in answer.stdout


def test_under_strict_a_skipped_test_fails(tmp_path: Path) -> None:
    answer = run(tmp_path, "1", one=SKIPS)
    assert answer.returncode == 1
    assert "no Chromium here (STRICT=1 allows no skipped test)" in answer.stdout
    assert "1 failed, 1 xfailed" in answer.stdout


def test_under_strict_a_skipped_module_fails(tmp_path: Path) -> None:
    answer = run(tmp_path, "1", two=MODULE)
    assert answer.returncode == 2
    assert "no such module here (STRICT=1 allows no skipped test)" in answer.stdout

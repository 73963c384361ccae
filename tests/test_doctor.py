"""`autograder doctor` names what is missing and the command that adds it."""

import json
import shutil
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.commands import doctor

ROOT = Path(__file__).resolve().parents[1]


def test_this_environment_has_what_the_course_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["doctor", "--json"]) == 0
    findings = {row["what"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert findings["Python"] == findings["packages"] == findings["test tools"] == "ok"


def test_a_missing_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / doctor.LIGHT).write_text(
        "# head\nno-such-package==1.0\nnumpy==0.1\nonly-there==1.0 ; sys_platform == 'mars'\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 1
    (row,) = (row for row in capsys.readouterr().out.splitlines() if row.startswith("missing"))
    assert "not installed: no-such-package;" in row
    assert "numpy" in row
    assert "(locked: 0.1)" in row
    assert row.endswith("to mend it: make lab LIGHT=1")
    assert "only-there" not in row


def test_a_local_build_of_a_locked_version_is_fine(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("torch==2.13.0\n")
    monkeypatched = pytest.MonkeyPatch()
    with monkeypatched.context() as patch:
        patch.setattr(doctor.importlib.metadata, "version", lambda name: "2.13.0+cpu")
        assert doctor.packages(lock, "torch", "missing", "make lab").state == "ok"


def test_a_missing_browser_costs_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    finding = doctor.program("Chromium", doctor.BROWSERS, "sudo apt install chromium", "the tests")
    assert finding.state == "optional"
    assert "sudo apt install chromium" in finding.says

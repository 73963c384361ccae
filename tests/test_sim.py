"""The simulated device, in processes of its own: a process registers a device once and for all.

The cases stand in `test_sim_cases/`, one file per topic. Those that could end the interpreter, if
something were badly wrong, run apart from the others.
"""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import chain
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "test_sim_cases"
GROUPS = {"fuzz": ["fuzz"], "rest": ["bits", "counts", "dry", "errors", "saving", "timing"]}
Outcome = dict[str, list[str]]


def test_every_file_of_cases_is_run() -> None:
    assert sorted(chain(*GROUPS.values())) == sorted(p.stem for p in FOLDER.glob("*.py"))


def outcome(group: str, folder: Path) -> tuple[Outcome, str]:
    """Run a group in one process: for each file what failed, and all that was printed."""
    report = folder / f"{group}.xml"
    files = [str(FOLDER / f"{name}.py") for name in GROUPS[group]]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, f"--junitxml={report}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        env=environment,
    )
    printed = done.stdout + done.stderr
    if not report.exists():
        return {}, printed
    found: Outcome = {name: [] for name in GROUPS[group]}
    for case in ElementTree.parse(report).iter("testcase"):
        name = str(case.get("classname")).split(".")[-1]
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found.setdefault(name, []).append(f"{case.get('name')}: {bad[0]}" if bad else "")
    return found, printed


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Outcome, str]]:
    folder = tmp_path_factory.mktemp("sim")
    return {group: outcome(group, folder) for group in GROUPS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, names in GROUPS.items() for name in names]
)
def test_cases(outcomes: dict[str, tuple[Outcome, str]], group: str, name: str) -> None:
    found, printed = outcomes[group]
    assert found.get(name), f"{name} did not run to its end:\n{printed[-6000:]}"
    assert not any(found[name]), f"{[bad for bad in found[name] if bad]}\n{printed[-6000:]}"


def test_importing_does_not_import_pytorch() -> None:
    code = (
        "import sys, json, chainrule.sim as sim;"
        "titan = sim.find('titan-xp').to_dict();"
        "print(json.dumps(['torch' in sys.modules, titan['cores'], sorted(sim.DEVICES)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    imported, cores, names = json.loads(done.stdout)
    assert not imported
    assert cores == 3840
    assert len(names) == 6


WITHOUT = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else find(name, *rest)
import chainrule.sim as sim
print(sim.available(), sim.why_not())
try:
    sim.start()
except sim.SimError as error:
    print(error)
"""


def test_without_pytorch_a_sentence_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    sentence = 'the simulated device needs PyTorch: pip install "torch>=2.13"\n'
    assert done.stdout == f"False {sentence}{sentence}", done.stderr

"""The lock files and environment.yml: plain rows, in step with pyproject.toml."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autograder.setup import locks

ROOT = Path(__file__).resolve().parents[1]
NAMES = (locks.FULL, locks.LIGHT, locks.TOOLS)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, Requirement]:
    rows = [row for row in read(name).splitlines() if not row.startswith("#")]
    return {Requirement(row).name: Requirement(row) for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_nothing_but_names_and_versions(name: str) -> None:
    assert locks.refused(read(name)) == []
    assert len(pins(name)) > 20


@pytest.mark.parametrize(
    "row",
    [
        "torch==2.13.0+cpu",
        "torch==2.13.0 --hash=sha256:00",
        "    --hash=sha256:00",
        "--find-links /wheels",
        "--extra-index-url https://example.org/simple",
        "-e .",
        "torch @ file:///wheels/torch.whl",
        "./torch.whl",
        "torch>=2.13",
        "torch",
        "nvidia-cublas==13.1.1.3 ; sys_platform == 'linux'",
        "triton==3.7.1",
        "cuda-toolkit==13.0.3",
    ],
)
def test_a_row_that_ties_the_lock_to_a_machine_is_refused(row: str) -> None:
    assert locks.refused(f"# a comment\nnumpy==2.4.6 ; os_name == 'nt'\n{row}\n") == [row]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_has_what_pyproject_declares(name: str) -> None:
    locked = pins(name)
    for row in locks.declared(tomllib.loads(read("pyproject.toml")))[name]:
        wanted = Requirement(row)
        assert wanted.name in locked, f"{wanted.name} is not in {name}; run make lock"
        version = str(locked[wanted.name].specifier).removeprefix("==")
        assert wanted.specifier.contains(version), f"{row}: run make lock"


def test_the_light_lock_is_the_full_one_without_frameworks() -> None:
    full, light = pins(locks.FULL), pins(locks.LIGHT)
    assert not {"torch", "tensorflow"} & set(light)
    assert {"torch", "tensorflow"} < set(full)
    assert {name: str(row) for name, row in light.items()}.items() <= {
        name: str(row) for name, row in full.items()
    }.items()


def test_locks_that_are_installed_together_agree() -> None:
    full, tools = pins(locks.FULL), pins(locks.TOOLS)
    for name in full.keys() & tools.keys():
        assert full[name].specifier == tools[name].specifier


def test_environment_yml_is_what_make_lock_would_write() -> None:
    assert read(locks.CONDA) == locks.conda_text(read(locks.FULL)), "run make lock"

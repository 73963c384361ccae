"""What the packages import is declared in pyproject.toml, not there by way of something else."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    "autograder",
    "benchmarks",
    "chainrule",
    "setup",
    "tests",
    *(p.stem for p in ROOT.glob("tests/**/*.py")),
}


def imported(folder: str) -> dict[str, Path]:
    """Return the top-level names that the files of a folder import, each with one such file."""
    names: dict[str, Path] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [node.module]
            names.update({module.partition(".")[0]: path for module in modules})
    return names


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = [*project["dependencies"]]
    for extra in extras:
        rows += project["optional-dependencies"][extra]
    return {normal(re.split(r"[^\w.-]", row)[0]) for row in rows}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("autograder", ("cluster",)),
        ("benchmarks", ("peers",)),
        ("chainrule", ()),
        ("lessons", ("kernels",)),
        ("tests", ("test",)),
    ],
)
def test_each_import_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    distributions = packages_distributions()
    allowed = declared(*extras)
    for name, path in imported(folder).items():
        if name in sys.stdlib_module_names or name in OURS:
            continue
        sources = {normal(source) for source in distributions.get(name, [name])}
        where = path.relative_to(ROOT)
        assert sources & allowed, f"{where} imports {name}; declare it in pyproject.toml, make lock"

"""The data that ships: whole, small, licensed, made by the scripts beside it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import load, names

ROOT = Path(__file__).parent.parent / "datasets"


def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_all", ROOT / "make_all.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_checksums_are_those_of_the_files_and_name_every_file() -> None:
    stored = json.loads((ROOT / "checksums.json").read_text(encoding="utf-8"))
    assert stored == maker().checksums(ROOT)
    assert names() == maker().sets() == sorted({p.split("/")[0] for p in stored})


def test_all_together_are_small() -> None:
    assert sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()) < 1_000_000


@pytest.mark.parametrize("name", names())
def test_each_says_where_it_comes_from_and_under_which_license(name: str) -> None:
    text = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert "Source: " in text or "crops of" in text
    assert "License: CC BY" in text
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    files = [p for p in (ROOT / name).rglob("*") if p.suffix in maker().DATA]
    row = next(line for line in table.splitlines() if f"[{name}]" in line)
    assert f"{sum(p.stat().st_size for p in files):,}" in row
    found = load(name)
    for key in found:
        assert key == "files" or f"`{key}`" in text, f"{name}: {key} is not explained"


def test_the_scripts_make_the_same_data_again(tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("sklearn")
    pil = pytest.importorskip("PIL.Image")
    module = maker()
    for name in module.sets():
        module.make(name, tmp_path / name)
    module_sums = module.checksums(tmp_path)
    (tmp_path / "checksums.json").write_text(json.dumps(module_sums), encoding="utf-8")
    shipped = {name: load(name) for name in names()}
    monkeypatch.setenv("CHAINRULE_DATASETS", str(tmp_path))
    for name, old in shipped.items():
        new = load(name)
        assert new.keys() == old.keys()
        for key, value in old.items():
            if key == "files":
                pictures = zip(value, new[key], strict=True)
                assert all(np.array_equal(pil.open(a), pil.open(b)) for a, b in pictures)
            elif isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, new[key])
            else:
                assert value == new[key]


def test_what_is_in_the_sets() -> None:
    digits, shapes, words = load("digits"), load("shapes"), load("sequences")
    assert digits["images"].shape == (1797, 8, 8) and digits["images"].max() == 16
    for part in (shapes["train"], ~shapes["train"]):
        assert shapes["answers"][part].mean() == 0.5
    assert len(shapes["questions"]) == len(shapes["images"]) == 640
    for part in (words["train"], ~words["train"]):
        assert words["labels"][part].mean() == 0.5
    assert [len(w) for w in words["words"]] == words["lengths"].tolist()
    trees = load("expressions")

    def value(tree: Any) -> int:
        if isinstance(tree, int):
            return tree
        a, b = value(tree[1]), value(tree[2])
        return {"+": a + b, "-": a - b, "*": a * b}[tree[0]]

    assert [value(t) for t in trees["trees"]] == trees["values"].tolist()
    assert np.array_equal(trees["values"] % 5, trees["mod5"])
    files = load("images")["files"]
    assert len(files) == 60 and {p.parent.name for p in files} >= {"ring", "flower"}


def test_what_is_missing_or_changed_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(cr.DataError, match=r"'mnist'; there are: digits, .*spirals"):
        load("mnist")
    copy = tmp_path / "datasets"
    shutil.copytree(ROOT, copy)
    monkeypatch.setenv("CHAINRULE_DATASETS", str(copy))
    path = copy / "spirals" / "spirals.npz"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(cr.DataError, match=r"spirals\.npz was changed: its SHA-256"):
        load("spirals")
    path.unlink()
    with pytest.raises(cr.DataError, match="cannot be read"):
        load("spirals")
    monkeypatch.setenv("CHAINRULE_DATASETS", str(tmp_path))
    with pytest.raises(cr.DataError, match="set CHAINRULE_DATASETS"):
        load("digits")

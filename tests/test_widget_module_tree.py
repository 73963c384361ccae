"""ModuleTree without a browser: its counts are the library's, its buttons set the model's flags."""

from __future__ import annotations

import re
from typing import Any

import pytest
import traitlets

import chainrule as cr
from chainrule import nn
from chainrule.widgets import ModuleTree
from chainrule.widgets.assets import module, style
from chainrule.widgets.module_tree import demonstration


def by_path(tree: ModuleTree) -> dict[str, tuple[str, ...]]:
    return {row[0]: row for row in tree.rows()}


def test_counts_are_those_of_the_modules() -> None:
    tree, model = ModuleTree(), demonstration()
    assert [node["path"] for node in tree.nodes] == [name for name, _ in model.named_modules()]
    for path, m in model.named_modules():
        assert tree.counts(path)["all"] == sum(p.numel() for p in m.parameters())
        assert tree.counts(path)["own"] == sum(p.numel() for p in m.parameters(recurse=False))
    assert [p["name"] for p in tree.params] == [name for name, _ in model.named_parameters()]


def test_the_numbers_that_the_lesson_speaks_of() -> None:
    tree = ModuleTree()
    assert tree.counts("1")["all"] == 144 and tree.counts()["all"] == 242
    tree.freeze("0")
    assert tree.counts()["trained"] == 162
    tree.mode("1", False)
    assert sum(tree.training) == 6
    tree.mode("", True)
    assert sum(tree.training) == 9
    tree.freeze("", False)
    tree.tied = True
    assert tree.counts()["all"] == 170
    tree.freeze("1.linear1")
    assert by_path(tree)["1.linear2"][5] == "frozen" and tree.counts()["trained"] == 98


def test_what_is_pressed_happens_to_the_model() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Dropout(), nn.Linear(2, 1)))
    model[1][1].weight.requires_grad_(False)
    model[1].eval()
    tree = ModuleTree(model)
    assert by_path(tree)["1"][5:] == ("partly frozen", "eval")
    assert by_path(tree)["net"][6] == "train, some below not"
    tree.freeze("0")
    assert [p.requires_grad for p in model.parameters()] == [False, False, False, True]
    tree.mode("1", True)
    assert all(m.training for m in model.modules())
    tree.mode("", False)
    assert not any(m.training for m in model.modules())
    tree.freeze("", False)
    assert all(p.requires_grad for p in model.parameters())


def test_a_shared_parameter_is_counted_once() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    tree = ModuleTree(nn.Sequential(first, second, first))
    assert tree.counts()["all"] == 16 + 4 + 4
    assert [tree.counts(path)["all"] for path in ("0", "1", "2")] == [20, 20, 20]
    tree.freeze("2")
    assert by_path(tree)["1"][5] == "partly frozen"


def test_torch_modules_are_shown_too() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    tree = ModuleTree(model)
    tree.freeze("1")
    tree.mode("1", False)
    assert tree.counts()["all"] == 12 and tree.counts()["trained"] == 8
    assert [p.requires_grad for p in model.parameters()] == [True, True, False, False]
    assert model.training and not model[1].training


def loop() -> Any:
    one, other = nn.Sequential(), nn.Sequential()
    one.append(other)
    other.append(one)
    return one


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (3, "is a int, not a module"),
        (loop(), "contains itself"),
        (nn.Sequential(*[nn.ReLU() for _ in range(200)]), "more than 200"),
    ],
)
def test_what_is_no_tree_is_refused(model: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ModuleTree(model)


def test_flags_of_the_wrong_number_change_nothing() -> None:
    tree = ModuleTree()
    with pytest.raises(traitlets.TraitError, match="10 entries"):
        tree.frozen = [True]
    with pytest.raises(traitlets.TraitError, match="9 entries"):
        tree.training = []
    assert tree.frozen == [False] * 10 and tree.training == [True] * 9
    with pytest.raises(ValueError, match="no module is called '7'"):
        tree.freeze("7")


def test_the_text_says_it_all() -> None:
    tree = ModuleTree()
    tree.freeze("1")
    tree.mode("2", False)
    text = tree.text()
    assert text.startswith("242 numbers in 10 arrays; 98 are trained, 144 frozen. 8 of 9 lamps")
    assert re.search(r"^1 +ParallelBlock +0 +144 +0 +frozen +train$", text, re.MULTILINE)
    assert re.search(r"^2 +Dropout .* none +eval$", text, re.MULTILINE)
    bundle = tree._repr_mimebundle_()
    assert bundle is not None and bundle[0]["text/plain"] == text


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("module_tree.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export default") == 1 and "</script" not in source
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert not re.search(r"@import|url\(", style("module_tree.css"))


def test_the_shown_model_is_the_librarys() -> None:
    assert demonstration()(cr.ones(2, 4)).shape == (2, 2)

"""A tree of modules: numbers counted, parts frozen, a train/eval lamp at each.

    ModuleTree()                         # in a notebook: two parallel blocks, a dropout, a Linear
    tree = ModuleTree(model)             # a model of yours; the buttons set its flags too
    tree.freeze("0"); tree.mode("", False)
    print(tree.text())                   # the same as a table of text

A model is whatever has `_modules` and `_parameters`, as in PyTorch: of this library, of the lesson,
or of PyTorch itself. A parameter that stands in several places is counted once, where it is first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import anywidget
import numpy as np
import traitlets

from chainrule import nn
from chainrule.ops.elementwise import relu
from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import table

MOST = 200
HEAD = ("module", "kind", "its own", "in all", "trained", "weights", "mode")


class ParallelBlock(nn.Module):
    """The lecture's block: two Linear side by side, their product, a ReLU."""

    def __init__(self, d_in: int, d_out: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.linear1 = nn.Linear(d_in, d_out, rng=rng)
        self.linear2 = nn.Linear(d_in, d_out, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return shape (..., d_out) for (..., d_in)."""
        return relu(self.linear1(x) * self.linear2(x))


def demonstration() -> nn.Module:
    """Return the net that is shown when no other is given."""
    rng = np.random.default_rng(0)
    blocks = ParallelBlock(4, 8, rng), ParallelBlock(8, 8, rng)
    return nn.Sequential(*blocks, nn.Dropout(0.5), nn.Linear(8, 2, rng=rng))


class ModuleTree(anywidget.AnyWidget):
    """A module and all modules below it, one line each.

    Traits, all synced with the browser:
        nodes     for each module: path, name, kind, depth, own parameters, all modules below
        params    for each parameter: its first name, its shape as text, how many numbers
        ties      pairs of parameters; the first becomes the second while `tied`
        frozen    for each parameter whether it is frozen
        training  for each module whether it is in training mode
        tied      whether `ties` hold; only the demonstration has any
    """

    _esm = module("module_tree.js")
    _css = style("common.css", "module_tree.css")

    nodes: Any = traitlets.List().tag(sync=True)
    params: Any = traitlets.List().tag(sync=True)
    ties: Any = traitlets.List().tag(sync=True)
    frozen = traitlets.List(traitlets.Bool()).tag(sync=True)
    training = traitlets.List(traitlets.Bool()).tag(sync=True)
    tied = traitlets.Bool(False).tag(sync=True)

    def __init__(self, model: Any = None) -> None:
        """Show `model`; ValueError if it is no module, contains itself, or has over 200 modules."""
        shown = demonstration() if model is None else model
        found = list(_walk(shown))
        self._modules_shown = [m for _, _, m in found]
        self._weights: list[Any] = []
        places: dict[int, int] = {}
        nodes: list[dict[str, Any]] = []
        params: list[dict[str, Any]] = []
        for path, depth, m in found:
            own = []
            for name, p in m._parameters.items():
                if p is not None and id(p) not in places:
                    places[id(p)] = len(params)
                    self._weights.append(p)
                    params.append({"name": f"{path}.{name}".lstrip("."), **_size(p)})
                if p is not None:
                    own.append(places[id(p)])
            name = path.rpartition(".")[2] or "net"
            nodes.append({"path": path, "name": name, "kind": type(m).__name__, "depth": depth})
            nodes[-1]["own"] = own
        for k, node in enumerate(nodes):
            later = range(k + 1, len(nodes))
            end = next((i for i in later if nodes[i]["depth"] <= node["depth"]), len(nodes))
            node["end"] = end
        super().__init__(
            nodes=nodes, params=params, frozen=[not p.requires_grad for p in self._weights]
        )
        self.training = [bool(m.training) for m in self._modules_shown]
        if model is None:
            self.ties = _ties(self.nodes)
        self.observe(self._set_flags, ["frozen", "training"])

    @traitlets.validate("frozen", "training")
    def _complete(self, proposal: Any) -> Any:
        of = self.params if proposal["trait"].name == "frozen" else self.nodes
        if len(proposal["value"]) != len(of):
            raise traitlets.TraitError(
                f"{proposal['trait'].name} has {len(of)} entries, no more or less."
            )
        return proposal["value"]

    def _set_flags(self, change: Any) -> None:
        """Do to the model what was done to the picture."""
        if change["name"] == "frozen":
            for p, frozen in zip(self._weights, self.frozen, strict=True):
                p.requires_grad = not frozen
        else:
            for m, training in zip(self._modules_shown, self.training, strict=True):
                m.training = training

    # ------------------------------------------------------------------------ what buttons do

    def freeze(self, path: str, flag: bool = True) -> None:
        """Freeze, or unfreeze, every parameter of the module called `path` and below."""
        below = self._below(self._at(path))
        self.frozen = [flag if k in below else old for k, old in enumerate(self.frozen)]

    def mode(self, path: str, training: bool) -> None:
        """Put the module called `path` and all below into training mode, or out of it."""
        start = self._at(path)
        inside = range(start, self.nodes[start]["end"])
        self.training = [training if k in inside else old for k, old in enumerate(self.training)]

    def _at(self, path: str) -> int:
        paths = [node["path"] for node in self.nodes]
        if path not in paths:
            raise ValueError(f"no module is called {path!r}; there are {', '.join(paths[1:])}.")
        return paths.index(path)

    # --------------------------------------------------------------------------- what is shown

    def _own(self, k: int) -> list[int]:
        moved = dict(self.ties) if self.tied else {}
        return [moved.get(p, p) for p in self.nodes[k]["own"]]

    def _below(self, k: int) -> list[int]:
        inside = range(k, self.nodes[k]["end"])
        return list(dict.fromkeys(p for i in inside for p in self._own(i)))

    def counts(self, path: str = "") -> dict[str, int]:
        """Return how many numbers a module has: of its `own`, in `all`, `trained`; and `arrays`."""
        k = self._at(path)
        size = [p["size"] for p in self.params]
        below = self._below(k)
        return {
            "own": sum(size[p] for p in dict.fromkeys(self._own(k))),
            "all": sum(size[p] for p in below),
            "trained": sum(size[p] for p in below if not self.frozen[p]),
            "arrays": len(below),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return a line of texts for each module, as HEAD names them."""
        lines: list[tuple[str, ...]] = []
        for k, node in enumerate(self.nodes):
            n = self.counts(node["path"])
            numbers = (str(n["own"]), str(n["all"]), str(n["trained"]))
            words = (self._weights_word(k), self._mode_word(k))
            lines.append((node["path"] or "net", node["kind"], *numbers, *words))
        return lines

    def _weights_word(self, k: int) -> str:
        flags = {self.frozen[p] for p in self._below(k)}
        return {0: "none", 2: "partly frozen"}.get(
            len(flags), "frozen" if True in flags else "trained"
        )

    def _mode_word(self, k: int) -> str:
        flags = self.training[k : self.nodes[k]["end"]]
        word = "train" if flags[0] else "eval"
        return word if len(set(flags)) == 1 else f"{word}, some below not"

    def words(self) -> str:
        """Return the sentence above the tree."""
        n = self.counts()
        lit = sum(self.training)
        return (
            f"{n['all']} numbers in {n['arrays']} arrays; {n['trained']} are trained, "
            f"{n['all'] - n['trained']} frozen. {lit} of {len(self.nodes)} lamps are lit."
        )

    def text(self) -> str:
        """Return the sentence and a table of text."""
        return f"{self.words()}\n\n{table(HEAD, self.rows())}"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def _walk(model: Any) -> Iterator[tuple[str, int, Any]]:
    """Give path, depth and module of every place in the tree, parents first."""
    todo: list[tuple[str, tuple[int, ...], Any]] = [("", (), model)]
    count = 0
    while todo:
        path, above, m = todo.pop()
        if not hasattr(m, "_modules") or not hasattr(m, "_parameters"):
            raise ValueError(f"{path or 'the model'} is a {type(m).__name__}, not a module.")
        if id(m) in above:
            raise ValueError(f"the module {path!r} contains itself; such a tree has no end.")
        count += 1
        if count > MOST:
            raise ValueError(f"more than {MOST} modules are too many for one picture; show a part.")
        yield path, len(above), m
        below = [(f"{path}.{name}".lstrip("."), c) for name, c in m._modules.items()]
        todo += [(way, (*above, id(m)), c) for way, c in reversed(below) if c is not None]


def _size(p: Any) -> dict[str, Any]:
    shape = tuple(int(n) for n in p.shape)
    return {"shape": " × ".join(map(str, shape)) or "one number", "size": math.prod(shape)}


def _ties(nodes: list[dict[str, Any]]) -> list[list[int]]:
    """Pair the parameters of the second block's linear2 with those of its linear1."""
    own = {node["path"]: node["own"] for node in nodes}
    return [list(pair) for pair in zip(own["1.linear2"], own["1.linear1"], strict=True)]

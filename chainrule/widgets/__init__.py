"""Interactive pieces of the lessons, drawn in the browser.

    from chainrule.widgets import TinyNet
    TinyNet()                                   # in a notebook: drag a weight
    print(TinyNet().text())                     # the same as a table of text
    write_page("net.html", TinyNet())           # a page that lives without a kernel

Importing this package imports nothing; a widget's libraries are imported when it is first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.widgets.build_and_run import BuildAndRun
    from chainrule.widgets.collapse import Collapse
    from chainrule.widgets.edge_walk import EdgeWalk
    from chainrule.widgets.graph_passes import GraphPasses
    from chainrule.widgets.module_tree import ModuleTree
    from chainrule.widgets.page import fragment, write_page
    from chainrule.widgets.ravine_race import RavineRace
    from chainrule.widgets.step_curve import StepCurve
    from chainrule.widgets.tape_viewer import TapeViewer
    from chainrule.widgets.tiny_net import TinyNet
    from chainrule.widgets.transfer_timeline import TransferTimeline
    from chainrule.widgets.tree_batches import TreeBatches

__all__ = [
    "BuildAndRun",
    "Collapse",
    "EdgeWalk",
    "GraphPasses",
    "ModuleTree",
    "RavineRace",
    "StepCurve",
    "TapeViewer",
    "TinyNet",
    "TransferTimeline",
    "TreeBatches",
    "fragment",
    "write_page",
]

_HOME = {
    "BuildAndRun": "build_and_run",
    "Collapse": "collapse",
    "EdgeWalk": "edge_walk",
    "GraphPasses": "graph_passes",
    "ModuleTree": "module_tree",
    "RavineRace": "ravine_race",
    "StepCurve": "step_curve",
    "TapeViewer": "tape_viewer",
    "TinyNet": "tiny_net",
    "TransferTimeline": "transfer_timeline",
    "TreeBatches": "tree_batches",
    "fragment": "page",
    "write_page": "page",
}


def __getattr__(name: str) -> object:
    """Import the module that defines `name` when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

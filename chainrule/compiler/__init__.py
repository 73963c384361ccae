"""What can be done to a program before it runs.

`passes.py` rewrites it: fewer steps, the same meaning. `memory.py` says which values may share a
buffer. `replay.py` turns it into one flat list of NumPy calls on buffers that are made once.
`trace.py` writes down what an eager function does as a program; `jit.py` puts it all together.
"""

from chainrule.compiler.jit import Jit, jit
from chainrule.compiler.passes import PASSES, Report, optimize, run
from chainrule.compiler.replay import Replay

__all__ = ["PASSES", "Jit", "Replay", "Report", "jit", "optimize", "run"]

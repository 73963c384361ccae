"""What can go wrong, by name: each message says what was expected, what came and where.

>>> import chainrule as cr
>>> try:
...     cr.ones(2, 3) @ cr.ones(2, 3)
... except cr.ShapeError as error:
...     print(error)
matmul: the last axis of x, shape (2, 3), must be as long as the second-last of y, shape (2, 3)
"""

from __future__ import annotations


class ChainruleError(Exception):
    """The parent of every error that this library raises on purpose."""


class ShapeError(ChainruleError, ValueError):
    """Shapes do not fit the operation, or each other."""


class AxisError(ShapeError, IndexError):
    """An axis or an index lies outside the array."""


class DTypeError(ChainruleError, TypeError):
    """A dtype or a type of argument that the operation does not take."""


class OptionError(ChainruleError, ValueError):
    """An option whose value makes no sense: a negative learning rate, a probability of 2."""


class StateError(ChainruleError, RuntimeError, ValueError):
    """Saved state that does not fit what it is loaded into."""


class BackwardError(ChainruleError, RuntimeError):
    """A backward pass that cannot run: no graph, a freed one, or no scalar to start from."""


class InPlaceError(BackwardError):
    """An in-place change that would make a gradient wrong."""


class DataError(ChainruleError, ValueError):
    """Data that is missing, changed or does not fit together."""


class GradcheckError(ChainruleError, AssertionError):
    """A gradient departs from its numerical estimate."""


class GraphError(ChainruleError, RuntimeError):
    """A static graph that cannot be built or run as it stands."""


class FeedError(GraphError, ValueError):
    """A feed that is missing, unknown, or of the wrong shape or dtype."""


class FetchError(GraphError, TypeError):
    """Something was fetched that is no node of this graph."""


class GraphFileError(GraphError, ValueError):
    """A saved graph that is incomplete or was changed."""


class TraceError(GraphError):
    """A function does something that a trace would bake in, or cannot see."""

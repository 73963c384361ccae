"""Checks that notebooks carry: `@test`, and what a test body may use.

It needs NumPy and the standard library, nothing else.
"""

from autograder.checks.helpers import (
    against,
    at_least,
    at_most,
    loops,
    pure,
    raises,
    require,
    same,
    trajectory,
)
from autograder.checks.judge import beside, call, callback
from autograder.checks.notebook import test
from autograder.checks.oracles import vjp_by_complex_step, vjp_by_differences

BODY_NAMES = (
    "against", "at_least", "at_most", "beside", "call", "callback", "loops", "pure", "raises",
    "require", "same", "trajectory", "vjp_by_complex_step", "vjp_by_differences",
)  # fmt: skip
"""What a test body finds in its namespace, with `np` and `math`."""

__all__ = [
    "BODY_NAMES", "against", "at_least", "at_most", "beside", "call", "callback", "loops", "pure",
    "raises", "require", "same", "test", "trajectory", "vjp_by_complex_step", "vjp_by_differences",
]  # fmt: skip

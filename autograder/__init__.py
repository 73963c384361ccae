"""Chainrule's autograder: lessons built, checked, audited and graded.

A notebook imports it for one name: a check is a function under `@autograder.test`.
"""

from autograder.checks import test

__all__ = ["test"]

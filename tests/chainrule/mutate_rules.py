"""Break every rule of the table, one slip at a time, and count which breaks go unnoticed.

    python tests/chainrule/mutate_rules.py [--every N] [OPERATION ...]

A mutant of a rule dies if one of the cases that record its operation gives another gradient than
PyTorch (either dtype), another second derivative than differences, or another value in a static
graph. `EXPLAINED` says of each survivor why it is no error. `test_mutants_of_rules.py` runs a part.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import test_graph  # noqa: E402
import test_operations  # noqa: E402
from operation_cases import CASES, Case  # noqa: E402
from test_table import nodes  # noqa: E402

import chainrule as cr  # noqa: E402
from autograder.audit.mutants import mutants  # noqa: E402
from chainrule import graph  # noqa: E402
from chainrule.primitive import TABLE  # noqa: E402

SAME_SUM = "another way to the same numbers: what is not summed here, `sweep.fit` sums down"
FALLS = "falls through to the general form, which gives the same numbers for a Python exponent"
SWAPPED = "maximum of the same two, in the other order"
EXACT = "0 and 1 are exact in every float dtype; only float16 logits would see another dtype"
UNSEEN = "the quotient is taken in float64 and cast back to the dtype of the input by `sweep.fit`"
EMPTY = "differs only where nothing is reduced, and there the gradient has no elements"

#: Survivors by id, and why each is no error.
EXPLAINED: dict[str, str] = {
    "_binary_losses._binary_losses_p.L1.swap_arguments.1": SWAPPED,
    "_class_losses._class_losses_logits.L3.drop_keyword.2": EXACT,
    "_variance._variance_x.L1.swap_arguments.1": SWAPPED,
    "cast.cast_x.L1.drop_keyword.1": "`sweep.fit` casts to the dtype of the input",
    "expand.expand_x.L1.always.1": SAME_SUM,
    "expand.expand_x.L1.never.1": SAME_SUM,
    "expand.expand_x.L1.negate.1": SAME_SUM,
    "matmul.matmul_y.L2.drop_sign.1": "a vector has one axis: behind it is place 1 and place -1",
    "matmul.matmul_y.L5.never.1": SAME_SUM,
    "matmul.matmul_y.L5.zero.1": SAME_SUM,
    "matmul.matmul_y.L5.boundary.1": SAME_SUM,
    "matmul.matmul_y.L5.negate.2": SAME_SUM,
    "matmul.matmul_y.L5.one_more.2": SAME_SUM,
    "matmul.matmul_y.L5.zero.2": SAME_SUM,
    "matmul.matmul_y.L7.no_return.1": SAME_SUM,
    "max.chosen_x.L2.mul_to_div.2": "divided by 1 or multiplied by 1",
    "max.chosen_x.L2.keep_left.3": UNSEEN,
    "mean.mean_x.L1.swap_arguments.1": SWAPPED,
    "mean.mean_x.L1.zero.1": EMPTY,
    "min.chosen_x.L2.mul_to_div.2": "divided by 1 or multiplied by 1",
    "min.chosen_x.L2.keep_left.3": UNSEEN,
    "power.power_x.L1.never.1": FALLS,
    "power.power_x.L1.keep_left.1": FALLS,
    "power.power_x.L1.keep_right.1": FALLS,
    "power.power_x.L2.no_return.1": FALLS,
    "power.power_x.L4.one_more.2": "the inner number stands where `where` chooses the 0",
    "power.power_x.L4.zero.1": "the inner number stands where `where` chooses the 0",
    "power.power_y.L2.sibling.1": "the inner number stands where `where` chooses the 0",
}


def in_graph(case: Case) -> None:
    """Compare gradients in a static graph with those of the tape."""
    with graph.Graph():
        test_graph.test_every_operation_gives_the_values_and_gradients_of_the_tape(case)


CHECKS: list[Callable[[Case], None]] = [
    lambda case: test_operations.test_values_and_gradients_equal_pytorchs(case, "float64"),
    lambda case: test_operations.test_values_and_gradients_equal_pytorchs(case, "float32"),
    lambda case: test_operations.test_gradients_equal_differences(case),
    lambda case: test_operations.test_recorded_rules_give_what_rules_on_arrays_give(case),
    lambda case: test_operations.test_second_derivatives_equal_differences_of_the_first(case),
    in_graph,
]


SMOOTH, SECOND = (CHECKS[2], CHECKS[4]), CHECKS[4]

#: Checks of operations that only a higher derivative reaches.
MORE: dict[str, Callable[[], None]] = {
    "_from_largest": test_operations.test_pooling_rules_of_the_third_order,
}


def cases_of() -> dict[str, list[Case]]:
    """Return for each operation the cases that record it, in a first or second derivative."""
    found: dict[str, list[Case]] = {}
    for case in CASES:
        names: set[str] = set()
        inputs = [cr.tensor(a, requires_grad=a.dtype.kind == "f") for a in case.draw()]
        out = case.call(cr, *inputs)
        names.update(node.op.name for node in nodes(out))
        floats = [x for x in inputs if x.requires_grad]
        if case.second and out.requires_grad:
            upstream = cr.ones(*out.shape, dtype="float64", requires_grad=True)
            for g in cr.grad(out, floats, upstream, create_graph=True, allow_unused=True):
                names.update(node.op.name for node in nodes(g)) if g is not None else None
        for name in names:
            found.setdefault(name, []).append(case)
    return found


def changed_rules(name: str) -> Iterator[tuple[str, int, Any, str]]:
    """Give each mutant of an operation's rules: id, place of the input, the rule, its line."""
    op = TABLE[name]
    for place, rule in enumerate(op.rules):
        if rule is None:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(rule)))
        definition = tree.body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.decorator_list = []
        lines = ast.unparse(definition).split("\n")
        body = ["    ### BEGIN SOLUTION", *lines[1:], "    ### END SOLUTION"]
        for mutant in mutants(f"{name}.{rule.__name__}", "\n".join([lines[0], *body])):
            space = dict(rule.__globals__)
            exec(compile(mutant.source, mutant.id, "exec"), space)
            yield mutant.id, place, space[rule.__name__], mutant.line.strip()


def dies(case: Case) -> str | None:
    """Return which check notices, or None."""
    for check in CHECKS:
        if (case.kink and check in SMOOTH) or (not case.second and check is SECOND):
            continue
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                check(case)
        except (Exception, RecursionError) as error:
            return type(error).__name__
    return None


def fails(name: str) -> bool:
    """Return whether the further check of an operation, if it has one, notices."""
    try:
        MORE.get(name, lambda: None)()
    except Exception:
        return True
    return False


def survey(names: list[str], every: int = 1) -> tuple[int, list[tuple[str, str]]]:
    """Return how many mutants there were, and the id and line of those that nobody noticed."""
    cases, total, survivors, number = cases_of(), 0, [], 0
    for name in names:
        op = TABLE[name]
        original = list(op.rules)
        for key, place, rule, line in changed_rules(name):
            number += 1
            if number % every:
                continue
            total += 1
            op.rules = [rule if i == place else r for i, r in enumerate(original)]
            op.plans.clear()
            try:
                if not any(dies(case) for case in cases.get(name, [])) and not fails(name):
                    survivors.append((key, line))
            finally:
                op.rules = original
                op.plans.clear()
    return total, survivors


def main() -> int:
    """Print the survivors and the share of mutants that died."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("operations", nargs="*", help="names of the table; default: all")
    parser.add_argument("--every", type=int, default=1, help="only every Nth mutant")
    args = parser.parse_args()
    total, survivors = survey(args.operations or sorted(TABLE), args.every)
    for key, line in survivors:
        print(f"{key:60} {line}\n    {EXPLAINED.get(key, 'not explained')}")
    share = 1 - len(survivors) / max(total, 1)
    print(f"{total} mutants, {total - len(survivors)} died: {share:.1%}")
    return 1 if any(key not in EXPLAINED for key, _ in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())

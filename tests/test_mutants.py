"""Mechanical mutants: what the table makes of a solution, and what it is named."""

import ast

import pytest

from autograder.audit.mutants import chosen, mutants
from autograder.audit.slips import SLIPS


def cell(body: str, head: str = "def f(x, y):") -> str:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return f"{head}\n    ### BEGIN SOLUTION\n{lines}\n    ### END SOLUTION"


# slip -> (a solution, a line that the slip makes of it)
EXAMPLES = {
    "add_to_sub": ("return x + y", "return x - y"),
    "sub_to_add": ("return x - y", "return x + y"),
    "mul_to_div": ("return x * y", "return x / y"),
    "div_to_mul": ("return x / y", "return x * y"),
    "matmul_to_mul": ("return x @ y", "return x * y"),
    "pow_to_mul": ("return x ** y", "return x * y"),
    "floor_to_div": ("return x // y", "return x / y"),
    "mod_to_floor": ("return x % y", "return x // y"),
    "keep_left": ("return x + y", "return x"),
    "keep_right": ("return x + y", "return y"),
    "swap_operands": ("return x - y", "return y - x"),
    "drop_sign": ("return -x", "return x"),
    "drop_not": ("return not x", "return x"),
    "boundary": ("return x < y", "return x <= y"),
    "negate": ("return x < y", "return x >= y"),
    "and_to_or": ("return x and y", "return x or y"),
    "or_to_and": ("return x or y", "return x and y"),
    "one_more": ("return x[0]", "return x[1]"),
    "zero": ("return x[1]", "return x[0]"),
    "flip": ("return f(x, True)", "return f(x, False)"),
    "other_axis": ("return x.sum(axis=1)", "return x.sum(axis=0)"),
    "drop_keyword": ("return x.sum(axis=1, keepdims=True)", "return x.sum(axis=1)"),
    "swap_arguments": ("return f(x, y)", "return f(y, x)"),
    "sibling": ("return np.maximum(x, 0)", "return np.minimum(x, 0)"),
    "drop_call": ("return np.exp(x)", "return x"),
    "drop_method": ("return x.copy()", "return x"),
    "range": ("return list(range(3))", "return list(range(3 - 1))"),
    "drop_transpose": ("return x @ y.T", "return x @ y"),
    "drop_filter": ("return [a for a in x if a]", "return [a for a in x]"),
    "always": ("return x if y else 0", "return x if True else 0"),
    "never": ("return x if y else 0", "return x if False else 0"),
    "drop": ("y.append(x)\nreturn y", "pass"),
    "overwrite": ("x += y\nreturn x", "x = y"),
    "in_place": ("x = x - y\nreturn x", "x -= y"),
    "no_return": ("return x", "x"),
    "negate_return": ("return x", "return -x"),
    "swap_results": ("return x, y", "return (y, x)"),
}


def test_every_slip_has_an_example() -> None:
    assert set(EXAMPLES) == {slip.name for slip in SLIPS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_slip_makes_its_line(name: str) -> None:
    body, line = EXAMPLES[name]
    made = [m.line for m in mutants("f", cell(body)) if m.id.split(".")[2] == name]
    assert line in made


def test_ids_are_readable_and_do_not_move_with_comments_or_blanks() -> None:
    plain = cell("a = x * y\nreturn a + x")
    noted = cell("# first the product\n\na = x * y  # of both\n\n\nreturn (\n    a\n    + x\n)")
    ids = [mutant.id for mutant in mutants("forward", plain)]
    assert "forward.L2.add_to_sub.1" in ids
    assert ids == [mutant.id for mutant in mutants("forward", noted)]
    again = mutants("forward", plain.replace("def f", "# a comment above\ndef f"))
    assert ids == [mutant.id for mutant in again]


def test_only_the_solution_region_is_changed() -> None:
    source = 'def f(x, k=1):\n    """Sum of 1 and 2."""\n    x = x + 3\n' + "\n".join(
        cell("return x * k").split("\n")[1:]
    )
    made = mutants("f", source)
    assert made
    for mutant in made:
        assert "x = x + 3" in mutant.source and "k=1" in mutant.source
        assert "Sum of 1 and 2." in mutant.source


def test_mutants_compile_and_differ_from_the_solution_and_each_other() -> None:
    source = cell("total = 0\nfor a in x:\n    total = total + a * 1\nreturn total + 0 * y")
    made = mutants("f", source)
    trees = [ast.dump(ast.parse(mutant.source)) for mutant in made]
    assert len(set(trees)) == len(trees)
    assert ast.dump(ast.parse(source)) not in trees
    # `a * 1` to `a` is made by keep_left alone; 0 -> 0 is no mutant
    assert not any(mutant.id.endswith("zero.1") and "L1" in mutant.id for mutant in made)


def test_a_lost_line_that_is_only_a_missing_name_is_not_made() -> None:
    made = mutants("f", cell("a = x * y\nreturn a"))
    assert not [mutant for mutant in made if ".drop." in mutant.id]
    rebound = mutants("f", cell("a = x\na = a * y\nreturn a"))
    assert [mutant.id for mutant in rebound if ".drop." in mutant.id] == [
        "f.L1.drop.1",
        "f.L2.drop.1",
    ]


def test_messages_and_annotations_are_left_alone() -> None:
    source = cell(
        'if x < 0:\n    raise ValueError(f"{x + 1} and {y * 2}", 3)\na: int = x\nreturn a'
    )
    for mutant in mutants("f", source):
        assert "a: int" in mutant.source or mutant.id.startswith("f.L3")
        assert "{x + 1} and {y * 2}" in mutant.source or ".drop." in mutant.id


def test_a_cap_keeps_the_same_ones_when_other_lines_change() -> None:
    before = mutants("f", cell("a = x + y\nb = x - y\nreturn a * b"))
    after = mutants("f", cell("a = x + y\nb = x - y\nreturn a * b * 2"))
    assert len(before) > 8
    kept = {mutant.id for mutant in chosen(before, 8)}
    assert len(kept) == 8
    again = {mutant.id for mutant in chosen(after, 8)}
    assert len(kept & again) >= 4
    one = next(mutant.id for mutant in before if mutant.id not in kept)
    assert one in {mutant.id for mutant in chosen(before, 8, always=[one])}
    assert [m.id for m in chosen(before, 8)] == [m.id for m in before if m.id in kept]

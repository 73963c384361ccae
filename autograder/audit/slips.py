"""The small slips that make a mutant: `SLIPS`, one line each.

A slip looks at one node of the solution's syntax tree and yields what may stand in its place.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Context:
    """What a slip must know beyond its node."""

    axes: frozenset[int]
    """ids of the constants after `axis=` and `keepdims=`, which have slips of their own."""
    rebound: frozenset[str]
    """Names bound more than once in the cell: to lose one binding is a slip, not a NameError."""
    arguments: frozenset[str]
    """Names of arguments: what they hold belongs to a caller."""

    @classmethod
    def of(cls, tree: ast.AST) -> Context:
        """Read a whole tree."""
        axes, bound, arguments = [], [], []
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("axis", "keepdims"):
                axes += [id(part) for part in ast.walk(node.value)]
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.append(node.id)
            elif isinstance(node, ast.arg):
                arguments.append(node.arg)
        rebound = {name for name in bound if name in arguments or bound.count(name) > 1}
        return cls(frozenset(axes), frozenset(rebound), frozenset(arguments))


Change = Callable[[Any, Context], Iterator[ast.AST]]


@dataclass(frozen=True)
class Slip:
    """One rule: its name, the nodes it looks at, and what it makes of them."""

    name: str
    kind: type[ast.AST] | tuple[type[ast.AST], ...]
    change: Change


def _with(node: ast.AST, **fields: Any) -> Any:
    """Return a copy of a node with other fields; children are shared."""
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return twin


def _called(node: ast.expr) -> str:
    func = node.func if isinstance(node, ast.Call) else node
    return getattr(func, "attr", getattr(func, "id", ""))


# -- makers of changes -------------------------------------------------------------------------


def operator(old: type[ast.AST], new: type[ast.AST]) -> Change:
    """Another operator in a binary operation, an augmented assignment or a connection."""

    def change(node: Any, _: Context) -> Iterator[ast.AST]:
        if isinstance(node.op, old):
            yield _with(node, op=new())

    return change


def comparison(table: Mapping[type[ast.cmpop], type[ast.cmpop]]) -> Change:
    """Another comparison, by table."""

    def change(node: ast.Compare, _: Context) -> Iterator[ast.AST]:
        for place, op in enumerate(node.ops):
            if type(op) in table:
                ops = [*node.ops[:place], table[type(op)](), *node.ops[place + 1 :]]
                yield _with(node, ops=ops)

    return change


def named(table: Mapping[str, str]) -> Change:
    """Another function or method of the same shape, by table."""

    def change(node: ast.Call, _: Context) -> Iterator[ast.AST]:
        new = table.get(_called(node))
        if new and isinstance(node.func, ast.Attribute):
            yield _with(node, func=_with(node.func, attr=new))
        elif new and isinstance(node.func, ast.Name):
            yield _with(node, func=_with(node.func, id=new))

    return change


def part(field: str, of: type[ast.AST] | None = None) -> Change:
    """A part of a node in the place of the whole; `of` is the operator that it must have."""

    def change(node: Any, _: Context) -> Iterator[ast.AST]:
        if of is None or isinstance(node.op, of):
            yield getattr(node, field)

    return change


def test_is(value: bool) -> Change:
    """A condition that always or never holds."""

    def change(node: Any, _: Context) -> Iterator[ast.AST]:
        yield _with(node, test=ast.Constant(value))

    return change


# -- changes ------------------------------------------------------------------------------------


def swap_operands(node: ast.BinOp, _: Context) -> Iterator[ast.AST]:
    """`a - b` to `b - a`."""
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow | ast.FloorDiv | ast.Mod):
        yield _with(node, left=node.right, right=node.left)


def number(step: Callable[[Any], Any]) -> Change:
    """Another number; those of `axis=` have their own slip."""

    def change(node: ast.Constant, context: Context) -> Iterator[ast.AST]:
        plain = type(node.value) in (int, float) and id(node) not in context.axes
        if plain and step(node.value) != node.value:
            yield ast.Constant(step(node.value))

    return change


def flip(node: ast.Constant, context: Context) -> Iterator[ast.AST]:
    """`True` to `False` and back."""
    if isinstance(node.value, bool) and id(node) not in context.axes:
        yield ast.Constant(not node.value)


def other_axis(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`axis=1` to `axis=0`, and 0 or -1 to the others that a matrix has."""
    for place, keyword in enumerate(node.keywords):
        if keyword.arg == "axis" and (value := _axis(keyword.value)) is not None:
            new = ast.keyword("axis", ast.Constant(1 if value == 0 else 0))
            yield _with(node, keywords=[*node.keywords[:place], new, *node.keywords[place + 1 :]])


def _axis(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None


def drop_keyword(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`x.sum(axis=1, keepdims=True)` without one of its keywords."""
    for place in range(len(node.keywords)):
        yield _with(node, keywords=[*node.keywords[:place], *node.keywords[place + 1 :]])


def swap_arguments(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`f(a, b)` to `f(b, a)`."""
    if len(node.args) == 2 and not any(isinstance(item, ast.Starred) for item in node.args):
        yield _with(node, args=node.args[::-1])


def drop_call(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`np.exp(x)` to `x`, `np.maximum(x, 0)` to `x`: a step of the computation forgotten."""
    func = node.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        forgotten = func.value.id in ("np", "numpy", "math") and len(node.args) > 0
    else:
        forgotten = isinstance(func, ast.Name) and func.id in WRAPPERS and len(node.args) == 1
    if forgotten:
        yield node.args[0]


WRAPPERS = frozenset({"abs", "float", "int", "list", "tuple", "dict", "set", "sorted", "reversed"})


def drop_method(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`x.copy()` to `x`; so for methods that return another form of the same thing."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in (
        "copy", "astype", "reshape", "ravel", "flatten", "transpose", "squeeze", "clip", "strip",
    ):  # fmt: skip
        yield node.func.value


def drop_transpose(node: ast.Attribute, _: Context) -> Iterator[ast.AST]:
    """`x.T` to `x`."""
    if node.attr == "T":
        yield node.value


def drop_statement(node: ast.stmt, context: Context) -> Iterator[ast.AST]:
    """A line forgotten; lines whose loss would only be a missing name are left alone."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    named = [item.id for item in targets if isinstance(item, ast.Name)]
    if all(name in context.rebound for name in named) and not _holds_tuple(targets):
        yield ast.Pass()


def _holds_tuple(targets: list[ast.expr]) -> bool:
    return any(isinstance(item, ast.Tuple | ast.List) for item in targets)


def return_none(node: ast.Return, _: Context) -> Iterator[ast.AST]:
    """The `return` forgotten."""
    if node.value is not None:
        yield ast.Expr(node.value)


def negate_return(node: ast.Return, _: Context) -> Iterator[ast.AST]:
    """The result, or one of several results, with the other sign."""
    if isinstance(node.value, ast.Tuple):
        for place, item in enumerate(node.value.elts):
            if isinstance(item, NO_SIGN):
                continue
            elts = [*node.value.elts]
            elts[place] = ast.UnaryOp(ast.USub(), item)
            yield _with(node, value=_with(node.value, elts=elts))
    elif node.value is not None and not isinstance(node.value, NO_SIGN):
        yield _with(node, value=ast.UnaryOp(ast.USub(), node.value))


NO_SIGN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Lambda)


def swap_results(node: ast.Return, _: Context) -> Iterator[ast.AST]:
    """`return a, b` to `return b, a`."""
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        first, second, *rest = node.value.elts
        yield _with(node, value=_with(node.value, elts=[second, first, *rest]))


def range_bounds(node: ast.Call, _: Context) -> Iterator[ast.AST]:
    """`range(n)` that ends one too early or begins one too late."""
    if _called(node) != "range" or not node.args:
        return
    one = ast.Constant(1)
    if len(node.args) == 1:
        yield _with(node, args=[ast.BinOp(node.args[0], ast.Sub(), one)])
        yield _with(node, args=[one, node.args[0]])
        return
    first, last, *rest = node.args
    yield _with(node, args=[first, ast.BinOp(last, ast.Sub(), one), *rest])
    yield _with(node, args=[ast.BinOp(first, ast.Add(), one), last, *rest])


def overwrite(node: ast.AugAssign, _: Context) -> Iterator[ast.AST]:
    """`x += y` to `x = y`."""
    yield ast.Assign([node.target], node.value)


def in_place(node: ast.Assign, context: Context) -> Iterator[ast.AST]:
    """`x = x - y` to `x -= y` where `x` is an argument: a caller's array changes."""
    target, value = node.targets[0], node.value
    if (
        len(node.targets) > 1
        or not isinstance(target, ast.Name)
        or not isinstance(value, ast.BinOp)
    ):
        return
    if target.id in context.arguments and ast.unparse(value.left) == target.id:
        yield ast.AugAssign(target, value.op, value.right)


def drop_filter(node: ast.expr, _: Context) -> Iterator[ast.AST]:
    """A comprehension without its `if`."""
    for place, generator in enumerate(node.generators):  # type: ignore[attr-defined]
        if generator.ifs:
            twins = list(node.generators)  # type: ignore[attr-defined]
            twins[place] = _with(generator, ifs=[])
            yield _with(node, generators=twins)


# -- the table ----------------------------------------------------------------------------------

ARITHMETIC = (ast.BinOp, ast.AugAssign)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
NEGATION = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
SIBLINGS = {
    "maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "sum": "mean",
    "mean": "sum", "argmax": "argmin", "argmin": "argmax", "zeros": "ones", "ones": "zeros",
    "zeros_like": "ones_like", "ones_like": "zeros_like", "empty": "ones", "var": "std",
    "std": "var", "exp": "log", "log": "exp", "sin": "cos", "cos": "sin", "sqrt": "square",
    "square": "sqrt", "uniform": "normal", "normal": "uniform", "all": "any", "any": "all",
    "append": "remove", "isinstance": "issubclass",
}  # fmt: skip

SLIPS = (
    Slip("add_to_sub", ARITHMETIC, operator(ast.Add, ast.Sub)),
    Slip("sub_to_add", ARITHMETIC, operator(ast.Sub, ast.Add)),
    Slip("mul_to_div", ARITHMETIC, operator(ast.Mult, ast.Div)),
    Slip("div_to_mul", ARITHMETIC, operator(ast.Div, ast.Mult)),
    Slip("matmul_to_mul", ARITHMETIC, operator(ast.MatMult, ast.Mult)),
    Slip("pow_to_mul", ARITHMETIC, operator(ast.Pow, ast.Mult)),
    Slip("floor_to_div", ARITHMETIC, operator(ast.FloorDiv, ast.Div)),
    Slip("mod_to_floor", ARITHMETIC, operator(ast.Mod, ast.FloorDiv)),
    Slip("keep_left", ast.BinOp, part("left")),
    Slip("keep_right", ast.BinOp, part("right")),
    Slip("swap_operands", ast.BinOp, swap_operands),
    Slip("drop_sign", ast.UnaryOp, part("operand", ast.USub)),
    Slip("drop_not", ast.UnaryOp, part("operand", ast.Not)),
    Slip("boundary", ast.Compare, comparison(BOUNDARY)),
    Slip("negate", ast.Compare, comparison(NEGATION)),
    Slip("and_to_or", ast.BoolOp, operator(ast.And, ast.Or)),
    Slip("or_to_and", ast.BoolOp, operator(ast.Or, ast.And)),
    Slip("one_more", ast.Constant, number(lambda n: n + 1)),
    Slip("zero", ast.Constant, number(lambda n: 0)),
    Slip("flip", ast.Constant, flip),
    Slip("other_axis", ast.Call, other_axis),
    Slip("drop_keyword", ast.Call, drop_keyword),
    Slip("swap_arguments", ast.Call, swap_arguments),
    Slip("sibling", ast.Call, named(SIBLINGS)),
    Slip("drop_call", ast.Call, drop_call),
    Slip("drop_method", ast.Call, drop_method),
    Slip("range", ast.Call, range_bounds),
    Slip("drop_transpose", ast.Attribute, drop_transpose),
    Slip("drop_filter", COMPREHENSIONS, drop_filter),
    Slip("always", (ast.If, ast.IfExp), test_is(True)),
    Slip("never", (ast.If, ast.IfExp, ast.While), test_is(False)),
    Slip("drop", (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Assert), drop_statement),
    Slip("overwrite", ast.AugAssign, overwrite),
    Slip("in_place", ast.Assign, in_place),
    Slip("no_return", ast.Return, return_none),
    Slip("negate_return", ast.Return, negate_return),
    Slip("swap_results", ast.Return, swap_results),
)

"""Numbers that a rule of a name map reckons from the numbers of a name."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from graphmap.errors import NameMapError

__all__ = ["read_expression"]

_WIDTH = re.compile(r"(.*):0(\d{1,2})")
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_LONGEST = 200  # characters of an expression
_BIGGEST = 10**12  # a number past this stands in no name


def read_expression(text: str) -> tuple[Callable[[re.Match[str]], str], list[int]]:
    r"""Return what makes the text of a match, and the groups that it uses; ValueError if unread.

    >>> of, groups = read_expression(r"\1*2+1:02")
    >>> of(re.fullmatch(r"layer_(\d+)", "layer_3")), groups
    ('07', [1])
    """
    if len(text) > _LONGEST:
        raise ValueError("an expression is too long")
    sized = _WIDTH.fullmatch(text)
    body = sized[1] if sized else text
    if not re.fullmatch(r"(?:\\\d+|[\d+*/%() -])+", body):
        raise ValueError(f"{body!r} is no arithmetic over groups")
    tree = ast.parse(re.sub(r"\\(\d+)", r"g\1", body), mode="eval").body
    groups, value = _groups(tree), _value(tree)
    width = int(sized[2]) if sized else 0

    def number(found: re.Match[str]) -> str:
        result = value(found)
        if abs(result) > _BIGGEST:
            raise NameMapError(
                f"a rule makes the number {result:.0e} of {found[0][:60]!r}",
                remedy="Make the map again with: graphmap match",
            )
        return str(result).zfill(width)

    return number, groups


def _groups(tree: ast.expr) -> list[int]:
    """Return the groups of an expression; ValueError for what is no arithmetic."""
    if isinstance(tree, ast.Name):
        return [int(tree.id[1:])]
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return []
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        return [*_groups(tree.left), *_groups(tree.right)]
    raise ValueError("only + - * // % are known")


def _value(tree: ast.expr) -> Callable[[re.Match[str]], int]:
    """Return the function of an expression that _groups let pass."""
    if isinstance(tree, ast.Name):
        group = int(tree.id[1:])
        return lambda found: int(found[group])
    if isinstance(tree, ast.Constant):
        constant = int(str(tree.value))
        return lambda _: constant
    assert isinstance(tree, ast.BinOp)
    left, right, apply = _value(tree.left), _value(tree.right), _OPERATORS[type(tree.op)]
    return lambda found: apply(left(found), right(found))

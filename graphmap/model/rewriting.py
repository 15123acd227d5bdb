r"""Rules of a name map: what a pattern and a replacement mean, and how they are applied.

A replacement is text with `\1`, `\g<1>` for a group, and `{\1+3}` for a number that is
reckoned from groups: `+ - * // %`, parentheses, integers, with a width as in `{\1+3:02}`.
A brace that is meant literally is doubled. Without braces it is a template of Python's `re`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from graphmap.errors import NameMapError
from graphmap.model.namemap import Rule

__all__ = ["Rewrite", "compile_rule", "is_plain", "rewrite"]

Rewrite = Callable[[str], str | None]
_PIECES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\\g<(\d+)>|\\(\d{1,2})|\\(.)|([^{}\\]+)", re.DOTALL)
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


def compile_rule(rule: Rule) -> Rewrite:
    r"""Return the function of a rule: the new name, or None where the pattern does not fit.

    >>> rewrite_one = compile_rule(Rule(r"^block_(\d+)/w$", r"layer/{\1+1}/kernel", 4))
    >>> rewrite_one("block_0/w"), rewrite_one("block_0/b")
    ('layer/1/kernel', None)

    Raises NameMapError where pattern or replacement cannot be read.
    """
    try:
        pattern = re.compile(rule.pattern)
        pieces = _pieces(rule.replacement)
        if max((group for piece in pieces for group in piece.groups), default=0) > pattern.groups:
            raise ValueError("it names a group that the pattern lacks")
    except (re.error, ValueError, SyntaxError, RecursionError) as cause:
        raise NameMapError(
            f"cannot be read as a rule: {cause}",
            where=f"{rule.pattern} -> {rule.replacement}"[:200],
            remedy="Make the map again with: graphmap match",
        ) from cause

    def rewrite_one(name: str) -> str | None:
        found = pattern.fullmatch(name)
        return None if found is None else "".join([piece.of(found) for piece in pieces])

    return rewrite_one


def rewrite(rules: Sequence[Rule], name: str) -> str | None:
    """Return the name that the first fitting rule gives, None where none fits."""
    for rule in rules:
        found = compile_rule(rule)(name)
        if found is not None:
            return found
    return None


def is_plain(rule: Rule) -> bool:
    """Whether the replacement is a template of Python's `re`, without arithmetic or braces."""
    return not set("{}") & set(rule.replacement)


class _Piece(NamedTuple):
    """Part of a replacement. of: what it becomes in a name; groups: those that it uses."""

    of: Callable[[re.Match[str]], str]
    groups: list[int]


def _text(text: str) -> _Piece:
    return _Piece(lambda _: text, [])


def _group(number: int) -> _Piece:
    return _Piece(lambda found: found[number] or "", [number])


def _pieces(replacement: str) -> list[_Piece]:
    pieces, at = [], 0
    while at < len(replacement):
        found = _PIECES.match(replacement, at)
        if found is None:
            raise ValueError(f"{replacement[at:][:20]!r} stands alone")
        expression, long, short, escaped, text = found.groups()
        if expression is not None:
            pieces.append(_expression(expression))
        elif long or short:
            pieces.append(_group(int(long or short)))
        elif escaped is not None:
            pieces.append(_text(escaped))
        else:
            pieces.append(_text(text or found[0][0]))
        at = found.end()
    return pieces


def _expression(text: str) -> _Piece:
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

    return _Piece(number, groups)


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

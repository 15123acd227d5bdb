r"""Rules of a name map: what a pattern and a replacement mean, and how they are applied.

A replacement is text with `\1`, `\g<1>` for a group, and `{\1+3}` for a number that is
reckoned from groups: `+ - * // %`, parentheses, integers, with a width as in `{\1+3:02}`.
A brace that is meant literally is doubled. Without braces it is a template of Python's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from graphmap.errors import NameMapError
from graphmap.model.namemap import Rule

__all__ = ["Rewrite", "compile_rule", "is_plain", "rewrite", "rewrite_lines"]

Rewrite = Callable[[str], str | None]
_PIECES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\\g<(\d+)>|\\(\d{1,2})|\\(.)|([^{}\\]+)", re.DOTALL)


def compile_rule(rule: Rule) -> Rewrite:
    r"""Return the function of a rule: the new name, or None where the pattern does not fit.

    >>> rewrite_one = compile_rule(Rule(r"^block_(\d+)/w$", r"layer/{\1+1}/kernel", 4))
    >>> rewrite_one("block_0/w"), rewrite_one("block_0/b")
    ('layer/1/kernel', None)

    Raises NameMapError where pattern or replacement cannot be read.
    """
    pattern, pieces = _read(rule)
    form = _form(pattern, pieces)
    if form is not None:
        return _copying(pattern, form)

    def rewrite_one(name: str) -> str | None:
        found = pattern.fullmatch(name)
        return None if found is None else "".join([piece.of(found) for piece in pieces])

    return rewrite_one


def rewrite_lines(rule: Rule, names: Sequence[str]) -> list[str] | None:
    r"""Return what a rule makes of many names at once, in a third of the time.

    None where that is not to be had: it copies groups and reckons nothing, and fits every name.

    >>> rewrite_lines(Rule(r"^block_(\d+)/w$", r"layer/\1/kernel", 2), ["block_0/w", "block_1/w"])
    ['layer/0/kernel', 'layer/1/kernel']
    """
    pattern, pieces = _read(rule)
    form = _form(pattern, pieces)
    if form is None or not pattern.groups:
        return None
    text = "\n".join(names)
    found = re.findall(rule.pattern, text, re.MULTILINE)
    if not len(found) == len(names) == text.count("\n") + 1:
        return None
    return [form % groups for groups in found]


def _read(rule: Rule) -> tuple[re.Pattern[str], list[_Piece]]:
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
    return pattern, pieces


def _form(pattern: re.Pattern[str], pieces: Sequence[_Piece]) -> str | None:
    """Return a format of `%` for all groups, None unless each is copied once, in order."""
    used = [group for piece in pieces for group in piece.groups]
    if all(piece.form for piece in pieces) and used == list(range(1, pattern.groups + 1)):
        return "".join([piece.form for piece in pieces])
    return None


def _copying(pattern: re.Pattern[str], form: str) -> Rewrite:
    """Return the function of a rule that copies each group once, in order; half the time."""

    def rewrite_one(name: str) -> str | None:
        found = pattern.fullmatch(name)
        return None if found is None else form % found.groups("")

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
    """Part of a replacement. of: what it becomes in a name; groups: those that it uses.

    form: of text or a group alone, what stands for it in a format of `%`.
    """

    of: Callable[[re.Match[str]], str]
    groups: list[int]
    form: str = ""


def _text(text: str) -> _Piece:
    return _Piece(lambda _: text, [], text.replace("%", "%%"))


def _group(number: int) -> _Piece:
    return _Piece(lambda found: found[number] or "", [number], "%s")


def _pieces(replacement: str) -> list[_Piece]:
    pieces, at = [], 0
    while at < len(replacement):
        found = _PIECES.match(replacement, at)
        if found is None:
            raise ValueError(f"{replacement[at:][:20]!r} stands alone")
        expression, long, short, escaped, text = found.groups()
        if expression is not None:
            from graphmap.model.arithmetic import read_expression  # brings Python's own parser

            pieces.append(_Piece(*read_expression(expression)))
        elif long or short:
            pieces.append(_group(int(long or short)))
        elif escaped is not None:
            pieces.append(_text(escaped))
        else:
            pieces.append(_text(text or found[0][0]))
        at = found.end()
    return pieces

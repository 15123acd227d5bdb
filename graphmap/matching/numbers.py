r"""What a number in a name is, reckoned from the numbers of another name.

>>> find_number(["1", "2", "3"], [["0", "1", "2"]])
'{\\1+1}'
>>> find_number(["0", "0", "1", "1"], [["0", "1", "2", "3"]])
'{\\1//2}'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["find_number"]

MOST_PARTS = 256  # blocks of a stage, heads of a layer
SAMPLE = 64  # names on which an expression is tried; a rule is proven on all of them later


def find_number(wanted: Sequence[str], sources: Sequence[Sequence[str]]) -> str | None:
    r"""Return the replacement text that makes `wanted` of the groups, None where none does.

    wanted: the number of each name, as it is written. sources: for each group, its numbers.
    Tried are: a constant, a copy, i + c, c - i, i // k, i % k (of i + c), i * k + j + c.
    """
    if len(set(wanted)) == 1:
        return wanted[0]
    for group, column in enumerate(sources, 1):
        if list(column) == list(wanted):
            return f"\\{group}"
    width = _width(wanted)
    if width is None:
        return None
    suffix = f":0{width}" if width else ""
    places = range(0, len(wanted), max(1, len(wanted) // SAMPLE))
    target = [int(wanted[at]) for at in places]
    columns = [_Column(column, places) for column in sources]
    for text, values in _expressions(target, columns):
        if values == target:
            return f"{{{text}{suffix}}}"
    return None


def _width(wanted: Sequence[str]) -> int | None:
    """Return the width of padded numbers, 0 for plain ones, None where it varies."""
    if not any(len(text) > 1 and text[0] == "0" for text in wanted):
        return 0
    widths = {len(text) for text in wanted}
    return widths.pop() if len(widths) == 1 else None


class _Column(list[int]):
    """The numbers of one group at some places; low, high: the range over all names."""

    def __init__(self, texts: Sequence[str], places: Iterable[int]) -> None:
        super().__init__(int(texts[at]) for at in places)
        distinct = [int(text) for text in set(texts)]
        self.low, self.high = min(distinct), max(distinct)


def _expressions(
    target: Sequence[int], columns: Sequence[_Column]
) -> Iterator[tuple[str, list[int]]]:
    for group, column in enumerate(columns, 1):
        shift = target[0] - column[0]
        yield f"\\{group}{_plus(shift)}", [value + shift for value in column]
        total = target[0] + column[0]
        yield f"{total}-\\{group}", [total - value for value in column]
    for group, column in enumerate(columns, 1):
        yield from _divided(group, column, target)
    for outer, left in enumerate(columns, 1):
        for inner, right in enumerate(columns, 1):
            if outer != inner:
                yield from _combined((outer, left), (inner, right), target)


def _divided(group: int, column: _Column, target: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    low, high = column.low, column.high
    for shift in sorted({0, -low}, reverse=True):
        name = f"\\{group}" if not shift else f"(\\{group}{_plus(shift)})"
        moved = [value + shift for value in column]
        for parts in range(2, min(high - low + 1, MOST_PARTS) + 1):
            for sign in ("//", "%"):
                values = [v // parts if sign == "//" else v % parts for v in moved]
                more = target[0] - values[0]
                yield f"{name}{sign}{parts}{_plus(more)}", [value + more for value in values]


def _combined(
    outer: tuple[int, _Column], inner: tuple[int, _Column], target: Sequence[int]
) -> Iterator[tuple[str, list[int]]]:
    (first, left), (second, right) = outer, inner
    parts = right.high - right.low + 1
    for times in sorted({parts, right.high + 1, parts + 1}):
        values = [high * times + low for high, low in zip(left, right, strict=True)]
        shift = target[0] - values[0]
        yield f"\\{first}*{times}+\\{second}{_plus(shift)}", [value + shift for value in values]


def _plus(shift: int) -> str:
    return f"{shift:+d}" if shift else ""

"""The order of the code with the shortcuts of its blocks made elsewhere.

Some code makes the shortcut of a block first, other code last or behind the norm that all of the
block shares: a counter over the whole net then follows another order than the listing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from graphmap.matching.tokens import words_of
from graphmap.matching.walking import NUMBERS, SHORT, Path

__all__ = ["moved_shortcuts"]

BEHIND = (0, 1, 2)  # modules of a block behind which its shortcut may be made, or behind them all


def moved_shortcuts(paths: Sequence[Path]) -> Iterator[list[int]]:
    """Yield other orders of places: of all blocks alike, the shortcut is moved.

    paths: of the modules, in the order of the code.
    """
    scopes = {path[:depth] for path in paths if (depth := _depth(path)) is not None}
    rows: dict[Path, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, path in enumerate(paths):
        for depth in range(len(path)):
            if path[:depth] in scopes:
                rows[path[:depth]][_is_short(path[depth])].append(place)
                break
    blocks = [row for row in rows.values() if _is_whole(*row)]
    seen = [list(range(len(paths)))]
    for behind in (*BEHIND, len(paths)):
        order = list(range(len(paths)))
        for others, short in blocks:
            first = min(*others, *short)
            moved = others[:behind] + short + others[behind:]
            order[first : first + len(moved)] = moved
        if order not in seen:
            seen.append(order)
            yield order


def _is_whole(others: Sequence[int], short: Sequence[int]) -> bool:
    """Whether a block has a shortcut and more, and nothing else stands in between."""
    both = sorted((*others, *short))
    return bool(others and short) and both[-1] - both[0] == len(both) - 1


def _depth(path: Path) -> int | None:
    """Return how many scopes stand above the piece that says it is a shortcut."""
    return next((depth for depth in range(1, len(path)) if _is_short(path[depth])), None)


def _is_short(piece: str) -> bool:
    return not SHORT.isdisjoint(words_of(NUMBERS.sub(" ", piece)))

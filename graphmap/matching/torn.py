"""Modules of one scope that were led to two scopes, though the first has a place for them.

`mha/q` is `attn/q` but `mha/k` is `cross_attn/k`: one of the two must be wrong. Of an expected
scope most modules tell which one is meant, or the one that fits nowhere else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from graphmap.matching.forms import Form
from graphmap.matching.walking import Path, word_of

__all__ = ["torn_modules"]

MOST = 2  # times as many modules that went the one way, from which the others went wrong


def torn_modules(
    expected: Sequence[Form], actual: Sequence[Form], targets: Mapping[int, int]
) -> dict[int, str]:
    """Return {expected module: why} of what should have gone where the modules beside it went.

    targets: {expected module: the actual one}.
    """
    back = {target: at for at, target in targets.items()}
    found = dict(_torn(expected, actual, targets))
    found.update((back[at], why) for at, why in _torn(actual, expected, back))
    return found


def _torn(
    mine: Sequence[Form], others: Sequence[Form], targets: Mapping[int, int]
) -> Iterator[tuple[int, str]]:
    scopes, homes = _scopes(mine), _scopes(others)
    inside: dict[Path, list[int]] = defaultdict(list)
    for at, home in enumerate(homes):
        inside[home].append(at)
    rows: dict[Path, list[int]] = defaultdict(list)
    for at in targets:
        rows[scopes[at]].append(at)
    for row in rows.values():
        went = Counter(homes[targets[at]] for at in row)
        used = {targets[at] for at in row}
        for home, other in ((h, o) for h in went for o in went if _are_apart(h, o)):
            if not _are_alike(others, inside[home], inside[other]):
                continue
            ours = [at for at in row if homes[targets[at]] == home]
            places = [_has_place(others, inside[other], targets[at], used) for at in ours]
            firm = any(
                not _has_place(others, inside[home], targets[at], used)
                for at in row
                if homes[targets[at]] == other
            )
            if went[other] >= MOST * went[home] or (firm and all(places)):
                why = f"what stands beside it belongs to {'/'.join(other)}, where it"
                yield from ((at, why) for at, place in zip(ours, places, strict=True) if place)


def _scopes(side: Sequence[Form]) -> list[Path]:
    return [form.way[:-1] for form in side]


def _are_apart(one: Path, other: Path) -> bool:
    """Whether two scopes at one depth have other words, and not just other numbers."""
    return len(one) == len(other) and _words(one) != _words(other)


def _words(path: Path) -> Path:
    return tuple(map(word_of, path))


def _are_alike(side: Sequence[Form], one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two scopes hold the same modules, by half."""
    both = [Counter(side[at].signature for at in scope) for scope in (one, other)]
    return 2 * (both[0] & both[1]).total() >= max(map(Counter.total, both))


def _has_place(side: Sequence[Form], scope: Sequence[int], target: int, used: set[int]) -> bool:
    """Whether a scope holds a module like what was found, that no one else of the row is."""
    return any(at not in used and side[at].signature == side[target].signature for at in scope)

"""Scopes of one place that hold the same, told apart by what they are called.

An actor and a critic, three towers of a recommender: the same layers in scopes beside each other,
so that no size tells which is which. Where both sides have such a row, and only one, it is paired
by the words that set its scopes apart: a word of both sides, or one that shortens the other. What
is settled counts as a word. The last one is what is left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from graphmap.matching.forms import Form, Signature
from graphmap.matching.tokens import similarity, words_of
from graphmap.matching.walking import NUMBERS, Path

__all__ = ["parallel_scopes"]

MOST = 12  # scopes of a row
LEAST_ALIKE = 0.7  # of two words, from which one shortens the other

Scopes = Mapping[Path, Sequence[int]]  # {scope: its forms}
Content = tuple[tuple[Signature, int], ...]


def parallel_scopes(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Return the forms of scopes that are each other's counterpart.

    settled: {expected form: actual one} of what is known.
    """
    rows = [_rows(side) for side in (expected, actual)]
    found = []
    for content in sorted(rows[0].keys() & rows[1].keys()):
        mine, theirs = rows[0][content], _originals(rows[1][content], len(rows[0][content]))
        if len(mine) != len(theirs):
            continue
        known = _votes(mine, theirs, settled)
        pairs = None if known is None else _paired(list(mine), list(theirs), known)
        for one, other in pairs or ():
            found.append((mine[one], theirs[other]))
    return found


def _rows(side: Sequence[Form]) -> dict[Content, Scopes]:
    """Return the scopes beside each other that hold the same, where there is one such row."""
    inside: dict[Path, list[int]] = defaultdict(list)
    for at, form in enumerate(side):
        for depth in range(1, len(form.way)):
            inside[form.way[:depth]].append(at)
    alike: dict[Content, list[Path]] = defaultdict(list)
    for scope, forms in inside.items():
        counts = Counter(side[at].signature for at in forms)
        kernels = sum(n for s, n in counts.items() if any(len(sizes) > 1 for (_, sizes), _ in s))
        if kernels > 1:
            alike[tuple(sorted(counts.items()))].append(scope)
    found: dict[Content, Scopes] = {}
    for content, scopes in alike.items():
        outer = [one for one in scopes if one[:-1] not in scopes]
        lone = len(outer) == 1 and 2 * len(inside[outer[0]]) > len(side)
        if not lone and len(outer) <= MOST and len({scope[:-1] for scope in outer}) == 1:
            found[content] = {scope: inside[scope] for scope in outer}
    return found


def _originals(row: Scopes, wanted: int) -> Scopes:
    """Return a row without copies of its members, if there are more than are wanted.

    `target_actor` is one of `actor`, which has a word less.
    """
    if len(row) <= wanted:
        return row
    words = {scope: _words_of(scope) for scope in row}
    return {
        scope: forms
        for scope, forms in row.items()
        if not any(words[other] < words[scope] for other in row)
    }


def _votes(mine: Scopes, theirs: Scopes, settled: Mapping[int, int]) -> dict[Path, Path] | None:
    """Return {scope: the one that all settled forms of it went to}; None where they disagree."""
    homes = {at: scope for scope, forms in theirs.items() for at in forms}
    found: dict[Path, Path] = {}
    for scope, forms in mine.items():
        meant = {homes.get(settled[at]) for at in forms if at in settled}
        if len(meant) > 1 or None in meant:
            return None
        for other in meant:
            if other is not None:
                found[scope] = other
    return found if len(set(found.values())) == len(found) else None


def _paired(
    mine: Sequence[Path], theirs: Sequence[Path], known: Mapping[Path, Path]
) -> list[tuple[Path, Path]] | None:
    """Return all pairs of two rows; None where words tell less or speak against each other."""
    if len(mine) == 1:
        return [(mine[0], theirs[0])]
    words = _told(mine), _told(theirs)
    links = {
        one: {other for other in theirs if _alike(words[0][one], words[1][other])} for one in mine
    }
    for one, other in known.items():
        if links[one] and other not in links[one]:
            return None
        links[one] = {other}
    takers = Counter(other for row in links.values() for other in row)
    told = {one: next(iter(row)) for one, row in links.items() if len(row) == 1}
    if any(len(row) > 1 for row in links.values()) or any(n > 1 for n in takers.values()):
        return None
    if len(told) < len(mine) - 1 or not told:
        return None
    left = [one for one in mine if one not in told], [o for o in theirs if o not in takers]
    return [*told.items(), *zip(*left, strict=True)]


def _told(row: Sequence[Path]) -> dict[Path, frozenset[str]]:
    """Return the words of each scope that not all of its row have."""
    words = {scope: _words_of(scope) for scope in row}
    common = frozenset.intersection(*words.values())
    return {scope: mine - common for scope, mine in words.items()}


def _words_of(scope: Path) -> frozenset[str]:
    return frozenset(words_of(NUMBERS.sub(" ", scope[-1])))


def _alike(mine: Collection[str], theirs: Collection[str]) -> bool:
    return any(similarity(one, other) >= LEAST_ALIKE for one in mine for other in theirs)

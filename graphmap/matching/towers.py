"""Towers that stand twice in a file: where one of them is taken, what is left goes there too.

`model/` and `generator/` may hold the same layers. Once nearly all of one was given out and nothing
of the other, a name that is still open does not belong to the other one, however its words look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import segments
from graphmap.matching.twins import find_twins, unit_names

__all__ = ["Towers"]

LARGE = 8  # groups of a tower; branches of a block are smaller
TAKEN = 0.7  # share of a tower that is given out, from which the rest of it is meant
BEYOND = 1.25  # times as many variables as the tower holds, which it may be asked for
LOST = 60.0


class Towers:
    """The towers of both whole sides.

    twins: pairs of actual scopes that hold the same. names: all of these scopes. units: expected
    scopes that choose on their own.
    """

    def __init__(self, expected: Sequence[Group], actual: Sequence[Group]) -> None:
        self.twins = [
            (one, other)
            for one, other, scopes in find_twins(actual)
            if min(len(scopes[one]), len(scopes[other])) >= LARGE
        ]
        self.names = sorted({name for pair in self.twins for name in pair})
        self.units = unit_names(expected) if self.twins else []
        self.sizes = (_sizes(expected, self.units), _sizes(actual, self.names))

    def note(self, pairs: Sequence[Pair], anchors: Sequence[Pair], context: Context) -> None:
        """Note in `context.scopes` what a pair loses that leaves the tower of its unit."""
        if not self.twins or not anchors:
            return
        votes: Counter[tuple[str, str]] = Counter()
        for pair in anchors:
            unit = _scope(pair.expected, self.units)
            votes[unit, _scope(pair.actual, self.names)] += len(pair.links)
        for one, other in self.twins:
            for winner, loser in ((one, other), (other, one)):
                meant = {
                    unit
                    for unit in ("", *self.units)
                    if not votes[unit, loser]
                    and votes[unit, winner] >= TAKEN * self.sizes[1][winner]
                    and self.sizes[0][unit] <= BEYOND * self.sizes[1][winner]
                }
                for pair in pairs if meant else ():
                    unit = _scope(pair.expected, self.units)
                    if unit in meant and _scope(pair.actual, self.names) == loser:
                        why = f"nearly all of {winner} was given out, and nothing of {loser}"
                        context.scopes[id(pair.expected), id(pair.actual)] = (-LOST, why)


def _sizes(side: Sequence[Group], names: Sequence[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for group in side:
        found[_scope(group, names)] += len(group)
    return found


def _scope(group: Group, names: Sequence[str]) -> str:
    """Return which of the scopes a group stands in, "" for none."""
    path = segments(group.template)
    beginnings = ("/".join(path[:depth]) for depth in range(1, len(path)))
    return next((scope for scope in beginnings if scope in names), "")

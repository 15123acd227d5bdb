"""Trees of an optimizer's state that mirror the weights: `opt_state/0/mu/x` beside `params/x`.

Optax keeps the moments of all weights so, under whatever the training state calls them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

__all__ = ["holds_states", "mirrored_states"]

STATE = re.compile(r"opt(?:im(?:izer)?)?(?:_?states?)?/")  # what a training state calls them
DEEPEST = 4  # parts before the names of the weights begin


def holds_states(names: Iterable[str]) -> bool:
    """Whether some names stand in the scope of an optimizer's state."""
    return any(STATE.match(name) for name in names)


def mirrored_states(names: Collection[str], wanted: Iterable[str]) -> set[str]:
    """Return the names under such a scope that a weight elsewhere has too, but for the scope.

    None where EXPECTED asks for such a scope itself.

    >>> sorted(mirrored_states({"params/a/w", "opt_state/0/mu/a/w", "opt_state/0/count"}, ["a.w"]))
    ['opt_state/0/mu/a/w']
    """
    states = [name for name in names if STATE.match(name)]
    if not states or holds_states(wanted):
        return set()
    weights = [name for name in names if not STATE.match(name)]
    tails = {*weights, *(name.partition("/")[2] for name in weights)}
    found = set()
    for name in states:
        rest = name
        for _ in range(DEEPEST):
            rest = rest.partition("/")[2]
            if rest and rest in tails:
                found.add(name)
                break
    return found

"""What an optimizer keeps under names of its own: `opt_state/0/mu/x` beside `params/x`.

Optax keeps the moments of all weights in a tree that mirrors them, under whatever the training
state calls it. Paddle adds words to the names of the weights: `x.w_0_moment1_0`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from graphmap.model.skeletons import distinct_skeletons

__all__ = ["holds_states", "holds_suffixes", "mirrored_states", "suffixed_states"]

STATE = re.compile(r"opt(?:im(?:izer)?)?(?:_?states?)?/")  # what a training state calls them
DEEPEST = 4  # parts before the names of the weights begin
LONGEST = 5  # words that are added to a name
FEWEST = 4  # names with one addition that show a habit


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


def holds_suffixes(names: Collection[str]) -> bool:
    """Whether some name is another one and words behind it."""
    return any(_cut(name, names) for name in names if "_" in name)


def suffixed_states(names: Collection[str], wanted: Iterable[str]) -> set[str]:
    """Return the names that are a weight's and words that most weights have behind them.

    None of words that end an expected name.

    >>> weights = [f"fc_{k}.w_0" for k in range(4)]
    >>> sorted(suffixed_states({*weights, *(f"{w}_moment1_0" for w in weights)}, ["a.w"]))[0]
    'fc_0.w_0_moment1_0'
    """
    kinds = distinct_skeletons(list(names))
    if kinds is not None and not holds_suffixes(kinds):  # few differ, and most sides have none
        return set()
    added: dict[str, list[str]] = defaultdict(list)
    for name in names:
        weight = _cut(name, names) if "_" in name else ""
        if weight:
            added[name[len(weight) :]].append(name)
    habits = {words: rows for words, rows in added.items() if len(rows) >= FEWEST}
    if not habits:
        return set()
    ends = tuple(habits)
    asked = [name for name in wanted if name.endswith(ends)]
    found = {name for rows in habits.values() for name in rows}
    weights = len(names) - len(found)
    return {
        name
        for words, rows in habits.items()
        if 2 * len(rows) >= weights and not any(name.endswith(words) for name in asked)
        for name in rows
    }


def _cut(name: str, names: Collection[str]) -> str:
    """Return the longest other name that begins it, up to words added to it; "" for none."""
    end = len(name)
    for _ in range(LONGEST):
        end = name.rfind("_", 0, end)
        if end < 0:
            break
        if name[:end] in names and any(letter.isalpha() for letter in name[end:]):
            return name[:end]
    return ""

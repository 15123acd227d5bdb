"""The habit of names: most expected names are the actual ones under another prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from graphmap.matching.pairs import Pair
from graphmap.matching.tokens import segments

__all__ = ["find_renaming", "follows"]

FEWEST = 8  # groups that make a habit
COMMON = 0.8  # share of them that keep to it
REPEATED = 3  # members from which repetition outweighs the habit

Renaming = tuple[tuple[str, ...], tuple[str, ...]]


def find_renaming(pairs: Sequence[Pair]) -> Renaming | None:
    """Return the (expected, actual) prefix that nearly all pairs differ by, if there is one."""
    seen = Counter(_prefixes(pair) for pair in pairs)
    if len(pairs) < FEWEST:
        return None
    prefixes, count = max(seen.items(), key=lambda item: (item[1], item[0]))
    return prefixes if count >= COMMON * len(pairs) else None


def follows(pair: Pair, habit: Renaming | None) -> bool:
    """Whether a pair keeps to the habit, or is repeated often enough to speak for itself.

    Where all names stay the same but for one prefix, a lone name that does not is a new head.
    """
    if habit is None or min(len(pair.expected), len(pair.actual)) >= REPEATED:
        return True
    return _prefixes(pair) == habit


def _prefixes(pair: Pair) -> Renaming:
    expected, actual = segments(pair.expected.template), segments(pair.actual.template)
    common = 0
    least = min(len(expected), len(actual))
    while common < least and expected[-1 - common] == actual[-1 - common]:
        common += 1
    return expected[: len(expected) - common], actual[: len(actual) - common]

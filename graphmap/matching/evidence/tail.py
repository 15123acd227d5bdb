"""Names that end in the same words, in the same order."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 20.0
LEAST_WORDS = 2  # that make an end of a name


def tail_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits for the share of the shorter module's words that both end in; None without one."""
    expected = [word for word in pair.expected.words if word[0] != "="]
    actual = [word for word in pair.actual.words if word[0] != "="]
    common = 0
    while common < min(len(expected), len(actual)) and expected[-1 - common] == actual[-1 - common]:
        common += 1
    if not common:
        return None
    share = common / min(len(expected), len(actual))
    return Evidence("tail", BITS * share, f"both end in {' '.join(expected[-common:])}")


def keeps_end(pair: Pair) -> bool:
    """Whether the words and numbers that end one module, two of them or more, end the other."""
    short, long = sorted((pair.expected.words, pair.actual.words), key=len)
    values = [[value for _, value in g.fixed] for g in (pair.expected, pair.actual)]
    same = bool(values[0]) and values[0][-1:] == values[1][-1:]
    named = sum(word[0] not in "=@" for word in short)
    return same and named >= LEAST_WORDS and long[-len(short) :] == short

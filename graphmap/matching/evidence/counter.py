"""A bare counter, such as TensorFlow's own `dense`, `dense_1`, against other names.

It counts what was made before it in a session. That is the order of the computation only by habit:
where all members have one shape, nothing in two listings shows whether the habit was kept.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from graphmap.matching.groups import Group
from graphmap.matching.layout import label_of
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, prefixes, segments
from graphmap.matching.vocabulary import TURNED
from graphmap.model.namemap import Evidence

BITS = 120.0
TOLD = 2.5  # bits of the order of shapes; with a habit kept nine times in ten that makes 98 %
LEVEL = 2  # least index that is no beginning of a count
LOOPED = 48  # members from which a loop made them, and loops go in order


def counter_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative for a counter whose order no shape confirms, or that shapes contradict elsewhere."""
    expected, actual = pair.expected, pair.actual
    if (
        context.levels
        and pair.fit is not None
        and not context.levels.isdisjoint(prefixes(expected.template))
        and not _absolute(pair)
    ):
        return Evidence("counter", -BITS, "a level, and nothing shows from which end it is counted")
    turned = [not TURNED.isdisjoint(group.words) for group in (expected, actual)]
    if turned[0] != turned[1] and len(pair.links) > 1 and expected.uniform:
        return Evidence("counter", -BITS, "one side counts from the other end")
    if not (expected.counter or actual.counter) or len(pair.links) < 2 or pair.fit is None:
        return None
    if context.crossed and expected.counter and actual.counter:
        return Evidence("counter", -BITS, "other counters run in another order on the two sides")
    if _count_the_same(counted_word(expected.template), counted_word(actual.template)):
        return None
    if _counted_scopes(pair) in context.apart:
        return None
    if len(pair.links) >= LOOPED or any(context.told.get(k, 0.0) >= TOLD for k in _scopes(pair)):
        return None
    return Evidence("counter", -BITS, "nothing shows that the counter runs in the same order")


def _absolute(pair: Pair) -> bool:
    """Whether both sides number alike from a number on that is no beginning: 3, 4, 5 are levels."""
    sides = [[numbers for numbers, _ in g.members] for g in (pair.expected, pair.actual)]
    return sides[0] == sides[1] and all(numbers and min(numbers) >= LEVEL for numbers in sides[0])


def note_counters(pairs: Iterable[Pair], context: Context) -> None:
    """Keep in `context.told` how much the order of shapes tells about each scope that counts.

    What one module of a scope tells holds for all of it: one session made them, one after another.
    `context.apart` keeps pairs of counted scopes in which one tensor has another size each time, so
    that no counter need be believed.
    """
    best: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for pair in pairs:
        if len(pair.links) < 2 or pair.fit is None or len(pair.expected) != len(pair.actual):
            continue
        if _sizes_differ(pair):
            context.apart.add(_counted_scopes(pair))
        for scope in _scopes(pair):
            modules = best[scope]
            bits = _orders(pair.expected, [e for e, _ in pair.links])
            modules[pair.expected.module] = max(bits, modules.get(pair.expected.module, 0.0))
    context.told = {scope: sum(modules.values()) for scope, modules in best.items()}


def _scopes(pair: Pair) -> list[tuple[str, str]]:
    """Return what holds the counters of either side: (side, scope)."""
    found = []
    for side, group in (("expected", pair.expected), ("actual", pair.actual)):
        if group.counter:
            path = segments(group.template)
            found.append((side, "/".join(path[: path.index(counted_word(group.template))])))
    return found


def _sizes_differ(pair: Pair) -> bool:
    """Whether every member of a counted group has sizes that no other one has."""
    expected = pair.expected
    if expected.uniform or not (expected.counter or pair.actual.counter):
        return False
    return len(set(map(label_of, expected.shapes))) == len(expected) and all(_counted_scopes(pair))


def _counted_scopes(pair: Pair) -> tuple[str, str]:
    """Return the templates of both sides down to the index that counts; "" where several do."""
    mine, other = (
        prefixes(group.template)[group.free[0]] if len(group.free) == 1 else ""
        for group in (pair.expected, pair.actual)
    )
    return (mine, other) if mine and other else ("", "")


def _count_the_same(one: str, other: str) -> bool:
    """Whether two words that are counted are one, but for what stands in front of one of them.

    >>> _count_the_same("encoder_block_#", "moonshine_encoder_block_#")
    True
    >>> _count_the_same("dense_#", "my_dense_#")
    False
    """
    short, long = sorted((one, other), key=len)
    return one == other or (short.count("_") > 1 and long.endswith(f"_{short}"))


def counted_word(template: str) -> str:
    """Return the innermost segment that ends in a counter, else that has one.

    >>> counted_word("net/dense_#/kernel"), counted_word("det_#_bn/beta")
    ('dense_#', 'det_#_bn')
    """
    parts = [part for part in reversed(segments(template)) if "_" + MARK in part]
    return next((part for part in parts if part.endswith("_" + MARK)), parts[0] if parts else "")


def _orders(group: Group, members: list[int]) -> float:
    """Return log2 of the number of orders in which the shapes of the members can stand."""
    shapes = Counter(group.shapes[at] for at in members)
    orders = math.lgamma(len(members) + 1) - sum(math.lgamma(n + 1) for n in shapes.values())
    return orders / math.log(2)

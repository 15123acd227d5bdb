"""Expected and actual variables -> NameMap: roles, groups, pairs, assignment, decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from operator import itemgetter

from graphmap.matching.bundles import bundle, find_bundles
from graphmap.matching.decide import Found, decide
from graphmap.matching.levels import match_groups
from graphmap.matching.settings import DEFAULTS, MatchSettings, Side
from graphmap.matching.sides import answering, asked, check_pins, trained_names
from graphmap.model.namemap import Evidence, NameMap
from graphmap.model.variable import Variable

__all__ = ["match_variables"]

_shape = itemgetter(1)  # of a Variable
_name = _expected = itemgetter(0)  # the name of a Variable, the expected one of a Found
PINNED = 20.0  # bits of a pin
FOLLOWS = 10.0  # bits of what follows from a pin: the same layer elsewhere, a leaf beside it


def match_variables(expected: Side, actual: Side, settings: MatchSettings = DEFAULTS) -> NameMap:
    """Map every expected name to one actual name, or say why not."""
    check_pins(settings, expected, actual)
    wanted = asked(expected, settings)
    pool = answering(actual, wanted)
    found = _pinned(wanted, pool, actual, settings)
    shapes = Counter(map(_shape, wanted)), Counter(map(_shape, pool))  # few differ
    made = [
        one
        for one in find_bundles(wanted, pool, shapes)
        if not any(wanted[at].name in found for at in one.positions)
    ]
    bundles = bundle(wanted, made)
    open_expected = _open(bundles.wanted, found)
    open_actual = _open(pool, {link.actual.name for link in found.values()})
    ordered = expected.ordered and not _is_sorted(map(_name, wanted))
    trained = trained_names(actual)
    pinned = [(name, link.actual.name) for name, link in found.items()]
    seen = bundles.wanted
    result = match_groups(seen, open_expected, pool, open_actual, trained, ordered, pinned)
    result.shapes = shapes
    bundles.take_apart(result, wanted)
    found.update(zip(map(_name, map(_expected, result.links)), result.links, strict=True))
    if expected.graph is not None and actual.graph is not None:
        from graphmap.matching.structure import review_links

        graphs = (expected.graph, actual.graph)
        result.placed = review_links(wanted, pool, graphs, found, result.rivals, trained)
    if settings.values:
        from graphmap.matching.values import review_values

        review_values(wanted, pool, (expected.values, actual.values), found, result.rivals)
    return decide(wanted, pool, actual, found, result, settings, _knowledge(expected, actual))


def _knowledge(expected: Side, actual: Side) -> str:
    """Say what both sides tell beside names: it decides how much odds are worth."""
    if expected.graph is not None and actual.graph is not None:
        return "graph"
    shaped = all(any(v.shape is not None for v in side.variables) for side in (expected, actual))
    return "shapes" if shaped else "names"


def _open(side: Sequence[Variable], taken: Collection[str]) -> Sequence[int]:
    """Return the positions of the variables whose names are not taken."""
    if not taken:
        return range(len(side))
    return [at for at, v in enumerate(side) if v.name not in taken]


def _is_sorted(names: Iterable[str]) -> bool:
    """Whether names stand in alphabetical order, so that it says nothing of creation."""
    return all(one < other for one, other in pairwise(names))


def _pinned(
    wanted: Sequence[Variable], pool: Sequence[Variable], actual: Side, settings: MatchSettings
) -> dict[str, Found]:
    if not settings.pins:
        return {}
    from graphmap.matching.propagation import spread_pins

    by_name = {v.name: v for v in actual.variables}
    given = (Evidence("pin", PINNED, "given by the user"),)
    pins = {v.name: settings.pins[v.name] for v in wanted if v.name in settings.pins}
    found = {
        v.name: Found(v, by_name[pins[v.name]], PINNED, PINNED, given)
        for v in wanted
        if v.name in pins
    }
    spread = spread_pins(pins, wanted, pool)
    for v in wanted:
        if v.name in spread:
            name, source = spread[v.name]
            follows = (Evidence("pin", FOLLOWS, f"as {source} is pinned to {pins[source]}"),)
            found[v.name] = Found(v, by_name[name], FOLLOWS, FOLLOWS, follows)
    return found

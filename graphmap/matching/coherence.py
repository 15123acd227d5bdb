"""Names of one module that went to two towers: the few that strayed are left open.

Where an actual side holds a tower twice (`model/`, `generator/`), an expected name whose own place
is taken may find the same place of the other tower free. Its words fit as well there, so only the
company it keeps tells: nearly all other names of its scope went to the first tower.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

__all__ = ["strays"]

FEW = 8  # times as many names went to the other tower
_SEPARATOR = re.compile(r"[/.]")


def strays(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return {expected: what took its place in the other tower} of names that strayed.

    pairs: {expected: actual}. A name strays where the actual one that differs from its own in the
    outermost scope only went to another name of the same expected scope, and few go where it went.

    >>> names = {f"e.{n}": f"model/{n}" for n in range(20)}
    >>> strays(names | {"e.x": "generator/3"})
    {'e.x': 'e.3'}
    >>> strays(names | {"other.x": "generator/3"})
    {}
    """
    scopes = {actual: _outermost(actual) for actual in pairs.values()}
    crowd = Counter(scope for scope, _ in scopes.values())
    if len(crowd) < 2:
        return {}
    holders: dict[str, dict[str, str]] = defaultdict(dict)
    for expected, actual in pairs.items():
        scope, rest = scopes[actual]
        holders[rest][scope] = expected
    found = {}
    for expected, actual in pairs.items():
        scope, rest = scopes[actual]
        for other, holder in holders[rest].items():
            is_beside = other != scope and _outermost(holder)[0] == _outermost(expected)[0]
            if rest and is_beside and crowd[scope] * FEW < crowd[other]:
                found[expected] = holder
    return found


def _outermost(name: str) -> tuple[str, str]:
    """Return (outermost scope, the rest); the rest is "" for a name without a scope."""
    found = _SEPARATOR.search(name)
    return (name, "") if found is None else (name[: found.start()], name[found.end() :])

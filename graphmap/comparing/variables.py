"""Variables of two artifacts, compared by name, by content, and by what a matcher says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from graphmap.comparing.sections import Rename, Section, compare
from graphmap.model.variable import Variable

__all__ = ["compare_variables"]

Digest = Callable[[Variable], object]  # equal for equal values; None where it cannot be known
Match = Callable[[], Mapping[str, str]]  # names of A -> names of B


def compare_variables(
    a: Iterable[Variable], b: Iterable[Variable], digest_a: Digest, digest_b: Digest, match: Match
) -> Section:
    """Compare variables in name, shape, dtype and value.

    A name that one side lacks is renamed where one variable of the other side alone has its bytes,
    or where the matcher pairs them; slots follow their primary. match is called only where needed.
    """
    named_a = {variable.name: variable for variable in a}
    named_b = {variable.name: variable for variable in b}

    def fields(x: str, y: str) -> dict[str, tuple[Any, Any]]:
        one, other = named_a[x], named_b[y]
        found: dict[str, tuple[Any, Any]] = {
            key: (getattr(one, key), getattr(other, key))
            for key in ("shape", "dtype")
            if getattr(one, key) != getattr(other, key)
        }
        if not found:
            values = digest_a(one), digest_b(other)
            if None not in values and values[0] != values[1]:
                found["value"] = ("differs", "differs")
        return found

    def renames(only_a: list[str], only_b: list[str]) -> Iterator[Rename]:
        left_a = [named_a[name] for name in only_a]
        left_b = [named_b[name] for name in only_b]
        pairs = {pair.a: pair for pair in _same_bytes(left_a, left_b, digest_a, digest_b)}
        taken = {pair.b for pair in pairs.values()}
        if any(v.name not in pairs for v in left_a) and any(v.name not in taken for v in left_b):
            for one, other in match().items():
                if one in only_a and other in only_b and one not in pairs and other not in taken:
                    pairs[one] = Rename(one, other, "inferred")
                    taken.add(other)
            pairs.update(_slots(left_a, left_b, pairs, taken))
        return iter(pairs.values())

    return compare(named_a, named_b, fields, renames)


def _same_bytes(
    a: list[Variable], b: list[Variable], digest_a: Digest, digest_b: Digest
) -> Iterator[Rename]:
    """Pair variables whose shape, dtype and value one variable of each side alone has."""
    by_content: dict[object, tuple[list[str], list[str]]] = {}
    for side, variables, digest in ((0, a, digest_a), (1, b, digest_b)):
        for variable in variables:
            value = digest(variable)
            if value is not None and variable.shape:  # any two steps or rates may be equal
                key = (variable.shape, variable.dtype, value)
                by_content.setdefault(key, ([], []))[side].append(variable.name)
    for names_a, names_b in by_content.values():
        if len(names_a) == len(names_b) == 1:
            yield Rename(names_a[0], names_b[0], "content")


def _slots(
    a: list[Variable], b: list[Variable], pairs: Mapping[str, Rename], taken: set[str]
) -> dict[str, Rename]:
    """Pair slots and shadows whose primaries are paired and whose slot word is the same."""
    by_slot = {(v.slot_of, v.role, v.slot): v.name for v in b if v.slot_of and v.name not in taken}
    found = {}
    for variable in a:
        primary = pairs.get(variable.slot_of or "")
        if primary is None or variable.name in pairs:
            continue
        other = by_slot.get((primary.b, variable.role, variable.slot))
        if other is not None:
            found[variable.name] = Rename(variable.name, other, "inferred")
    return found

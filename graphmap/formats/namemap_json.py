"""Name maps as JSON: schema graphmap.name-map/1, and the plain {expected: actual} object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from graphmap.errors import NameMapError
from graphmap.files import read_file
from graphmap.formats.namemap_lines import DIGITS, encode, entry_lines
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Rule

__all__ = ["SCHEMA", "dump_name_map", "load_name_map", "name_map_chunks"]

SCHEMA = "graphmap.name-map/1"
_LIMIT = 512 << 20  # bytes; a map of 100,000 names takes 60 MB
LINES = 1_000  # that are put together at once
_STATUSES = ("matched", "ambiguous", "unmatched")
_VERDICTS = ("same", "partial", "other")
_REMEDY = "Make the map again with: graphmap match"


def dump_name_map(name_map: NameMap, version: str = "") -> bytes:
    """Return the bytes of the map's file; see `name_map_chunks`."""
    return b"".join(name_map_chunks(name_map, version))


def name_map_chunks(name_map: NameMap, version: str = "") -> Iterator[bytes]:
    """Yield the map's file piece by piece, keys in the order of the contract: same map, same bytes.

    version: graphmap's own; "" takes that of the installed package. One entry stands in a line,
    so that people can compare two maps. Of 100,000 names the whole text takes 90 MB, a piece 1.
    """
    if not version:
        from importlib.metadata import version as installed

        version = installed("graphmap")
    fields: dict[str, str | Iterable[str]] = {
        "schema": encode(SCHEMA),
        "graphmap_version": encode(version),
        "artifact": encode(dict(name_map.artifact)),
        "expected_source": encode(dict(name_map.expected_source)),
        "settings": encode(dict(name_map.settings)),
        "verdict": encode(name_map.verdict),
        "expected_wrong": encode(round(name_map.expected_wrong, DIGITS)),
        "entries": entry_lines(name_map.decisions),
        "rules": (encode(rule._asdict()) for rule in name_map.rules),
        "unused": map(encode, name_map.unused),
    }
    before = "{\n"
    for key, text in fields.items():
        yield f"{before} {encode(key)}: ".encode()
        for piece in (text,) if isinstance(text, str) else _by_line(text):
            yield piece.encode("utf-8", "backslashreplace")
        before = ",\n"
    yield b"\n}\n"


def _by_line(elements: Iterable[str]) -> Iterator[str]:
    """Yield an array with one element in a line, many lines at once."""
    rest = iter(elements)
    lines = list(islice(rest, LINES))
    if not lines:
        yield "[]"
        return
    yield "[\n  "
    while lines:
        yield ",\n  ".join(lines)
        lines = list(islice(rest, LINES))
        if lines:
            yield ",\n  "
    yield "\n ]"


def load_name_map(source: str | Mapping[str, Any]) -> NameMap:
    """Return the map in a file, or in a JSON object that was read already.

    A plain {expected: actual} object is a map whose every row is matched. Raises NameMapError.
    """
    if isinstance(source, Mapping):
        return _from_object(source, "the given object")
    try:
        content = json.loads(read_file(source, _LIMIT).decode("utf-8-sig"))
    except (ValueError, RecursionError) as cause:
        raise _bad(f"is no JSON: {cause}", source) from cause
    if not isinstance(content, dict):
        raise _bad("is JSON, but no object", source)
    return _from_object(content, source)


def _from_object(content: Mapping[str, Any], where: str) -> NameMap:
    if "schema" not in content and "entries" not in content:
        return _from_plain(content, where)
    schema = content.get("schema")
    if schema != SCHEMA:
        raise NameMapError(
            f"has the schema {str(schema)[:60]!r}, not {SCHEMA!r}",
            where=where,
            remedy="Make the map again with this version of graphmap.",
        )
    verdict = content.get("verdict", "same")
    if verdict not in _VERDICTS:
        raise _bad(f"has the unknown verdict {str(verdict)[:40]!r}", where)
    return NameMap(
        decisions=tuple(
            _decision(entry, f"entry {number}", where)
            for number, entry in enumerate(_list(content, "entries", where), 1)
        ),
        verdict=verdict,
        unused=tuple(_text(name, "unused", where) for name in _list(content, "unused", where)),
        rules=tuple(_rule(rule, where) for rule in _list(content, "rules", where)),
        expected_wrong=_number(content.get("expected_wrong", 0.0), "expected_wrong", where),
        artifact=_object(content, "artifact", where),
        expected_source=_object(content, "expected_source", where),
        settings=_object(content, "settings", where),
    )


def _from_plain(content: Mapping[str, Any], where: str) -> NameMap:
    decisions = []
    for expected, actual in content.items():
        if not isinstance(actual, str) or not actual:
            raise _bad(f"maps {expected!r} to {str(actual)[:40]!r}, which is no name", where)
        name = actual.removesuffix(":0")
        decisions.append(
            Decision(
                expected=expected.removesuffix(":0"),
                status="matched",
                actual=name,
                confidence=1.0,
                evidence=(Evidence("given", 0.0, "given by hand"),),
            )
        )
    if not decisions:
        raise _bad("holds no entry", where)
    return NameMap(decisions=tuple(decisions))


def _decision(entry: Any, what: str, where: str) -> Decision:
    if not isinstance(entry, dict):
        raise _bad(f"{what} is no object", where)
    status = entry.get("status")
    if status not in _STATUSES:
        raise _bad(f"{what} has the unknown status {str(status)[:40]!r}", where)
    actual = _optional(entry, "actual", what, where)
    parts = tuple(_list(entry, "parts", where))
    if status == "matched" and actual is None and not parts:
        raise _bad(f"{what} is matched and names no actual", where)
    return Decision(
        expected=_text(entry.get("expected"), f"expected of {what}", where).removesuffix(":0"),
        status=status,
        shape=_shape(entry.get("shape"), what, where),
        actual=actual,
        tensor=_optional(entry, "tensor", what, where),
        checkpoint_key=_optional(entry, "checkpoint_key", what, where),
        confidence=_number(entry.get("confidence", 0.0), f"confidence of {what}", where),
        margin=_number(entry.get("margin", 0.0), f"margin of {what}", where),
        layout=_text(entry.get("layout", "same"), f"layout of {what}", where),
        parts=parts,
        evidence=tuple(_evidence(one, what, where) for one in _list(entry, "evidence", where)),
        candidates=tuple(_candidate(one, what, where) for one in _list(entry, "candidates", where)),
    )


def _evidence(one: Any, what: str, where: str) -> Evidence:
    if not isinstance(one, dict):
        raise _bad(f"{what} has evidence that is no object", where)
    return Evidence(
        _text(one.get("kind"), f"evidence of {what}", where),
        _number(one.get("bits", 0.0), f"bits of {what}", where),
        _text(one.get("why", ""), f"why of {what}", where, empty=True),
    )


def _candidate(one: Any, what: str, where: str) -> Candidate:
    if not isinstance(one, dict):
        raise _bad(f"{what} has a candidate that is no object", where)
    return Candidate(
        _text(one.get("actual"), f"candidate of {what}", where),
        _number(one.get("confidence", 0.0), f"candidate of {what}", where),
    )


def _rule(rule: Any, where: str) -> Rule:
    if not isinstance(rule, dict) or not isinstance(rule.get("covers"), int):
        raise _bad("has a rule without pattern, replacement and covers", where)
    return Rule(
        _text(rule.get("pattern"), "a rule", where),
        _text(rule.get("replacement"), "a rule", where, empty=True),
        rule["covers"],
    )


def _shape(value: Any, what: str, where: str) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(
        size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= 0)
        for size in value
    ):
        raise _bad(f"{what} has the shape {str(value)[:40]}", where)
    return tuple(value)


def _list(content: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = content.get(key, [])
    if not isinstance(value, list):
        raise _bad(f"its {key!r} is no list", where)
    return value


def _object(content: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise _bad(f"its {key!r} is no object", where)
    return value


def _optional(entry: Mapping[str, Any], key: str, what: str, where: str) -> str | None:
    value = entry.get(key)
    return None if value is None else _text(value, f"{key} of {what}", where)


def _text(value: Any, what: str, where: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise _bad(f"{what} is {str(value)[:40]!r}, which is no text", where)
    return value


def _number(value: Any, what: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _bad(f"{what} is {str(value)[:40]!r}, which is no number", where)
    return float(value)


def _bad(message: str, where: str) -> NameMapError:
    return NameMapError(message, where=where, remedy=_REMEDY)

"""The entries of a name map as lines of JSON, put together from pieces that many entries share.

The json module takes 30 µs for an entry, most of it for evidence and shapes that thousands of
entries have in common. Putting the same text together from encoded pieces takes a fifth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from graphmap.chunks import chunks
from graphmap.formats.quoting import quote_each
from graphmap.model.namemap import Decision, Evidence

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["DIGITS", "encode", "entry_dict", "entry_lines"]

DIGITS = 6  # of probabilities; below that a platform's rounding may differ
encode = json.JSONEncoder(ensure_ascii=False).encode  # quick for a string, slow for the rest


_expected, _actual, _tensor, _key = map(itemgetter, (0, 3, 4, 5))  # of a Decision
_status, _sure, _parts, _reasons, _others = map(itemgetter, (1, 6, 9, 10, 11))
_kind = itemgetter(2, 6, 7, 8)  # its shape, confidence, margin, layout


def entry_lines(decisions: Sequence[Decision]) -> Iterator[str]:
    """Yield one JSON object for each decision, keys in the order of the contract."""
    writer = _Writer()
    for chunk in chunks(decisions):
        yield from writer.lines(chunk)


def _are_plain(chunk: Sequence[Decision], names: Sequence[str | None]) -> bool:
    """Whether all have one answer that has no rival and bears one name throughout, as most do.

    names: of the answers.
    """
    if set(map(_status, chunk)) != {"matched"} or any(map(_parts, chunk)):
        return False
    if None in names or list(map(_key, chunk)) != names:
        return False
    if list(map(_tensor, chunk)) != [f"{name}:0" for name in names]:
        return False
    alone = zip(zip(names, map(_sure, chunk), strict=True), strict=True)
    return list(map(_others, chunk)) == list(alone)


class _Writer:
    """Writes entries; what many have in common is encoded once."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[float, int], str] = {}
        self.shapes: dict[Dims, str] = {}
        self.reasons: dict[int, tuple[str, tuple[Evidence, ...]]] = {}  # by id: kept, so ids stay
        self.forms: dict[tuple[Any, ...], tuple[str, str, str]] = {}

    def lines(self, chunk: Sequence[Decision]) -> Iterable[str]:
        """Return the lines of entries: but for a few forms, plain ones differ in two names only."""
        names = list(map(_actual, chunk))
        if not _are_plain(chunk, names):
            return map(self.line, chunk)
        keys = list(zip(map(_kind, chunk), map(id, map(_reasons, chunk)), strict=True))
        forms: list[Any] = list(map(self.forms.get, keys))
        if None in forms:
            for key, d in dict(zip(keys, chunk, strict=True)).items():
                if key not in self.forms:
                    self.forms[key] = self._form(d)
            forms = [self.forms[key] for key in keys]
        wanted = quote_each(list(map(_expected, chunk)), quoted)
        actual = quote_each(names, quoted)
        return [
            f'{{"expected": "{one}{shape}{other}", "tensor": "{other}:0", '
            f'"checkpoint_key": "{other}{told}{other}{end}'
            for one, other, (shape, told, end) in zip(wanted, actual, forms, strict=True)
        ]

    def _form(self, d: Decision) -> tuple[str, str, str]:
        """Return what stands in a plain entry before the actual name, and about the last one.

        The reasons are kept with it, and so no other ones get their id.
        """
        actual = '"status": "matched", "actual": "'
        end = f'", "confidence": {self._number(d.confidence, DIGITS)}}}]}}'
        return (
            f'", "shape": {self._shape(d.shape)}, {actual}',
            f'", {self._told(d)}{{"actual": "',
            end,
        )

    def line(self, d: Decision) -> str:
        """Return any entry."""
        names = [("null" if name is None else quoted(name)) for name in d[3:6]]
        named = ", ".join(
            [
                f'{{"actual": {quoted(actual)}, "confidence": {self._number(sure, DIGITS)}}}'
                for actual, sure in d.candidates
            ]
        )
        actual, tensor, key = names
        return (
            f'{{"expected": {quoted(d.expected)}, "shape": {self._shape(d.shape)}, '
            f'"status": "{d.status}", "actual": {actual}, "tensor": {tensor}, '
            f'"checkpoint_key": {key}, {self._told(d)}{named}]}}'
        )

    def _number(self, value: float, digits: int) -> str:
        text = self.numbers.get((value, digits))
        if text is None:
            text = self.numbers[value, digits] = encode(round(float(value), digits))
        return text

    def _shape(self, dims: Dims) -> str:
        text = self.shapes.get(dims)
        if text is None:
            text = self.shapes[dims] = encode(dims)
        return text

    def _told(self, d: Decision) -> str:
        """Return what stands from the confidence on, up to the first candidate."""
        known = self.reasons.get(id(d.evidence))
        if known is None:
            known = encode([_evidence(e) for e in d.evidence]), d.evidence
            self.reasons[id(d.evidence)] = known
        joined = f'"parts": {encode(list(d.parts))}, ' if d.parts else ""
        return (
            f'"confidence": {self._number(d.confidence, DIGITS)}, '
            f'"margin": {self._number(d.margin, 3)}, "layout": {quoted(d.layout)}, '
            f'{joined}"evidence": {known[0]}, "candidates": ['
        )


def entry_dict(decision: Decision) -> dict[str, Any]:
    """Return one decision as the JSON object of the contract."""
    (line,) = entry_lines([decision])
    entry: dict[str, Any] = json.loads(line)
    return entry


def _evidence(one: Evidence) -> dict[str, Any]:
    return {"kind": one.kind, "bits": round(one.bits, 3), "why": one.why}

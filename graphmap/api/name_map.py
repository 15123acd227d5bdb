"""The public NameMap: the domain type, with files, values and the way back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.errors import NameMapError
from graphmap.model.namemap import Decision, Decisions
from graphmap.model.namemap import NameMap as DomainNameMap
from graphmap.showing import Part, Sheet, Shown

__all__ = ["NameMap"]


class NameMap(DomainNameMap, Shown):
    """Expected -> actual names, with a reason for each; a mapping of the matched names."""

    def _sheet(self) -> Sheet:
        open_rows = [d for d in self.decisions if d.status != "matched"]
        done = self.matched
        parts = [
            Decisions.as_part(f"left open: {len(open_rows):,}", open_rows),
            Decisions.as_part(f"matched: {len(done):,}", done, is_open=not open_rows),
            Part(f"rules: {len(self.rules):,}", ("pattern", "replacement", "names"),
                 [(rule.pattern, rule.replacement, str(rule.covers)) for rule in self.rules]),
            Part(f"stored, but not asked for: {len(self.unused):,}", ("name",),
                 [(name,) for name in self.unused]),
        ]  # fmt: skip
        facts = (
            ("artifact", str(self.artifact.get("path", "?"))),
            ("verdict", self.verdict),
            ("wrong entries to expect", f"{self.expected_wrong:g}"),
        )
        kept = tuple(part for part in parts if part.rows)
        return Sheet(f"name map: {self._counts()}", facts, kept)

    @classmethod
    def of(cls, found: DomainNameMap) -> NameMap:
        """Return the public form of a domain map."""
        return cls(
            found.decisions,
            found.verdict,
            found.unused,
            found.rules,
            found.expected_wrong,
            found.artifact,
            found.expected_source,
            found.settings,
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NameMap:
        """Read a map.json, or a plain JSON object {expected: actual}; raises NameMapError."""
        from graphmap.formats.namemap_json import load_name_map

        return cls.of(load_name_map(os.fspath(path)))

    @classmethod
    def from_dict(cls, names: Mapping[str, str]) -> NameMap:
        """Return a map made by hand: {expected: actual}."""
        from graphmap.formats.namemap_json import load_name_map

        return cls.of(load_name_map(names))

    def dump(self) -> bytes:
        """Return the bytes of map.json: same map, same bytes."""
        from graphmap.formats.namemap_json import dump_name_map
        from graphmap.version import VERSION

        return dump_name_map(self, VERSION)

    def entry(self, expected: str) -> dict[str, Any]:
        """Return one expected name as it stands in map.json."""
        from graphmap.formats.namemap_lines import entry_dict

        return entry_dict(self.decision(expected))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write map.json, whole or not at all."""
        from graphmap.files import replacing
        from graphmap.formats.namemap_json import name_map_chunks
        from graphmap.version import VERSION

        with replacing(path) as stream:
            for piece in name_map_chunks(self, VERSION):
                stream.write(piece)

    def inverse(self) -> NameMap:
        """Return actual -> expected; raises NameMapError where two expected share an actual."""
        from graphmap.model.layouts import invert_layout  # a map that is only written needs none

        turned: dict[str, Decision] = {}
        for decision in self.matched:
            actual = decision.actual
            if actual is None or actual in turned:
                raise NameMapError(
                    "is stored once and expected several times, or joined from parts",
                    where=actual or decision.expected,
                    remedy="Turn round a map without shared and joined entries.",
                )
            turned[actual] = Decision(
                actual,
                "matched",
                actual=decision.expected,
                tensor=f"{decision.expected}:0",
                confidence=decision.confidence,
                margin=decision.margin,
                layout=invert_layout(decision.layout, where=decision.expected),
                evidence=decision.evidence,
            )
        return NameMap(tuple(turned[name] for name in sorted(turned)))

    def apply(self, tensors: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return {expected: value} of {actual: value}, layouts applied as values are asked for."""
        return _Applied(self, tensors)

    def view(self, artifact: Artifact | str | os.PathLike[str]) -> Mapping[str, Any]:
        """Return the artifact's values under the expected names, read when asked for."""
        return self.apply(as_artifact(artifact).tensors())


class _Applied(Mapping[str, Any]):
    """A map over a mapping of values: nothing is computed before it is asked for."""

    def __init__(self, name_map: NameMap, tensors: Mapping[str, Any]) -> None:
        self._map = name_map
        self._tensors = tensors

    def __getitem__(self, expected: str) -> Any:
        from graphmap.model.layouts import apply_layout, join_parts

        if expected not in self._map:
            return self._tensors[self._map[expected]]  # which says why not
        decision = self._map.decision(expected)
        if decision.layout.startswith("join:"):
            parts = [self._part(part, expected) for part in decision.parts]
            return join_parts(parts, decision.layout, where=expected)
        value = self._tensors[self._map[expected]]
        return apply_layout(value, decision.layout, decision.shape, where=expected)

    def _part(self, part: Any, expected: str) -> Any:
        """Return one part of a join: a name, or {"actual": name, "split": "AXIS:I/N"}."""
        if isinstance(part, str):
            return self._tensors[part]
        from graphmap.model.layouts import apply_layout

        value = self._tensors[part["actual"]]
        split = str(part.get("split") or "")
        if not split:
            return value
        return apply_layout(value, f"split:{split.removeprefix('split:')}", None, where=expected)

    def __iter__(self) -> Iterator[str]:
        return (decision.expected for decision in self._map.matched)

    def __len__(self) -> int:
        return len(self._map.matched)

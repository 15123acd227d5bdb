"""What the matcher is given: two sides and the user's wishes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphmap.errors import UsageError
from graphmap.model.graph import GraphModel
from graphmap.model.variable import Variable
from graphmap.patterns import compile_pattern

if TYPE_CHECKING:
    from graphmap.matching.values import Values

__all__ = ["DEFAULTS", "MatchSettings", "Side"]


@dataclass(frozen=True)
class Side:
    """The variables of one side.

    graph: the graph they stand in, where one is stored.
    ordered: the order of `variables` is the order in which the code makes them.
    values: what is stored under them, where that may be looked at.
    """

    variables: tuple[Variable, ...]
    graph: GraphModel | None = None
    ordered: bool = False
    values: Values | None = None


@dataclass(frozen=True)
class MatchSettings:
    """The wishes of the user; every field has a flag of `graphmap match`.

    min_confidence: probability under which nothing is committed.
    pins: {expected: actual} that are taken as given.
    refused: {expected: actual names} that are not meant, however much speaks for them.
    layouts: {expected: layout} of pins whose shapes do not tell it, such as a split.
    only, exclude: regular expressions searched in expected names; the others stay unmatched.
    include_slots: slots, shadows and steps are expected names too.
    prefer_ema: where an actual variable has a moving average, that one is meant.
    values: compare stored values too.
    """

    min_confidence: float = 0.95
    pins: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None
    exclude: str | None = None
    include_slots: bool = False
    prefer_ema: bool = False
    values: bool = False
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_confidence <= 1.0:
            raise UsageError(
                f"{self.min_confidence} is no probability",
                where="min_confidence",
                remedy="Give a number from 0 to 1.",
            )
        for name in ("only", "exclude"):
            pattern = getattr(self, name)
            if pattern is not None:
                compile_pattern(pattern, f"--{name} {pattern}")

    def asks_for(self, name: str) -> bool:
        """Whether `only` and `exclude` let this expected name take part."""
        if self.only is not None and not re.search(self.only, name):
            return False
        return self.exclude is None or not re.search(self.exclude, name)


DEFAULTS = MatchSettings()

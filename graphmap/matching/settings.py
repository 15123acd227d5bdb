"""What the matcher is given: two sides and the user's wishes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.errors import UsageError
from graphmap.model.variable import Variable
from graphmap.patterns import compile_pattern

if TYPE_CHECKING:
    from graphmap.matching.values import Values
    from graphmap.model.graph import GraphModel

__all__ = ["DEFAULTS", "MatchSettings", "Side"]


class Side(NamedTuple):
    """The variables of one side.

    graph: the graph they stand in, where one is stored.
    ordered: the order of `variables` is the order in which the code makes them.
    values: what is stored under them, where that may be looked at.
    """

    variables: tuple[Variable, ...]
    graph: GraphModel | None = None
    ordered: bool = False
    values: Values | None = None


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

    def __init__(
        self,
        min_confidence: float = 0.95,
        pins: Mapping[str, str] | None = None,
        only: str | None = None,
        exclude: str | None = None,
        include_slots: bool = False,
        prefer_ema: bool = False,
        values: bool = False,
        refused: Mapping[str, tuple[str, ...]] | None = None,
        layouts: Mapping[str, str] | None = None,
    ) -> None:
        if not 0.0 <= min_confidence <= 1.0:
            raise UsageError(
                f"{min_confidence} is no probability",
                where="min_confidence",
                remedy="Give a number from 0 to 1.",
            )
        for name, pattern in (("only", only), ("exclude", exclude)):
            if pattern is not None:
                compile_pattern(pattern, f"--{name} {pattern}")
        self.min_confidence = min_confidence
        self.pins = dict(pins or {})
        self.only = only
        self.exclude = exclude
        self.include_slots = include_slots
        self.prefer_ema = prefer_ema
        self.values = values
        self.refused = dict(refused or {})
        self.layouts = dict(layouts or {})

    def as_dict(self) -> dict[str, Any]:
        """Return {field: value}, as a map keeps them."""
        return dict(vars(self))

    def asks_for(self, name: str) -> bool:
        """Whether `only` and `exclude` let this expected name take part."""
        if self.only is not None and not re.search(self.only, name):
            return False
        return self.exclude is None or not re.search(self.exclude, name)


DEFAULTS = MatchSettings()

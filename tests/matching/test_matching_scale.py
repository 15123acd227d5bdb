"""Stacks with inserted layers, and names that count irregularly."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from graphmap.formats.listing import parse_listing
from graphmap.matching import Side, match_variables
from graphmap.matching.rules import find_rules
from graphmap.model.namemap import Decision, NameMap
from graphmap.model.rewriting import compile_rule
from graphmap.model.variable import Variable

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "match_speed.py"
inserted = runpy.run_path(str(SCRIPT))["inserted"]


def side(lines: list[str]) -> Side:
    tensors = parse_listing("\n".join(lines).encode(), "made")
    return Side(tuple(Variable(t.name, t.shape) for t in tensors), ordered=True)


def found(lines: tuple[list[str], list[str]]) -> NameMap:
    return match_variables(side(lines[0]), side(lines[1]))


@pytest.mark.parametrize(("count", "seed"), [(1, 1), (3, 2), (7, 3)])
def test_inserted_layers_are_known_by_their_widths(count: int, seed: int) -> None:
    lines, truth = inserted(count, seed, 60)
    assert dict(found(lines)) == truth


def test_irregular_names_get_rules_that_are_true_of_the_map() -> None:
    names = {f"a.{at}": f"b/{at * at % 31}.x" for at in range(12)}
    decisions = [Decision(e, "matched", None, a) for e, a in names.items()]
    rules = find_rules([*decisions, Decision("a.12", "unmatched", None)])
    rewritten = {e: new for e in names for rule in rules if (new := compile_rule(rule)(e))}
    assert rewritten == names
    assert not any(compile_rule(rule)("a.12") for rule in rules)

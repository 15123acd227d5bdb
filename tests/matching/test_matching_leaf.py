"""A bare name finds its variable by the last part, where nothing else ends in it."""

import pytest

from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.variable import Variable


def side(*names, shape=None):
    return Side(tuple(Variable(name, shape) for name in names))


LENIENT = MatchSettings(min_confidence=0.85)  # two names say little
STORED = ("my_model/V", "my_model/W", "my_model/b")


@pytest.mark.parametrize("scope", ["", "student/", "net/tower_0/"])
def test_lone_last_part_is_found_under_any_scope(scope):
    name_map = match_variables(
        side(f"{scope}W", f"{scope}b", shape=(4,)), side(*STORED, shape=(4,)), LENIENT
    )
    assert dict(name_map) == {f"{scope}W": "my_model/W", f"{scope}b": "my_model/b"}
    kinds = {evidence.kind for evidence in name_map.decision(f"{scope}W").evidence}
    assert "leaf" in kinds


def test_bare_names_need_no_shapes():
    name_map = match_variables(side("W", "b"), side(*STORED))
    assert dict(name_map) == {"W": "my_model/W", "b": "my_model/b"}


def test_last_part_that_stands_twice_is_refused_with_both():
    name_map = match_variables(side("W"), side("critic/W", "actor/W", "actor/b"))
    decision = name_map.decision("W")
    assert decision.status == "ambiguous"
    assert {candidate.actual for candidate in decision.candidates} == {"actor/W", "critic/W"}

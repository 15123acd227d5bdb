"""Names that would leave the tower of their scope are left open."""

import graphmap
from graphmap.matching.coherence import strays

TOWER = {f"enc.{n}.w": f"model/{n}/w" for n in range(20)}


def test_a_name_whose_place_is_taken_does_not_go_to_the_twin():
    assert strays(TOWER | {"enc.3.v": "generator/3/w"}) == {"enc.3.v": "enc.3.w"}


def test_two_towers_on_both_sides_are_no_strays():
    other = {f"gen.{n}.w": f"generator/{n}/w" for n in range(2)}
    assert strays(TOWER | other) == {}


def test_half_of_the_names_are_no_strays():
    other = {f"enc.{n}.v": f"generator/{n}/w" for n in range(20)}
    assert strays(TOWER | other) == {}


def test_a_pin_may_go_where_it_wants():
    actual = [f"{tower}/{n}/w" for tower in ("model", "generator") for n in range(20)]
    expected = [*(f"model/{n}/w" for n in range(20)), "model/3/v"]
    found = graphmap.match(expected, actual, pins={"model/3/v": "generator/3/w"})
    assert found["model/3/v"] == "generator/3/w" and len(found.matched) == 21

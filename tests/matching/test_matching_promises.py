"""What the matcher promises whatever it is given."""

from __future__ import annotations

import random

import pytest

from graphmap.errors import NameMapError, UsageError
from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.namemap import NameMap
from graphmap.model.variable import Variable


def side(*names: str) -> Side:
    return Side(tuple(Variable(name) for name in names))


def encoder(layers: int, prefix: str, words: dict[str, str]) -> list[Variable]:
    """An encoder whose layers hold q, k, v, two dense layers and two norms."""
    found = []
    for at in range(layers):
        for key, shape in (
            ("q", (8, 8)),
            ("k", (8, 8)),
            ("v", (8, 8)),
            ("wide", (8, 32)),
            ("narrow", (32, 8)),
        ):
            name = f"{prefix}{at}/{words[key]}"
            found.append(Variable(f"{name}/{words['kernel']}", shape, "float32"))
            found.append(Variable(f"{name}/{words['bias']}", shape[1:], "float32"))
    return found


OLD = {
    "q": "attention/self/query",
    "k": "attention/self/key",
    "v": "attention/self/value",
    "wide": "intermediate/dense",
    "narrow": "output/dense",
    "kernel": "kernel",
    "bias": "bias",
}
NEW = {
    "q": "attn/q_proj",
    "k": "attn/k_proj",
    "v": "attn/v_proj",
    "wide": "mlp/fc1",
    "narrow": "mlp/fc2",
    "kernel": "W",
    "bias": "b",
}


def renamed(layers: int = 4) -> tuple[list[Variable], list[Variable], dict[str, str]]:
    expected = encoder(layers, "net/block_", NEW)
    actual = encoder(layers, "bert/encoder/layer_", OLD)
    truth = {e.name: a.name for e, a in zip(expected, actual, strict=True)}
    return expected, actual, truth


def wrong(name_map: NameMap, truth: dict[str, str]) -> dict[str, str]:
    return {name: found for name, found in name_map.items() if truth.get(name) != found}


def test_renamed_encoder_is_found_whole() -> None:
    expected, actual, truth = renamed()
    found = match_variables(Side(tuple(expected), ordered=True), Side(tuple(actual)))
    assert dict(found) == truth
    assert found.verdict == "same"


@pytest.mark.parametrize("seed", range(5))
def test_order_of_the_actual_side_changes_nothing(seed: int) -> None:
    expected, actual, _ = renamed()
    straight = match_variables(Side(tuple(expected), ordered=True), Side(tuple(actual)))
    random.Random(seed).shuffle(actual)
    shuffled = match_variables(Side(tuple(expected), ordered=True), Side(tuple(actual)))
    assert shuffled.decisions == straight.decisions
    assert shuffled.unused == straight.unused


def test_entries_stand_in_expected_order_each_once() -> None:
    found = match_variables(side("b", "a", "c"), side("x/a", "x/b"))
    assert [d.expected for d in found.decisions] == ["b", "a", "c"]


def test_committed_names_are_at_least_as_sure_as_asked() -> None:
    expected, actual, _ = renamed()
    settings = MatchSettings(min_confidence=0.99)
    found = match_variables(Side(tuple(expected)), Side(tuple(actual)), settings)
    assert all(d.confidence >= 0.99 for d in found.matched)


def test_equal_twins_are_not_guessed() -> None:
    weights = encoder(3, "bert/layer_", OLD)
    twins = [v._replace(name=f"{top}/{v.name}") for top in ("left", "right") for v in weights]
    found = match_variables(Side(tuple(weights)), Side(tuple(twins)))
    assert not found.matched


def test_the_trained_twin_is_meant() -> None:
    weights = encoder(3, "bert/layer_", OLD)
    twins = [v._replace(name=f"{top}/{v.name}") for top in ("teacher", "student") for v in weights]
    slots = [
        v._replace(name=f"student/{v.name}/Adam", role="slot", slot_of=f"student/{v.name}")
        for v in weights
    ]
    found = match_variables(Side(tuple(weights)), Side(tuple(twins + slots)))
    assert dict(found) == {v.name: f"student/{v.name}" for v in weights}


def test_a_new_head_stays_open() -> None:
    body = encoder(3, "bert/layer_", OLD)
    head = [Variable("classifier/kernel", (8, 2)), Variable("classifier/bias", (2,))]
    old = [Variable("next_sentence/kernel", (8, 2)), Variable("next_sentence/bias", (2,))]
    found = match_variables(Side(tuple(body + head)), Side(tuple(body + old)))
    assert {d.expected for d in found.unmatched + found.ambiguous} == {v.name for v in head}


def test_slots_and_steps_never_compete() -> None:
    actual = Side(
        (
            Variable("m/W", (3, 4)),
            Variable("m/W/Adam", (3, 4), role="slot", slot_of="m/W"),
            Variable("global_step", (), role="step"),
        )
    )
    found = match_variables(Side((Variable("W", (3, 4)),)), actual)
    assert found["W"] == "m/W"
    assert found.unused == ("global_step",)


def test_prefer_ema_maps_to_the_shadow() -> None:
    shadow = Variable("m/W/ExponentialMovingAverage", (3,), role="shadow", slot_of="m/W")
    actual = Side((Variable("m/W", (3,)), shadow))
    expected = Side((Variable("W", (3,)),))
    assert match_variables(expected, actual)["W"] == "m/W"
    assert match_variables(expected, actual, MatchSettings(prefer_ema=True))["W"] == shadow.name


def test_pins_are_taken_as_given() -> None:
    settings = MatchSettings(pins={"a": "y"})
    found = match_variables(side("a", "b"), side("y", "a", "b"), settings)
    assert found["a"] == "y"
    assert found["b"] == "b"


@pytest.mark.parametrize(("pins", "meant"), [({"nett/W": "W"}, "net/W"), ({"net/W": "V"}, "W")])
def test_a_pin_to_nothing_is_refused_with_a_suggestion(pins: dict[str, str], meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        match_variables(side("net/W"), side("W", "Q"), MatchSettings(pins=pins))
    assert meant in caught.value.remedy or caught.value.remedy == "Check the listing."


def test_a_name_twice_is_refused_by_name() -> None:
    with pytest.raises(NameMapError, match="net/W"):
        match_variables(side("net/W", "net/W"), side("W"))


def test_only_and_exclude_leave_the_others_open() -> None:
    found = match_variables(side("a/W", "b/W"), side("a/W", "b/W"), MatchSettings(only="^a/"))
    assert dict(found) == {"a/W": "a/W"}
    found = match_variables(side("a/W", "b/W"), side("a/W", "b/W"), MatchSettings(exclude="^a/"))
    assert dict(found) == {"b/W": "b/W"}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param((), id="empty"),
        pytest.param(("layer_²/kernel", "layer_①/kernel"), id="digits that int refuses"),
        pytest.param(("a" * 10_000 + "/kernel", "b" * 10_000 + "/kernel"), id="long names"),
        pytest.param(("9" * 5_000, "8" * 5_000), id="long numbers"),
        pytest.param(("/", "//", ".", "_", "#", "a//b", "0"), id="separators only"),
        pytest.param(("слой_1/веса", "слой_2/веса"), id="another script"),
    ],
)
def test_weird_names_are_no_crash_and_map_to_themselves_or_to_nothing(
    names: tuple[str, ...],
) -> None:
    found = match_variables(side(*names), side(*names))
    assert all(name == actual for name, actual in found.items())


def test_one_side_without_shapes() -> None:
    expected, actual, truth = renamed()
    bare = [v._replace(shape=None) for v in expected]
    found = match_variables(Side(tuple(bare)), Side(tuple(actual)))
    assert not wrong(found, truth)


def test_a_layout_says_how_a_turned_kernel_is_got() -> None:
    expected = Side((Variable("fc.weight", (4, 3)), Variable("fc.bias", (4,))))
    actual = Side((Variable("m/fc/kernel", (3, 4)), Variable("m/fc/bias", (4,))))
    found = match_variables(expected, actual)
    assert found.decision("fc.weight").layout == "transpose"
    assert found.decision("fc.bias").layout == "same"


def test_an_unrelated_model_commits_nothing() -> None:
    expected = encoder(4, "bert/layer_", OLD)
    actual = [Variable(f"conv_{at}/w", (3, 3, 16, 16 + at)) for at in range(20)]
    found = match_variables(Side(tuple(expected)), Side(tuple(actual)))
    assert found.verdict == "other"
    assert not found.matched


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_layer_shifts_no_other(missing: int) -> None:
    expected = [
        v._replace(name=v.name.replace("layer_", "Encoder-").replace(f"-{at}/", f"-{at + 1}/"))
        for at in range(4)
        for v in encoder(4, "bert/layer_", OLD)
        if f"layer_{at}/" in v.name
    ]
    whole = encoder(4, "bert/layer_", OLD)
    truth = {e.name: a.name for e, a in zip(expected, whole, strict=True)}
    lost = f"bert/layer_{missing}/attention/self/query/"
    actual = [v for v in whole if not v.name.startswith(lost)]
    found = match_variables(Side(tuple(expected), ordered=True), Side(tuple(actual)))
    assert not wrong(found, truth)
    assert len(found) >= len(actual) - 6


def test_counters_of_a_second_session_are_not_taken_by_number() -> None:
    expected = [Variable("conv2d/kernel", (3, 3, 4, 4))]
    expected += [Variable(f"conv2d_{at}/kernel", (3, 3, 4, 4)) for at in range(1, 4)]
    actual = [Variable("conv2d/kernel", (3, 3, 4, 4))]
    actual += [Variable(f"conv2d_{at}/kernel", (3, 3, 4, 4)) for at in range(1, 8)]
    found = match_variables(Side(tuple(expected), ordered=True), Side(tuple(actual)))
    assert not found.matched


def test_names_without_any_repetition_are_looked_at_where_they_are_near():
    """Of thousands of groups not all pairs are tried: those that share a rare word are."""
    from graphmap.matching.crowd import CROWD, MOST, nearest
    from graphmap.matching.groups import build_groups
    from graphmap.matching.tokens import split_names

    words = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("lm", "rn", "st", "ng")]
    names = [f"{one}/{other}/kernel" for one in words[:60] for other in words[60:69]]
    sides = []
    for scope in ("", "net/"):
        variables = [Variable(scope + name, (8, 8), "float32") for name in names]
        split = split_names([v.name for v in variables])
        sides.append(build_groups(variables, split, range(len(names)), True))
    assert len(sides[0]) * len(sides[1]) > CROWD
    near = nearest(*sides)
    assert all(len(found) <= MOST for found in near.values())
    held = [f"net/{group.template}" in {g.template for g in near[id(group)]} for group in sides[0]]
    assert all(held)
    assert nearest(sides[0][:20], sides[1]) is None

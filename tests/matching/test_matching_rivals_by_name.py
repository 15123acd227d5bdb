"""What must stay apart where no shape is known: scopes, levels, parts of a block."""

from __future__ import annotations

import pytest

import graphmap
from graphmap.matching.groups import build_groups
from graphmap.matching.indices import selecting_indices
from graphmap.matching.pairs import propose
from graphmap.matching.scoring import is_guess, make_context, rivals_of
from graphmap.matching.tokens import split_names, words_of
from graphmap.model.variable import Variable


def _match(truth: dict[str, str]) -> dict[str, str]:
    found = graphmap.match(dict.fromkeys(truth), dict.fromkeys(sorted(truth.values())))
    return {d.expected: d.actual for d in found.matched if d.actual}


def _leaves(mine: str, other: str, kind: str = "dense") -> dict[str, str]:
    pairs = {"dense": (("weight", "kernel"), ("bias", "bias")),
             "norm": (("weight", "scale"), ("bias", "bias"))}[kind]  # fmt: skip
    return {f"{mine}.{one}": f"{other}/{two}" for one, two in pairs}


def test_attention_of_an_encoder_is_not_looked_for_in_the_decoder() -> None:
    truth: dict[str, str] = {}
    for at in range(4):
        for side, own in (("encoder", "attention"), ("decoder", "self_attention")):
            mine, other = f"model.{side}.layers.{at}", f"{side}/layers_{at}"
            for short, long in (("k", "key"), ("v", "value"), ("q", "query"), ("out", "out")):
                truth |= _leaves(f"{mine}.self_attn.{short}_proj", f"{other}/{own}/{long}")
                if side == "decoder":
                    there = f"{other}/encoder_decoder_attention/{long}"
                    truth |= _leaves(f"{mine}.encoder_attn.{short}_proj", there)
            truth |= _leaves(f"{mine}.fc1", f"{other}/mlp/wi") | _leaves(
                f"{mine}.fc2", f"{other}/mlp/wo"
            )
    found = _match(truth)
    assert found.items() <= truth.items()
    assert len(found) == len(truth)


def _unet(up: str, parts: tuple[str, ...], levels: int = 3, turned: bool = False) -> list[str]:
    names = []
    for way, count in (("down.{}", 2), (up, 3)):
        for level in range(levels):
            at = levels - 1 - level if turned and way == up else level
            for block in range(count):
                for part in parts:
                    path = f"{way.format(at)}.block.{block}.{part}"
                    names += [f"{path}.weight", f"{path}.bias"]
    return names


def test_levels_of_the_way_up_stay_open_under_another_name() -> None:
    parts = ("norm1", "conv1", "norm2", "conv2")
    mine, other = _unet("up_blocks.{}", parts), _unet("up.{}", parts, turned=True)
    truth = dict(zip(mine, other, strict=True))
    assert not [name for name in _match(truth) if name.startswith("up")]


@pytest.mark.parametrize("turned", [False, True])
def test_parts_in_turn_are_no_columns(turned: bool) -> None:
    sides = (
        ("norm1", "conv1", "temb", "norm2", "conv2"),
        ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3"),
    )
    mine, other = (_unet("up.{}", parts) for parts in sides)
    truth = dict(zip(other, mine, strict=True) if turned else zip(mine, other, strict=True))
    assert _match(truth).items() <= truth.items()


def test_a_shortcut_has_no_order_beside_numbers() -> None:
    truth: dict[str, str] = {}
    for stage in range(3):
        for block in range(3):
            mine, other = f"layer{stage + 1}.{block}", f"net/conv{stage + 2}_block{block + 1}"
            for part in (1, 2, 3):
                truth |= _leaves(f"{mine}.conv{part}", f"{other}_{part}_conv")
            if not block:
                truth |= _leaves(f"{mine}.downsample.0", f"{other}_0_conv")
    assert _match(truth).items() <= truth.items()


def test_layers_of_a_sequence_are_counted_in_turn() -> None:
    templates = {
        "net.#.weight": [((at,), at) for at in range(6)],
        "net.#.running_mean": [((at,), 6 + at) for at in (1, 3, 5)],
    }
    index = selecting_indices(templates, {})["net.#"]
    assert index.role == "turns"
    assert index.ranks_in_turn(index.turns[3]) == {1: 0, 3: 1, 5: 2}


def test_a_sequence_of_convolutions_and_norms_is_matched_by_its_order() -> None:
    truth: dict[str, str] = {}
    for at in range(5):
        truth[f"net.{3 * at}.weight"] = f"enc/conv{at + 1}/kernel"
        truth[f"net.{3 * at}.bias"] = f"enc/conv{at + 1}/bias"
        for one, two in (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
                         ("running_var", "moving_variance")):  # fmt: skip
            truth[f"net.{3 * at + 1}.{one}"] = f"enc/bn{at + 1}/{two}"
    assert _match(truth) == truth


def test_words_of_other_modules_choose_none_of_two_strange_ones() -> None:
    sides = [
        [Variable(name) for name in names]
        for names in (
            ("chars_to_pieces/conv/kernel", "projection/conv/kernel"),
            ("final_char_encoder/conv/kernel", "downsampler/initial_char_encoder/conv/kernel"),
        )
    ]
    expected, actual = (
        build_groups(side, split_names([v.name for v in side]), range(2), True) for side in sides
    )
    pairs = propose(expected, actual, loose=False, first=True)
    context = make_context(expected, actual, [])
    for pair in pairs:  # learned words speak for one of them only
        pair.bits = 11.0 if "final" in pair.actual.template else -7.0
    chosen = next(
        p for p in pairs if "chars" in p.expected.template and "final" in p.actual.template
    )
    rivals, every = (rivals_of(pairs, context, least) for least in (0.0, -99.0))
    assert is_guess(chosen, rivals, every, rivals, context)


def test_stages_of_other_lengths_are_no_counterparts() -> None:
    sizes = (1, 2, 3, 1)
    truth: dict[str, str] = {}
    for stage, count in enumerate(sizes):
        for block in range(count):
            mine, other = f"net.{stage}.{block}", f"enc/stage_{stage}/unit_{block}"
            truth |= _leaves(f"{mine}.point_in", f"{other}/widen")
            truth |= _leaves(
                f"{mine}.{'point_out' if stage else 'point_in_out'}", f"{other}/narrow"
            )
    mine = {name for name in truth if "point_in." not in name}
    found = _match({name: other for name, other in truth.items() if name in mine})
    assert found.items() <= truth.items()


def test_letters_of_an_activation_are_no_words() -> None:
    assert words_of("PReLU_1") == words_of("p_re_lu_1") == words_of("prelu_1")

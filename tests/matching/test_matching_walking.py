"""Scopes that were renamed throughout are laid on one another where no shape is known."""

from __future__ import annotations

import pytest

import graphmap
from graphmap.matching.walking import Walk

NORM = (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
        ("running_var", "moving_variance"))  # fmt: skip


def _conv(expected: str, actual: str, norm: str, other: str) -> dict[str, str]:
    """Return {expected: actual} of a convolution and the norm behind it."""
    pairs = {f"{expected}.weight": f"{actual}/kernel"}
    return pairs | {f"{norm}.{mine}": f"{other}/{theirs}" for mine, theirs in NORM}


def _inception(blocks: int = 4) -> dict[str, str]:
    """Return the truth of two namings of a net of branches."""
    truth = _conv("stem.0.conv", "Net/Conv2d_1a_7x7", "stem.0.bn", "Net/Conv2d_1a_7x7/BatchNorm")
    for block, letter in zip(range(blocks), "bcdef", strict=False):
        for branch, size in enumerate((1, 2, 2, 1)):
            for at, mark in zip(range(size), "ab", strict=False):
                mine = f"features.{block}.path{branch + 1}.{at}"
                other = f"Net/Mixed_3{letter}/Branch_{branch}/Conv2d_0{mark}_3x3"
                truth |= _conv(f"{mine}.conv", other, f"{mine}.bn", f"{other}/BatchNorm")
    return truth | {"fc.weight": "Net/Logits/kernel", "fc.bias": "Net/Logits/bias"}


def _match(truth: dict[str, str]) -> dict[str, str]:
    found = graphmap.match(dict.fromkeys(truth), dict.fromkeys(sorted(truth.values())))
    return {d.expected: d.actual for d in found.matched if d.actual}


def test_scopes_that_share_no_word_are_told_by_what_they_hold() -> None:
    truth = _inception()
    found = _match(truth)
    assert found.items() <= truth.items()
    assert len(found) == len(truth)


def test_layers_inside_a_numbered_branch_keep_their_order() -> None:
    truth: dict[str, str] = {}
    for at in range(5):
        for part, word in ((1, "shrink"), (2, "spread"), (3, "widen")):
            mine, other = f"net.stage{at}.{word}", f"m.unit.{at}.branch2"
            truth |= _conv(f"{mine}.conv", f"{other}/{2 * part}", f"{mine}.bn",
                           f"{other}/{2 * part + 1}")  # fmt: skip
    found = _match(truth)
    assert found.items() <= truth.items()
    assert len(found) == len(truth)


def test_words_of_flat_names_end_scopes_too() -> None:
    truth: dict[str, str] = {}
    for at in range(5):
        for part in ("expand", "spread", "shrink"):
            mine, other = f"net/unit_{at}/{part}", f"cell_{at + 1}_{part}"
            truth |= {
                f"{mine}/weights": f"{other}/kernel",
                **{f"{mine}/Norm/{leaf}": f"{other}_BN/{leaf}" for _, leaf in NORM},
            }
    assert _match(truth) == truth


def test_the_last_one_is_not_counted_as_the_first() -> None:
    truth: dict[str, str] = {}
    for at in range(6):
        for part, word in enumerate(("l_1", "l_2", "l_last")):
            mine, other = f"flow.layers.{at}.block.{2 * part}", f"model/{at}/f1/{word}"
            truth |= {f"{mine}.weight": f"{other}/W", f"{mine}.bias": f"{other}/b"}
    assert _match(truth).items() <= truth.items()


def test_branches_in_another_order_of_numbers_stay_open() -> None:
    truth = _inception()
    turned = {}
    for mine, other in truth.items():  # the first and the last branch, which hold the same
        for one, two in (("Branch_0", "Branch_x"), ("Branch_3", "Branch_0"),
                         ("Branch_x", "Branch_3")):  # fmt: skip
            other = other.replace(one, two)
        turned[mine.replace("path1", "first").replace("path4", "short")] = other
    found = _match(turned)
    assert found.items() <= turned.items()
    assert not [name for name in found if "first" in name or "short" in name]


def test_query_key_and_value_have_no_order_beside_a_counter() -> None:
    truth = {}
    for at in range(4):
        for number, word in enumerate(("k_proj", "v_proj", "q_proj")):
            leaf = "_1" * (number == 1) + "_2" * (number == 2)
            for kind in ("kernel", "bias"):
                truth[f"net/block{at}/mixer/{word}/{kind}"] = f"m/layer_{at}/att/dense{leaf}/{kind}"
        for kind in ("gamma", "beta"):
            truth[f"net/block{at}/n/{kind}"] = f"m/layer_{at}/ln/{kind}"
        for kind in ("kernel", "bias"):
            truth[f"net/block{at}/fold/{kind}"] = f"m/layer_{at}/mlp/lin/{kind}"
    found = _match(truth)
    assert not [name for name in found if "_proj" in name]


@pytest.mark.parametrize(
    ("runs", "places"),
    [
        pytest.param([], {0: {0, 1}, 1: {1, 2}, 2: {0, 2}}, id="a pair may stand first or last"),
        pytest.param([(0, 2)], {0: {0}, 1: {1}, 2: {2}}, id="no scope is cut"),
    ],
)
def test_a_walk_keeps_scopes_together(
    runs: list[tuple[int, int]], places: dict[int, set[int]]
) -> None:
    leaves = [(("s", "x1"), 0), (("s", "x2"), 0), (("t",), 0)]
    assert Walk([0, 0, 0], leaves, {}, runs).places() == places


def test_a_settled_place_is_kept() -> None:
    leaves = [(("a",), 0), (("b",), 0)]
    assert Walk([0, 0], leaves, {0: 1}, []).places() == {0: {1}, 1: {0}}

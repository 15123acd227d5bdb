"""What a walk leaves open or takes for granted, told by what both sides call it."""

import pytest

import graphmap
from graphmap.matching.branches import open_branches, tell_branches


def paths(*names):
    return [tuple(name.split("/")) for name in names]


def every(count):
    """Leaves that may stand in any place."""
    return {leaf: set(range(count)) for leaf in range(count)}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (
            ("m_3b/b1a", "m_3b/b2a"),
            ("Mixed_3b/Branch_1/Conv3d_0a_1x1", "Mixed_3b/Branch_2/Conv3d_0a"),
        ),
        (("b0/conv", "b3b/conv"), ("Branch_0/Conv2d_0a_1x1", "Branch_3/Conv2d_0b_1x1")),
        (("n/scale", "n/offset"), ("norm/gamma", "norm/beta")),
        (("x_0/to_q", "x_0/to_k", "x_1/to_q", "x_1/to_k"), ("a_0/q", "a_0/k", "a_1/q", "a_1/k")),
    ],
    ids=["numbers", "letters", "words", "both"],
)
def test_branches_are_told_by(expected, actual):
    found = tell_branches(every(len(expected)), paths(*expected), paths(*actual))
    assert found == {leaf: {leaf} for leaf in range(len(actual))}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (("b0", "b1"), ("branch_1", "branch_2")),
        (("block_0/rgb", "block_1/rgb"), ("rgb_lod0", "rgb_lod1")),
        (("left", "right"), ("port", "starboard")),
    ],
    ids=["shifted", "levels", "strange"],
)
def test_branches_stay_open_where_they_are(expected, actual):
    places = every(len(expected))
    assert tell_branches(places, paths(*expected), paths(*actual)) == places


def test_equal_branches_of_one_scope_have_no_order():
    walked = {0: {0}, 1: {1}, 2: {2}}
    expected = paths("cell/forward", "cell/backward", "cell/dense")
    assert open_branches(walked, expected, [5, 5, 5]) == {0: {0, 1}, 1: {0, 1}, 2: {2}}


def test_equal_levels_that_are_counted_down_have_no_order():
    walked = {0: {0}, 1: {1}}
    assert open_branches(walked, paths("up3/conv", "up2/conv"), [4, 4]) == {0: {0, 1}, 1: {0, 1}}
    assert open_branches(walked, paths("up2/conv", "up3/conv"), [4, 4]) == walked
    assert open_branches(walked, paths("up3/conv", "up2/conv"), [4, 7]) == walked


def test_the_last_open_level_gets_an_answer():
    mine = {f"neck/c{k}_reduced/{leaf}": (8,) for k in (5, 4, 3) for leaf in ("scale", "bias")}
    theirs = {f"mask/conv{k}/bias": (8,) for k in (2, 5)} | {"neck/c5_reduced/bias": (8,)}
    theirs["neck/c4_reduced/bias"] = (8,)
    assert len(graphmap.match(mine, theirs).decisions) == len(mine)

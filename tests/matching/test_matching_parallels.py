"""Scopes beside each other that hold the same, or words: what they are called tells them apart."""

from itertools import pairwise

import pytest

import graphmap
from graphmap.matching.echoes import echoed_words, without_echoes
from graphmap.matching.shortcuts import moved_shortcuts

SIZES = (6, 8, 8, 4)


def towers(layer, rows, sizes=SIZES, leaves=("kernel", "bias")):
    """Towers of dense layers; layer(tower, k, is_last) names one."""
    found = {}
    for tower in rows:
        for k, (one, other) in enumerate(pairwise(sizes)):
            name = layer(tower, k, k == len(sizes) - 2)
            found[f"{name}/{leaves[0]}"] = (one, other)
            found[f"{name}/{leaves[1]}"] = (other,)
    return found


def mine(tower, k, _):
    return f"{tower}/layer{k}"


def theirs(tower, k, is_last):
    return f"net/{tower}/{'out' if is_last else f'hidden_{k + 1}'}"


def matched(expected, actual):
    return {d.expected: d.actual for d in graphmap.match(expected, actual).matched}


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (("query_tower", "ctx"), ("user", "context")),  # shortened; what is left
        (("vf", "policy"), ("critic", "pi")),  # of the field's words
        (("side", "user_tower", "item"), ("ctx", "user", "item_net")),
    ],
)
def test_like_towers_are_told_apart_by_their_words(words, others):
    expected, actual = towers(mine, words), towers(theirs, others, leaves=("w", "b"))
    truth = dict(zip(expected, actual, strict=True))
    assert matched(expected, dict(sorted(actual.items()))) == truth


@pytest.mark.parametrize("words", [("query", "item"), ("context", "user", "side")])
def test_like_towers_without_a_common_word_stay_open(words):
    others = ("left", "right", "middle")[: len(words)]
    actual = towers(theirs, others, leaves=("w", "b"))
    assert not matched(towers(mine, words), dict(sorted(actual.items())))


def test_words_that_speak_for_two_scopes_tell_nothing():
    actual = towers(theirs, ("user_item", "item_user"), leaves=("w", "b"))
    found = matched(towers(mine, ("user", "item")), dict(sorted(actual.items())))
    assert not found


def test_a_scope_that_alone_holds_its_content_is_its_counterpart():
    """The last layers have sizes of their own, and so each layer in front of them is settled."""
    sides = []
    for layer, words, leaves in (
        (mine, ("trunk", "pi", "curiosity"), ("kernel", "bias")),
        (theirs, ("base", "actor", "reward"), ("w", "b")),
    ):
        side = {}
        for word, last in zip(words, (8, 4, 2), strict=True):
            side |= towers(layer, (word,), (8, 8, 8, last), leaves)
        sides.append(side)
    truth = dict(zip(*sides, strict=True))
    found = matched(sides[0], dict(sorted(sides[1].items())))
    assert found.items() <= truth.items()
    assert {f"curiosity/layer{k}/kernel" for k in range(3)} <= found.keys()


def test_a_wrapper_does_not_mean_the_words_that_a_scope_within_has():
    names = {"net_a/vision_text/vision/#/w": 4, "net_a/vision_text/text/#/w": 4, "step": 1}
    echoed = echoed_words(names)
    assert echoed == {("net_a", "vision_text"): frozenset({"vision", "text"})}
    words = ("net", "a", "vision", "text", "text", "#")
    kept = without_echoes(words, "net_a/vision_text/text/#/w", echoed)
    assert kept == ("net", "a", "text", "#")


def test_a_scope_beside_another_keeps_the_words_that_tell_the_two_apart():
    names = {f"{w}/{x}/w": 4 for w in ("encoder", "decoder") for x in (f"{w}_norm", "layer_#")}
    assert not echoed_words(names)


def blocks(name, sizes=(4, 8, 16, 24)):
    """Residual blocks of two convolutions and a shortcut; name(block, role) in the code's order."""
    found = {}
    for at, (one, other) in enumerate(pairwise(sizes)):
        for role, shape in (("conv1", (3, 3, one, other)), ("conv2", (3, 3, other, other)),
                            ("shortcut", (1, 1, one, other))):  # fmt: skip
            found[name(at, role)] = shape
    return found


def test_a_counter_over_the_net_may_count_shortcuts_first():
    order = [1, 2, 0]  # conv1, conv2, shortcut: shortcut is number 0 of its block

    def counted(at, role):
        k = 3 * at + order[("conv1", "conv2", "shortcut").index(role)]
        return f"conv2d_{k}/kernel" if k else "conv2d/kernel"

    expected, actual = blocks("block{}/{}/kernel".format), blocks(counted)
    truth = dict(zip(expected, actual, strict=True))
    assert matched(expected, dict(sorted(actual.items()))) == truth


def test_shortcuts_of_all_blocks_are_moved_alike():
    paths = [tuple(name.split("/")) for name in blocks("b{}/{}".format, (8, 8, 16))]
    assert list(moved_shortcuts(paths)) == [[2, 0, 1, 5, 3, 4], [0, 2, 1, 3, 5, 4]]
    assert not list(moved_shortcuts([("b0", "conv1"), ("b0", "conv2")]))

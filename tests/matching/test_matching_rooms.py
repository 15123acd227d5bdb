"""Blocks without room for what is asked, tensors that left their module, counted projections."""

import pytest

from graphmap.matching import Side, match_variables
from graphmap.matching.forms import Form, strays
from graphmap.model.variable import Variable

SELF = [f"attention/{part}/{leaf}" for part in ("query", "key", "value", "output")
        for leaf in ("kernel", "bias")]  # fmt: skip


def blocks(scope, parts, count=4, told=True):
    return {
        f"{scope}{k}/{part}": ((8,) if part.endswith("bias") else (8, 8)) if told else None
        for k in range(count)
        for part in parts
    }


def side(rows, ordered=True):
    found = rows if ordered else sorted(rows)
    return Side(tuple(Variable(name, rows[name]) for name in found), ordered=ordered)


@pytest.mark.parametrize("told", [True, False])
def test_a_block_with_two_attentions_is_not_laid_into_one_with_one(told):
    """The code calls its decoder an encoder; the words of the stored encoder are the same."""
    cross = [part.replace("attention", "cross") for part in SELF]
    expected = blocks("net/encoder/layer_", [*SELF, *cross], told=told)
    actual = blocks("model/encoder/layer_", SELF, told=told)
    actual |= blocks("model/decoder/layer_", [*SELF, *cross], told=told)
    found = match_variables(side(expected), side(actual, ordered=False))
    assert not [d.actual for d in found.matched if "/encoder/" in d.actual]


def test_a_bias_stays_in_the_module_of_its_kernel():
    kernel, bias = ("M", (4, 8)), ("B", (8,))
    expected = [Form("one", {kernel: (0,), bias: (1,)}), Form("two", {bias: (2,)})]
    actual = [Form("x", {kernel: (0,), bias: (1,)}), Form("y", {bias: (2,)})]
    assert strays(expected, actual, {0: 0, 1: 2, 2: 1}) == {1, 2}
    assert strays(expected, actual, {0: 0, 1: 1, 2: 2}) == set()
    assert strays(expected, actual, {1: 2, 2: 1}) == set()


def counted(scope, count=4):
    names = ("dense", "dense_1", "dense_2", "dense_3")
    return blocks("net/block_", [f"{scope}/{name}/{leaf}" for name in names
                                 for leaf in ("kernel", "bias")], count)  # fmt: skip


def test_the_counted_layers_of_an_attention_are_its_projections_in_order():
    more = {"head/kernel": (8, 3)}  # so that the sides do not fit as wholes
    found = match_variables(
        side(counted("attention") | more), side(blocks("model/layer_", SELF), ordered=False)
    )
    words = ("query", "key", "value")
    for k, (name, word) in enumerate(zip(("dense", "dense_1", "dense_2"), words, strict=True)):
        decision = found.decision(f"net/block_{k}/attention/{name}/kernel")
        assert decision.actual == f"model/layer_{k}/attention/{word}/kernel"
        assert decision.confidence < 0.99  # somebody may have made them in another order


def test_the_counted_layers_of_a_whole_block_are_in_no_order():
    found = match_variables(
        side(counted("mixer")), side(blocks("model/layer_", SELF), ordered=False)
    )
    assert not found.matched

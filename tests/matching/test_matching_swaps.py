"""Like modules of one block that might be exchanged stay open, where nothing but habit chose."""

import pytest
from matching_blocks import basic, counted, norm

import graphmap
from graphmap.matching.forms import Form
from graphmap.matching.leanings import Asked
from graphmap.matching.swaps import doubtful_swaps
from graphmap.matching.torn import torn_modules


def judged(expected, actual):
    """Return (names that are right, wrong ones): both sides list the same tensors in one order."""
    truth = dict(zip(expected, actual, strict=True))
    found = {
        d.expected: d.actual for d in graphmap.match(expected, dict(sorted(actual.items()))).matched
    }
    right = {name for name, other in found.items() if truth[name] == other}
    return right, found.keys() - right


def test_a_counter_that_a_shortcut_moved_names_no_layer():
    """`conv2d_1` is the first layer of one block, and the second one of another."""

    right, wrong = judged(basic(lettered), basic(counted))
    assert not wrong
    assert {"unit_0/shortcut/kernel", "unit_2/shortcut/bn/gamma"} <= right


def test_letters_at_the_end_of_names_count():
    _, wrong = judged(basic(counted), basic(lettered))
    assert not wrong


def lettered(block, at, role, is_norm):
    word = {"first": "conva", "second": "convb"}.get(role, role)
    return f"unit_{block}/{word}{'/bn' * is_norm}"


def feed_forward(name, words, shapes):
    """Two dense layers a block; name(word, block) names a kernel."""
    return {
        name(word, at): shape for at in range(3) for word, shape in zip(words, shapes, strict=True)
    }


@pytest.mark.parametrize("has_head", [True, False])
def test_a_word_that_was_learned_does_not_turn_a_kernel(has_head):
    """A head shows which way kernels are kept; without it only names do, and habit."""
    mine = feed_forward("block_{1}/{0}/kernel".format, ("wi", "wo"), ((16, 32), (32, 16)))
    theirs = feed_forward("block.{1}.ff.{0}.weight".format, ("lin1", "lin2"), ((32, 16), (16, 32)))
    if has_head:
        mine["head/kernel"], theirs["head.weight"] = (16, 7), (7, 16)
    assert not judged(mine, theirs)[1]


def test_norms_of_a_decoder_are_not_told_by_a_counter():
    """The last norm teaches `final`, so that the one of the attention seems to be left."""

    def norms(block, decoder, words, last):
        names = [f"encoder/{block}_1/{words[0]}",
                 *(f"{decoder}/{block}_{at}/{word}" for at in (1, 2) for word in words),
                 f"{decoder}/{last}"]  # fmt: skip
        return {k: v for name in names for k, v in norm(name, 16, ("gamma", "beta")).items()}

    counted_norms = ("layer_normalization", "layer_normalization_1", "layer_normalization_2")
    words = ("norm_attn", "encoder_attn_layer_norm", "final_layer_norm")
    right, wrong = judged(norms("block", "decoder", counted_norms, "norm"),
                          norms("h", "dec", words, "final_layer_norm"))  # fmt: skip
    assert not wrong
    assert {"encoder/block_1/layer_normalization/gamma", "decoder/norm/beta"} <= right


def test_a_norm_that_is_called_as_its_kernel_is_no_other():
    """Numbers of the levels alone say that the norms are exchanged."""
    mine, theirs = (
        {**norm(f"{down}/{bn}", 8), f"{up}/{conv}/kernel": (3, 3, 8, 8), **norm(f"{up}/{bn}", 8)}
        for down, up, conv, bn in (("encoder1", "decoder2", "conv2", "conv2_BN"),
                                   ("down_block_1", "expand_2", "conv_2", "batch_norm_2"))
    )  # fmt: skip
    assert judged(mine, theirs) == (mine.keys(), set())


def test_words_that_come_first_here_and_last_there_are_no_order():
    """A net contracts before it expands, a block may do so the other way round."""
    mine, theirs = (
        {f"{scope}/{word}/kernel": (3, 3, size, 4) for scope, first in ((down, 3), (up, 8))
         for word, size in zip(words, (first, 4), strict=True)} | {f"{head}/bias": (1,)}
        for down, up, words, head in (("encoder0", "up_block0", ("layer1", "layer2"), "head"),
                                      ("contract1", "expand4", ("body/0", "body/3"), "final_conv"))
    )  # fmt: skip
    assert judged(mine, theirs) == (mine.keys(), set())


def levels(down, up, middle, convs, norms=()):
    """Two convolutions a level, down and up again: the second ones are alike both ways."""
    found = {}

    def level(scope, size, out):
        for at, word in enumerate(convs):
            found[f"{scope}/{word}/kernel"] = (3, 3, out if at else size, out)
            if norms:
                found.update(norm(f"{scope}/{norms[at]}", out))

    level(f"{down}_0", 3, 8)
    level(f"{down}_1", 8, 16)
    level(middle, 16, 32)
    level(f"{up}_1", 32, 16)
    level(f"{up}_0", 16, 8)
    return found


@pytest.mark.parametrize("norms", [((), ()), (("bn_1", "bn_2"), ("conva/bn", "convb/bn"))])
def test_a_module_torn_from_what_stands_beside_it_stays_open(norms):
    """The first layer of a level fits one scope only; where the second one goes, and its norm?"""
    expected = levels("contract", "up", "contract_2", ("conv2d_1", "conv2d_2"), norms[0])
    actual = levels("down", "dec", "mid", ("conva", "convb"), norms[1])
    right, wrong = judged(expected, actual)
    assert not wrong
    assert {
        "contract_0/conv2d_1/kernel",
        "up_1/conv2d_1/kernel",
        "contract_2/conv2d_2/kernel",
    } <= right


def form(name):
    return Form(name, {("M", (8, 8)): (0,)})


def attention(name):
    return [form(f"{name}/{part}") for part in ("q", "k", "v", "o")]


def test_of_a_scope_most_modules_tell_which_one_is_meant():
    expected, actual = attention("mha"), [*attention("attn"), *attention("cross")]
    assert not torn_modules(expected, actual, {0: 0, 1: 1, 2: 2, 3: 3})
    assert list(torn_modules(expected, actual, {0: 0, 1: 5, 2: 2, 3: 3})) == [1]


def test_modules_of_one_scope_may_stand_in_two_that_hold_others():
    expected = attention("mha")
    others = [Form(f"out/{part}", {("M", (8, 9)): (0,)}) for part in "xyz"]
    actual = [*attention("attn"), form("out/o"), *others]
    assert not torn_modules(expected, actual, {0: 0, 1: 1, 2: 2, 3: 4})


@pytest.mark.parametrize(("bias", "opened"), [((16,), set()), ((8,), {0, 1})])
def test_a_module_with_a_bias_of_another_size_is_another_one(bias, opened):
    sides = [
        [Form("net/dense", {("M", (8, 16)): (0,), ("B", size): (1,)})] for size in ((16,), bias)
    ]
    shapes = {0: (8, 16), 1: (16,)}, {0: (8, 16), 1: bias}
    asked = Asked(*sides, settled={0: 0}, shapes=shapes, tables=set(), kernels={0}, ordered=True,
                  turned=False)  # fmt: skip
    assert doubtful_swaps(asked, set(), set()).keys() == opened


SQUEEZED = """
residual_block_0/depthwise/w              residual_block.1.conv.1.weight        3 3 12 1
residual_block_0/depthwise/norm/scale     residual_block.1.batchnorm.1.weight   12
residual_block_0/depthwise/norm/offset    residual_block.1.batchnorm.1.bias     12
residual_block_0/project_conv/w           residual_block.1.conv.4.weight        1 1 12 12
residual_block_0/project_conv/norm/scale  residual_block.1.batchnorm.2.weight   12
residual_block_0/project_conv/norm/offset residual_block.1.batchnorm.2.bias     12
residual_block_8/squeeze/w                residual_block.9.conv.3.weight        1 1 192 12
residual_block_8/squeeze/b                residual_block.9.conv.3.bias          12
residual_block_8/se_fc2/w                 residual_block.9.conv.4.weight        1 1 12 192
residual_block_8/se_fc2/b                 residual_block.9.conv.4.bias          192
residual_block_8/project_conv/w           residual_block.9.conv.5.weight        1 1 192 48
residual_block_8/project_conv/norm/scale  residual_block.9.batchnorm.3.weight   48
residual_block_8/project_conv/norm/offset residual_block.9.batchnorm.3.bias     48
"""


def test_an_offset_is_no_bias_of_a_convolution():
    """One norm has no convolution left that it could follow, and a bias is of its size."""
    expected, actual = {}, {}
    for line in SQUEEZED.split("\n")[1:-1]:
        mine, theirs, *sizes = line.split()
        shape = tuple(map(int, sizes))
        expected[mine] = shape
        actual[theirs] = tuple(shape[at] for at in (3, 2, 0, 1)) if len(shape) > 1 else shape
    right, wrong = judged(expected, actual)
    assert not wrong
    assert "residual_block_8/squeeze/w" in right

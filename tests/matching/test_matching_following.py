"""Norms with moving averages go with the kernel they follow, whatever either is called."""

import pytest
from matching_blocks import basic, counted

import graphmap
from graphmap.matching.following import followed_norms
from graphmap.matching.forms import Form


def named(block, at, role, is_norm):
    return f"block_{block}/{role}{'_bn' * is_norm}"


def nested(block, at, role, is_norm):
    return f"block_{block}/{role}{'/BatchNorm' * is_norm}"


def in_sequence(block, at, role, is_norm):
    return f"layers/{block}/{2 * at + is_norm}"


def in_order(block, at, role, is_norm):
    """`conv_1` and `norm_1`: in the code one stands behind the other."""
    number = {"shortcut": "s", "first": "1", "second": "2"}[role]
    return f"block_{block}/{'norm' if is_norm else 'conv'}_{number}"


@pytest.mark.parametrize(("mine", "theirs"), [
    pytest.param(named, counted, id="counted as many as kernels"),
    pytest.param(in_order, counted, id="behind it in the code"),
    pytest.param(counted, named, id="with its words"),
    pytest.param(counted, nested, id="below it"),
    pytest.param(in_sequence, named, id="one behind it in a sequence"),
    pytest.param(nested, in_sequence, id="a sequence of numbers alone"),
])  # fmt: skip
def test_a_norm_is_found_with_its_kernel(mine, theirs):
    expected, actual = basic(mine), basic(theirs)
    truth = dict(zip(expected, actual, strict=True))
    found = {d.expected: d.actual for d in graphmap.match(expected, actual).matched}
    assert found.items() <= truth.items()
    names = list(truth)
    kernels = [at for at, name in enumerate(names) if name in found and name.endswith("kernel")]
    assert len(kernels) >= 4
    assert found == {names[k]: truth[names[k]] for at in kernels for k in range(at, at + 5)}


def kernel(name, size):
    return Form(name, {("M", (3, 3, size, size)): (0,)})


def norm(name, size):
    return Form(name, {("G", (size,)): (0,), ("V", (size,)): (1,)})


def rows(names, sizes):
    """A kernel and a norm by turns, as the names say."""
    return [(norm if "norm" in name else kernel)(name, sizes[at // 2])
            for at, name in enumerate(names.split())]  # fmt: skip


BELOW = rows("a a/norm b b/norm c c/norm", (4, 5, 6))


@pytest.mark.parametrize(("names", "owners"), [
    ("net/a net/norm_1 net/b net/norm_2 net/c net/norm_3", {0: 1, 2: 3, 4: 5}),
    ("net/norm_1 net/a net/norm_2 net/b net/norm_3 net/c", {1: 0, 3: 2, 5: 4}),
])  # fmt: skip
def test_in_the_code_norms_stand_behind_their_kernels_or_all_before_them(names, owners):
    found = followed_norms(rows(names, (4, 5, 6)), BELOW, ordered=True)
    assert found is not None and found[0] == owners


def test_blocks_that_begin_in_two_ways_tell_nothing():
    words = "bcdefghijk"
    others = " ".join(f"y/{word} y/norm_{at}" for at, word in enumerate(words))
    expected = rows(f"x/norm_0 x/a {others}", (4,) * 11)
    assert followed_norms(expected, BELOW, ordered=True) is None
    assert followed_norms(expected[2:], BELOW, ordered=True)


def test_a_norm_of_another_size_belongs_to_no_kernel():
    assert followed_norms(BELOW, rows("a a/norm b b/norm c c/norm", (4, 5, 6)), ordered=False)
    others = [*BELOW[:5], norm("c/norm", 7)]
    assert followed_norms(BELOW, others, ordered=False) is None

"""Norms go where the kernel beside them went, and blocks stand around what is no block."""

import graphmap
from graphmap.matching.companions import companions
from graphmap.matching.forms import Form, misplaced_norms


def conv(name, at, width):
    return Form(name, {("M", (3, width)): (at,)})


def norm(name, at, width):
    return Form(name, {("G", (width,)): (at,), ("B", (width,)): (at + 1,)})


EXPECTED = [conv("a/conv", 0, 8), norm("a/bn", 1, 8), conv("b/conv", 3, 8), norm("b/bn", 4, 8)]
ACTUAL = [conv("x/0", 0, 8), norm("x/1", 1, 8), conv("y/0", 3, 8), norm("y/1", 4, 8)]


def test_a_norm_goes_where_the_kernel_beside_it_went():
    assert companions(EXPECTED, ACTUAL, {0: 3, 3: 0}) == [(1, 4), (2, 5), (4, 1), (5, 2)]


def test_a_norm_without_a_settled_kernel_beside_it_stays_open():
    assert companions(EXPECTED, ACTUAL, {}) == []


def test_two_like_norms_beside_one_kernel_stay_open():
    more = [*ACTUAL, norm("y/2", 6, 8)]
    assert companions(EXPECTED, more, {0: 3, 3: 0}) == [(4, 1), (5, 2)]


def test_kernels_do_not_follow_each_other():
    expected = [conv("a/one", 0, 8), conv("a/other", 1, 8)]
    actual = [conv("x/0", 0, 8), conv("x/1", 1, 8)]
    assert companions(expected, actual, {0: 0}) == []


def test_a_scale_called_weight_is_a_scale_where_averages_stand_beside_it():
    def side(leaves):
        rows = [(f"{leaves[0]}", (3, 3, 4, 8)), *((leaf, (8,)) for leaf in leaves[1:])]
        return dict(rows)

    expected = side(["stem.0.weight", "stem.1.weight", "stem.1.bias", "stem.1.running_mean",
                     "stem.1.running_var"])  # fmt: skip
    actual = side(["init/conv/kernel", "init/bn/gamma", "init/bn/beta", "init/bn/moving_mean",
                   "init/bn/moving_variance"])  # fmt: skip
    expected |= {f"rest.{k}.weight": (3, 3, 8, k + 5) for k in range(6)}
    actual |= {f"body/{k}/kernel": (3, 3, 8, k + 5) for k in range(6)}
    found = graphmap.match(expected, actual)
    assert dict(found.items()) == dict(zip(expected, actual, strict=True))


def test_an_index_counts_past_what_is_no_block():
    def blocks(name, numbers, words):
        return {f"{name(k)}/{word}/w": (3, 3, 8, 8 + k) for k in numbers for word in words}

    expected = blocks(lambda k: f"layers.{k}", (0, 1, 3, 4), ("conv_0", "conv_1"))
    expected["layers.2/theta/w"] = expected["layers.2/phi/w"] = (8, 4)
    actual = blocks(lambda k: f"Block_{k}", (0, 1, 3, 4), ("conv0", "conv1"))
    actual["attention/theta/w"] = actual["attention/phi/w"] = (8, 4)
    assert len(graphmap.match(expected, actual).matched) == len(expected)


def averaged(name, at, width):
    return Form(name, {(letter, (width,)): (at + k,) for k, letter in enumerate("BGUV")})


def chain(names, start=0):
    """Kernels and the norms that follow them, by turns."""
    rows, at = [], start
    for kernel, follows in names:
        rows += [conv(kernel, at, 8), averaged(follows, at + 1, 8)]
        at += 5
    return rows


def test_norms_that_a_number_led_away_from_their_kernels_are_doubted():
    expected = chain([("b/pw", "b/bn1"), ("b/dw", "b/bn2"), ("b/out", "b/bn3"), ("c/pw", "c/bn1")])
    actual = chain([("s_pw", "s_pw_bn"), ("s_dw", "s_dw_bn"), ("s_out", "s_out_bn"), ("t", "t_bn")])
    same = {p: p for p in range(20)}
    assert misplaced_norms(expected, actual, same) == set()
    crossed = {p: p + 5 if 0 < p < 5 else p - 5 if 5 < p < 10 else p for p in range(20)}
    assert misplaced_norms(expected, actual, crossed) == {*range(1, 5), *range(6, 10)}
    before = {p: (p + 5) % 20 if p % 5 else p for p in range(20)}  # norms in front of kernels
    assert misplaced_norms(expected, actual, before) == set()


def test_a_counter_in_front_of_words_gets_an_answer():
    names = [f"layer_{k}/with_weights/kernel" if k else "layer/with_weights/kernel"
             for k in range(4)]  # fmt: skip
    more = [f"layer_with_{k}_weights/kernel" if k else "layer_with_weights/kernel"
            for k in range(4)]  # fmt: skip
    sides = [dict.fromkeys((*names, *more), (8, 8)) for _ in range(2)]
    assert len(graphmap.match(*sides).decisions) == 8

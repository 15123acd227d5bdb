"""One small network under the names of six frameworks: every pair of them is matched in full."""

import itertools

import pytest

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable

STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")
WIDTHS = (3, 16, 32, 64)


def keras(k, end):
    return [f"conv2d{end}/kernel", f"conv2d{end}/bias"] + [
        f"batch_normalization{end}/{leaf}" for leaf in STATISTICS
    ]


def keras3(k, end):
    return [f"layers/conv2d{end}/vars/{n}" for n in range(2)] + [
        f"layers/batch_normalization{end}/vars/{n}" for n in range(4)
    ]


def torch(k, end):
    norm = ("weight", "bias", "running_mean", "running_var")
    return [f"module.features.{4 * k}.{leaf}" for leaf in ("weight", "bias")] + [
        f"module.features.{4 * k + 1}.{leaf}" for leaf in norm
    ]


def flax(k, end):
    return [
        f"params/Conv_{k}/kernel",
        f"params/Conv_{k}/bias",
        f"params/BatchNorm_{k}/scale",
        f"params/BatchNorm_{k}/bias",
        f"batch_stats/BatchNorm_{k}/mean",
        f"batch_stats/BatchNorm_{k}/var",
    ]


def haiku(k, end):
    norm = ("scale", "offset", "~/mean_ema/average", "~/var_ema/average")
    return [f"net/~/conv2_d{end}/{leaf}" for leaf in "wb"] + [
        f"net/~/batch_norm{end}/{leaf}" for leaf in norm
    ]


def slim(k, end):
    return [f"Net/conv{k + 1}/{leaf}" for leaf in ("weights", "biases")] + [
        f"Net/bn{k + 1}/{leaf}" for leaf in STATISTICS
    ]


HEADS = {
    keras: ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"),
    keras3: tuple(f"layers/dense{end}/vars/{n}" for end in ("", "_1") for n in range(2)),
    torch: tuple(f"module.classifier.{n}.{leaf}" for n in (0, 2) for leaf in ("weight", "bias")),
    flax: tuple(f"params/Dense_{n}/{leaf}" for n in range(2) for leaf in ("kernel", "bias")),
    haiku: tuple(f"net/~/linear{end}/{leaf}" for end in ("", "_1") for leaf in "wb"),
    slim: tuple(
        f"Net/{part}/{leaf}" for part in ("fc1", "logits") for leaf in ("weights", "biases")
    ),
}


def network(framework):
    turned = framework is torch
    rows = []
    for k, (low, high) in enumerate(itertools.pairwise(WIDTHS)):
        kernel = (high, low, 3, 3) if turned else (3, 3, low, high)
        shapes = [kernel, *[(high,)] * 5]
        rows += zip(framework(k, f"_{k}" if k else ""), shapes, strict=True)
    shapes = (
        [(128, 64), (128,), (10, 128), (10,)] if turned else [(64, 128), (128,), (128, 10), (10,)]
    )
    rows += zip(HEADS[framework], shapes, strict=True)
    return rows


def side(rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


@pytest.mark.parametrize(("mine", "other"), list(itertools.permutations(HEADS, 2)))
def test_frameworks_call_one_network_by_their_names(mine, other):
    expected, actual = network(mine), network(other)
    found = match_variables(side(expected), side(sorted(actual)))
    pairs = zip(expected, actual, strict=True)
    assert dict(found.items()) == {e: a for (e, _), (a, _) in pairs}


def test_classes_tell_what_numbers_mean_where_no_shapes_are_known():
    expected, actual = ([(name, None) for name, _ in network(f)] for f in (keras, keras3))
    found = match_variables(side(expected), side(sorted(actual)))
    pairs = zip(expected, actual, strict=True)
    assert dict(found.items()) == {e: a for (e, _), (a, _) in pairs}


def test_numbers_of_a_layer_whose_shapes_leave_doubt_stay_numbers():
    rows = [("layers/odd/vars/0", (4,)), ("layers/odd/vars/1", (5,)), ("layers/odd/vars/2", (4,))]
    mine = [("odd/gamma", (4,)), ("odd/count", (5,)), ("odd/beta", (4,))]
    found = match_variables(side(mine), side(rows))
    assert not any(name.endswith(("gamma", "beta")) for name in found)

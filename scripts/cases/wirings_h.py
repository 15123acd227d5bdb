"""TF1 wirings of the eighth batch: what only the graph tells, and what nothing tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu


def momentum_contrast(net: Net, train: bool) -> Any:
    """MoCo: only the queries meet the queue; the keys have no gradient."""
    codes = []
    for at in ("query", "key"):
        x = holder(f"crop_{at[0]}", 3, 12, 12, 3)
        for i, width in enumerate((8, 12, 12)):
            x = net.conv(f"{at}/{i}", x, width, stride=2 if i else 1, bias=False)
            x = relu(net.batch_norm(f"{at}/{i}/norm", x, train))
        x = net.dense(f"{at}/project/0", tf.reduce_mean(x, [1, 2]), 12, relu)
        codes.append(tf.math.l2_normalize(net.dense(f"{at}/project/1", x, 12), -1))
    queries, keys = codes
    keys = tf.stop_gradient(keys)
    queue = tf.stop_gradient(net.var("queue", (12, 16), "queue", False))
    return [tf.reduce_sum(queries * keys, -1), tf.matmul(queries, queue)]


def laplacian_pyramid(net: Net, train: bool) -> Any:
    """LAPGAN: each level adds detail to the level before, twice as large."""
    x = net.dense("first/0", holder("latent", 2, 6), 48, relu)
    x = tf.tanh(net.conv("first/1", tf.reshape(x, (2, 4, 4, 3)), 3))
    outputs = [x]
    for level in range(4):
        x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
        noise = holder(f"noise_{x.shape[1]}", 2, x.shape[1], x.shape[2], 1)
        h = tf.concat([x, noise], -1)
        for i in range(2):
            h = net.conv(f"level/{level}/{i}", h, 8)
            h = tf.tanh(net.batch_norm(f"level/{level}/{i}/n", h, train))
        x = x + net.conv(f"level/{level}/2", h, 3)
        outputs.append(x)
    return outputs[1:]


def views_correlate(first: str, second: str) -> Callable[[Net, bool], Any]:
    """Deep CCA: two views of one width, encoded apart; only their correlation is asked for."""

    def wiring(net: Net, train: bool) -> Any:
        codes = []
        for at, name in (("a", first), ("b", second)):
            x = holder(name, 6, 10)
            for i, width in enumerate((16, 16, 12)):
                x = tf.tanh(net.dense(f"view/{at}/{i}", x, width))
            x = net.dense(f"view/{at}/last", x, 4)
            codes.append(x - tf.reduce_mean(x, 0, keepdims=True))
        one, two = codes
        both = tf.reduce_sum(one * two, 0)
        scale = tf.reduce_sum(one * one, 0) * tf.reduce_sum(two * two, 0)
        weights = net.var("weights", (4,), "weights")
        return both * tf.math.rsqrt(scale + 1e-4) * weights

    return wiring


def several_critics(net: Net, train: bool) -> Any:
    """GMAN: a generator before three discriminators whose scores are weighed softly."""
    x = net.dense("generator/0", holder("z", 4, 6), 72, relu)
    x = tf.reshape(x, (4, 3, 3, 8))
    x = relu(net.batch_norm("generator/1/norm", net.deconv("generator/1", x, 8), train))
    x = tf.tanh(net.deconv("generator/2", x, 3))
    scores = []
    for at in "abc":
        h = x
        for i, width in enumerate((6, 8, 8)):
            h = leaky(net.conv(f"critic/{at}/{i}", h, width, stride=2))
        scores.append(net.dense(f"critic/{at}/score", tf.reshape(h, (4, -1)), 1))
    stacked = tf.concat(scores, -1)
    weight = tf.nn.softmax(tf.nn.softplus(net.var("lambda", (1,), "lambda")) * stacked, -1)
    return [x, tf.reduce_sum(weight * stacked, -1)]


def feature_wise(net: Net, train: bool) -> Any:
    """FiLM: a question's state scales and shifts the features of each block."""
    ids = holder("question", 2, 5, dtype=tf.int32)
    words = net.embed("words", ids, 17, 8)
    state = net.gru("reader", tf.unstack(words, axis=1), 12)[-1]
    x = holder("scene", 2, 10, 10, 3)
    for i in range(2):
        x = net.conv(f"stem/{i}", x, 12, stride=1 + i, bias=False)
        x = relu(net.batch_norm(f"stem/{i}/norm", x, train))
    for i in range(4):
        both = net.dense(f"film/{i}", state, 24)
        scale, shift = (part[:, None, None] for part in tf.split(both, 2, -1))
        x = net.conv(f"block/{i}/in", x, 12, 1, act=relu)
        y = net.conv(f"block/{i}/out", x, 12, bias=False)
        mean, variance = tf.nn.moments(y, [1, 2], keepdims=True)
        y = (y - mean) * tf.math.rsqrt(variance + 1e-3)
        x = x + relu((1 + scale) * y + shift)
    x = tf.reduce_max(net.conv("classifier/conv", x, 16, 1, act=relu), [1, 2])
    x = net.dense("classifier/hidden", x, 16, relu)
    return net.dense("classifier/out", x, 6)

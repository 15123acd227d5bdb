"""TF1 wirings of the fourth batch whose twins nothing or only the graph tells apart."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def maxout(net: Net, train: bool) -> Any:
    """Maxout layers of two pieces: a maximum does not tell which piece is which."""
    x = holder("x", 4, 9)
    for i in range(3):
        pieces = [net.dense(f"layer/{i}/piece/{p}", x, 12) for p in "ab"]
        x = tf.maximum(*pieces)
    return net.dense("logits", x, 5)


def low_rank_bilinear(net: Net, train: bool) -> Any:
    """Two factors of one width whose product is pooled, on top of a joint encoder."""
    x = holder("features", 3, 14)
    for i in range(2):
        x = net.dense(f"encoder/{i}", x, 14, relu)
    factors = [net.dense(f"factor/{p}", x, 20, tf.tanh) for p in "ab"]
    joint = net.dense("joint", factors[0] * factors[1], 10, relu)
    return net.dense("answer", joint, 6)


def summed_adapters(net: Net, train: bool) -> Any:
    """A frozen perceptron with two low-rank updates beside every layer, which are added."""
    x = holder("tokens", 5, 16)
    for i in range(3):
        y = net.dense(f"layer/{i}", x, 16)
        for p in "ab":
            low = net.dense(f"layer/{i}/update/{p}/down", x, 2, bias=False)
            y = y + net.dense(f"layer/{i}/update/{p}/up", low, 16, bias=False)
        x = tf.nn.elu(y)
    return net.dense("head", x, 7)


def cross_stitch(net: Net, train: bool) -> Any:
    """Two task columns of one shape that exchange features; only their heads differ."""
    x = holder("image", 2, 12, 12, 3)
    sides = dict.fromkeys(("seg", "normal"), x)
    for i in range(3):
        sides = {
            task: net.conv(f"{task}/{i}", y, 8, stride=1 + i % 2, act=relu)
            for task, y in sides.items()
        }
        mix = net.var(f"stitch/{i}", (2, 2))
        a, b = sides["seg"], sides["normal"]
        sides = {
            "seg": mix[0, 0] * a + mix[0, 1] * b,
            "normal": mix[1, 0] * a + mix[1, 1] * b,
        }
    segments = tf.nn.softmax(net.conv("seg/head", sides["seg"], 6, 1))
    normals = tf.math.l2_normalize(net.conv("normal/head", sides["normal"], 6, 1), -1)
    return [segments, normals]


def ranking_towers(net: Net, train: bool) -> Any:
    """Two towers over one document, whose cosine similarity is asked: they are exchangeable."""
    x = net.embed("words", holder("words", 3, 6, dtype=tf.int32), 31, 8)
    sides = []
    for p in "ab":
        h = tf.reduce_mean(net.conv(f"tower/{p}/conv", x, 10, 3, act=tf.tanh), 1)
        sides.append(tf.math.l2_normalize(net.dense(f"tower/{p}/semantic", h, 6, tf.tanh), -1))
    score = tf.reduce_sum(sides[0] * sides[1], -1, keepdims=True)
    return net.dense("calibration", score, 2)


def child_sum_scorer(net: Net, train: bool) -> Any:
    """Gated attention pooling: one branch bounds by tanh, its twin by a sigmoid."""
    bag = net.dense("instance/0", holder("instances", 7, 12), 10, relu)
    bag = net.dense("instance/1", bag, 10, relu)
    signal = net.dense("attention/signal", bag, 10, tf.tanh)
    gate = net.dense("attention/gate", bag, 10, tf.sigmoid)
    weights = tf.nn.softmax(net.dense("attention/weight", signal * gate, 1), 0)
    pooled = tf.reduce_sum(weights * bag, 0, keepdims=True)
    return net.dense("bag", net.dense("pooled", pooled, 10, relu), 2)

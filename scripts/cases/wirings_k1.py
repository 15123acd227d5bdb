"""Wirings of the eleventh batch: pictures, sounds and films."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu
FLOW = (("1", 7, 2), ("2", 5, 2), ("3", 5, 2), ("3_1", 3, 1), ("4", 3, 2), ("4_1", 3, 1))


def flow(net: Net, train: bool) -> Any:
    """FlowNet-S: a way down, and on the way up a flow of every level that is handed on."""
    x = tf.concat([holder("first", 1, 32, 32, 3), holder("second", 1, 32, 32, 3)], -1)
    kept: dict[str, Any] = {}
    for i, (name, size, stride) in enumerate(FLOW):
        x = kept[name] = leaky(net.conv(f"conv/{name}", x, 8 + 4 * (i // 2), size, stride), 0.1)
    flows = [net.conv("predict/4", x, 2)]
    for level, skip in ((3, "3_1"), (2, "2"), (1, "1")):
        up = net.deconv(f"flow/{level}", flows[-1], 2, 4)
        x = leaky(net.deconv(f"deconv/{level}", x, 8, 4), 0.1)
        x = tf.concat([kept[skip], x, up], -1)
        flows.append(net.conv(f"predict/{level}", x, 2))
    return flows[::-1] if train else flows[-1]


def separated(net: Net, train: bool) -> Any:
    """Demucs of one width: strided convolutions with gates, and the same way back."""
    x = holder("mixture", 1, 64, 2)
    kept = []

    def gated(role: str, x: Any, size: int) -> Any:
        a, b = tf.split(net.conv(role, x, 16, size), 2, -1)
        return a * tf.sigmoid(b)

    for i in range(4):
        x = relu(net.conv(f"down/{i}/0", x, 8, 8, 2))
        x = gated(f"down/{i}/1", x, 1)
        kept.append(x)
    for i in range(2):
        x = tf.stack(net.lstm(f"middle/{i}", tf.unstack(x, axis=1), 8), 1)
    for i in range(4):
        x = gated(f"up/{i}/0", x + kept.pop(), 3)
        x = tf.repeat(x, 2, 1)
        x = net.conv(f"up/{i}/1", x, 8, 8)
        x = relu(x) if i < 3 else x
    return x


def thirteen(net: Net, train: bool) -> Any:
    """The 13 layers that mean teachers are tried with."""
    x = holder("pictures", 2, 16, 16, 3)
    for i in range(3):
        for k in range(3):
            wide = 8 if i < 2 else 12 - 2 * k
            at = f"conv/{i}/{k}"
            x = net.conv(at, x, wide, 1 if i == 2 and k else 3)
            x = leaky(net.batch_norm(f"{at}/norm", x, train), 0.1)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME") if i < 2 else tf.reduce_mean(x, (1, 2))
    first, second = net.dense("first", x, 10), net.dense("second", x, 10)
    return [first, tf.nn.softmax(second)]


def super_resolution(net: Net, train: bool) -> Any:
    """EDSR: residual blocks without norms, the same number of filters everywhere."""
    x = start = net.conv("head", holder("small", 1, 8, 8, 3), 8)
    for i in range(5):
        y = relu(net.conv(f"block/{i}/0", x, 8))
        x = x + 0.1 * net.conv(f"block/{i}/1", y, 8)
    x = net.conv("body", x, 8) + start
    x = tf.nn.depth_to_space(net.conv("up", x, 32), 2)
    return net.conv("tail", x, 3)


def committee(net: Net, train: bool) -> Any:
    """Three equal classifiers over one trunk whose votes are averaged."""
    x = holder("pictures", 2, 8, 8, 3)
    for i in range(3):
        x = relu(net.conv(f"trunk/{i}", x, 8, stride=1 + i % 2))
    x = tf.reduce_mean(x, (1, 2))
    votes = []
    for k in range(3):
        h = relu(net.dense(f"vote/{k}/0", x, 12))
        h = relu(net.dense(f"vote/{k}/1", h, 12))
        votes.append(tf.nn.softmax(net.dense(f"vote/{k}/2", h, 6)))
    return net.dense("judge", tf.add_n(votes) / 3, 4)


def pose(net: Net, train: bool, new: bool = False) -> Any:
    """PoseNet in small: a place and a turn, at the end and at an auxiliary exit."""
    x = holder("photo", 2, 16, 16, 3)
    for i in range(4):
        x = relu(net.batch_norm(f"trunk/{i}/norm", net.conv(f"trunk/{i}", x, 8, stride=2), train))
        if i == 1:
            early = tf.reduce_mean(x, (1, 2))
    outputs = []
    for at, h in (("early", early), ("late", tf.reduce_mean(x, (1, 2)))):
        h = relu(net.dense(f"{at}/hidden", h, 16))
        outputs += [net.dense(f"{at}/place", h, 3), net.dense(f"{at}/turn", h, 4)]
    if new:
        h = relu(net.dense("doubt/hidden", tf.reduce_mean(x, (1, 2)), 16))
        outputs += [net.dense("doubt/place", h, 3), net.dense("doubt/turn", h, 4)]
    return outputs


def pose_with_doubt(net: Net, train: bool) -> Any:
    """The same with an exit that says how sure it is."""
    return pose(net, train, True)

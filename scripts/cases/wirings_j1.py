"""Wirings of the tenth batch: attention and sequences."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def attend(net: Net, at: str, x: Any, memory: Any, heads: int, bias: bool, out: bool) -> Any:
    """Attention of several heads over a memory; roles AT/query, key, value and out."""
    n = int(x.shape[-1])

    def parts(role: str, y: Any) -> Any:
        y = net.dense(f"{at}/{role}", y, n, bias=bias)
        y = tf.reshape(y, (y.shape[0], y.shape[1], heads, n // heads))
        return tf.transpose(y, (0, 2, 1, 3))

    q, k, v = parts("query", x), parts("key", memory), parts("value", memory)
    scores = tf.matmul(q, k, transpose_b=True) / (n // heads) ** 0.5
    y = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))
    y = tf.reshape(y, x.shape)
    return net.dense(f"{at}/out", y, n, bias=bias) if out else y


def translator(net: Net, train: bool) -> Any:
    """Transformer of encoder and decoder, norms first, one table for both and for the logits."""
    table = net.var("shared/table", (41, 16), "embedding")
    sides = {}
    for name, length in (("inputs", 5), ("targets", 4)):
        ids = holder(name, 2, length, dtype=tf.int32)
        sides[name] = tf.gather(table, ids) * 4.0

    def wide(at: str, x: Any) -> Any:
        h = net.layer_norm(f"{at}/norm", x)
        return x + net.dense(f"{at}/1", net.dense(f"{at}/0", h, 32, relu), 16)

    x, y = sides["inputs"], sides["targets"]
    for i in range(4):
        h = net.layer_norm(f"encoder/{i}/self/norm", x)
        x = x + attend(net, f"encoder/{i}/self", h, h, 2, False, True)
        x = wide(f"encoder/{i}/ffn", x)
    x = net.layer_norm("encoder/norm", x)
    for i in range(4):
        h = net.layer_norm(f"decoder/{i}/self/norm", y)
        y = y + attend(net, f"decoder/{i}/self", h, h, 2, False, True)
        h = net.layer_norm(f"decoder/{i}/cross/norm", y)
        y = y + attend(net, f"decoder/{i}/cross", h, x, 2, False, True)
        y = wide(f"decoder/{i}/ffn", y)
    y = net.layer_norm("decoder/norm", y)
    return tf.tensordot(y, tf.transpose(table), 1)


def next_item(net: Net, train: bool) -> Any:
    """SASRec: attention without a last projection, convolutions of width 1."""
    ids = holder("items", 2, 6, dtype=tf.int32)
    x = net.embed("items", ids, 31, 16) * 4.0
    x = x + net.var("places/table", (6, 16), "embedding")
    for i in range(3):
        h = net.layer_norm(f"block/{i}/0/norm", x)
        x = h + attend(net, f"block/{i}/0", h, x, 2, True, False)
        h = net.layer_norm(f"block/{i}/1/norm", x)
        y = net.conv(f"block/{i}/1/a", h, 16, 1, act=relu)
        x = h + net.conv(f"block/{i}/1/b", y, 16, 1)
    x = net.layer_norm("last/norm", x)
    return tf.tensordot(x, tf.transpose(net.roles["items/table"]), 1)


def speaker(net: Net, train: bool) -> Any:
    """FastSpeech 2 without its repetition: three predictors, two of which are added back."""
    x = net.embed("letters", holder("letters", 2, 6, dtype=tf.int32), 29, 16)

    def block(at: str, x: Any) -> Any:
        y = x + attend(net, f"{at}/self", x, x, 2, True, True)
        y = net.layer_norm(f"{at}/self/norm", y)
        z = net.conv(f"{at}/ffn/1", net.conv(f"{at}/ffn/0", y, 24, 5, act=relu), 16, 1)
        return net.layer_norm(f"{at}/ffn/norm", y + z)

    def predict(at: str, x: Any) -> Any:
        for i in range(2):
            x = net.layer_norm(f"{at}/{i}/norm", net.conv(f"{at}/{i}", x, 16, 3, act=relu))
        return net.dense(f"{at}/out", x, 1)

    for i in range(3):
        x = block(f"encoder/{i}", x)
    length, pitch, energy = (predict(one, x) for one in ("length", "pitch", "energy"))
    x = x + net.conv("pitch/embed", pitch, 16, 5) + net.conv("energy/embed", energy, 16, 3)
    for i in range(3):
        x = block(f"decoder/{i}", x)
    before = net.dense("mel", x, 12)
    y = before
    for i in range(4):
        y = net.conv(f"postnet/{i}", y, 12, 5)
        y = net.batch_norm(f"postnet/{i}/norm", y, train)
        y = tf.tanh(y) if i < 3 else y
    return [before + y, tf.nn.softplus(length), pitch, energy]


def normed_lstm(net: Net, train: bool) -> Any:
    """A stack of LSTMs whose gates and state are normalized."""
    inputs = tf.unstack(net.embed("words", holder("words", 2, 4, dtype=tf.int32), 19, 8), axis=1)
    for i in range(3):
        h = c = tf.zeros((2, 8))
        outputs = []
        for x in inputs:
            fused = net.dense(f"cell/{i}", tf.concat([x, h], -1), 32, bias=False)
            parts = dict(zip("igfo", tf.split(fused, 4, -1), strict=True))
            n = {k: net.layer_norm(f"cell/{i}/{k}", part) for k, part in parts.items()}
            c = c * tf.sigmoid(n["f"] + 1.0) + tf.sigmoid(n["i"]) * tf.tanh(n["g"])
            c = net.layer_norm(f"cell/{i}/c", c)
            h = tf.tanh(c) * tf.sigmoid(n["o"])
            outputs.append(h)
        inputs = outputs
    return net.dense("logits", tf.stack(inputs, 1), 19)


def sets(net: Net, train: bool) -> Any:
    """Set Transformer: induced points attend to the set and the set to them; pooled by a seed."""
    x = net.dense("embed", holder("points", 2, 7, 3), 12)

    def block(at: str, x: Any, memory: Any) -> Any:
        q, k, v = (
            net.dense(f"{at}/{one}", y, 12)
            for one, y in (("query", x), ("key", memory), ("value", memory))
        )
        y = q + tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 12**0.5), v)
        y = net.layer_norm(f"{at}/norm/0", y)
        y = y + relu(net.dense(f"{at}/out", y, 12))
        return net.layer_norm(f"{at}/norm/1", y)

    def learned(role: str, rows: int) -> Any:
        return tf.tile(net.var(f"{role}/points", (1, rows, 12), "points"), (2, 1, 1))

    for i in range(2):
        h = block(f"induced/{i}/0", learned(f"induced/{i}", 4), x)
        x = block(f"induced/{i}/1", x, h)
    x = block("pool", learned("pool", 2), x)
    x = block("last", x, x)
    return net.dense("head", x, 5)

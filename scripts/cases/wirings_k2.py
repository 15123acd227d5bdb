"""Wirings of the eleventh batch: text and control."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu
from cases.wirings_j1 import attend


def knowledge(net: Net, train: bool, pooled: bool = True) -> Any:
    """ERNIE's encoder: BERT with relu, norms after the residuals."""
    ids = holder("tokens", 2, 6, dtype=tf.int32)
    x = net.embed("words", ids, 41, 16)
    x = x + net.var("places/table", (12, 16), "embedding")[:6]
    x = x + net.var("sentences/table", (2, 16), "embedding")[0]
    x = net.layer_norm("start/norm", x)
    for i in range(4):
        at = f"layer/{i}"
        x = net.layer_norm(f"{at}/self/norm", x + attend(net, f"{at}/self", x, x, 4, True, True))
        y = net.dense(f"{at}/ffn/1", net.dense(f"{at}/ffn/0", x, 32, relu), 16)
        x = net.layer_norm(f"{at}/ffn/norm", x + y)
    return [x, net.dense("pooled", x[:, 0], 16, tf.tanh)] if pooled else x


def grown(net: Net, role: str, x: Any, units: int, size: int = 0) -> Any:
    """A dense layer or a convolution whose weight is a direction v and a length g."""
    shape = ((size,) if size else ()) + (int(x.shape[-1]), units)
    kind = "conv1d" if size else "dense"
    with net.ops_of(role, kind):
        v, g = net.var(f"{role}/v", shape, kind), net.var(f"{role}/g", (units,), kind)
        axes = list(range(len(shape) - 1))
        kernel = g * v / tf.sqrt(tf.reduce_sum(tf.square(v), axes, keepdims=True))
        y = tf.nn.convolution(x, kernel, 1, "SAME") if size else tf.tensordot(x, kernel, 1)
        return tf.nn.bias_add(y, net.var(f"{role}/bias", (units,), kind))


def convolved(net: Net, train: bool) -> Any:
    """Translation by convolutions: gates, weight norms, an attention in each layer."""

    def gated(role: str, x: Any) -> Any:
        a, b = tf.split(grown(net, role, x, 32, 3), 2, -1)
        return a * tf.sigmoid(b)

    sides = {}
    for name, length in (("source", 6), ("target", 5)):
        x = net.embed(f"{name}/words", holder(name, 2, length, dtype=tf.int32), 31, 12)
        sides[name] = x + net.var(f"{name}/places/table", (length, 12), "embedding")
    x = grown(net, "encoder/in", sides["source"], 16)
    for i in range(3):
        x = (gated(f"encoder/conv/{i}", x) + x) * 0.7
    memory = grown(net, "encoder/out", x, 12)
    values = (memory + sides["source"]) * 0.7
    y = grown(net, "decoder/in", sides["target"], 16)
    for i in range(3):
        h = gated(f"decoder/conv/{i}", y)
        q = grown(net, f"decoder/attention/{i}/in", h, 12) + sides["target"]
        weights = tf.nn.softmax(tf.matmul(q, memory, transpose_b=True))
        read = grown(net, f"decoder/attention/{i}/out", tf.matmul(weights, values), 16)
        y = (h + read + y) * 0.7
    return grown(net, "decoder/last", grown(net, "decoder/out", y, 12), 31)


def gradient_of_policy(net: Net, train: bool) -> Any:
    """DDPG: an actor and a critic, and in training slow copies of both."""
    seen = holder("seen", 3, 6)

    def act(at: str, x: Any) -> Any:
        for i in range(2):
            x = relu(net.layer_norm(f"{at}/{i}/norm", net.dense(f"{at}/{i}", x, 16)))
        return net.dense(f"{at}/out", x, 16, tf.tanh)

    def judge(at: str, x: Any, action: Any) -> Any:
        x = relu(net.layer_norm(f"{at}/0/norm", net.dense(f"{at}/0", x, 16)))
        x = net.dense(f"{at}/1", tf.concat([x, action], -1), 16)
        return net.dense(f"{at}/out", relu(net.layer_norm(f"{at}/1/norm", x)), 1)

    action = act("actor", seen)
    outputs = [action, judge("critic", seen, action)]
    if train:
        after = holder("after", 3, 6)
        outputs.append(judge("slow/critic", after, act("slow/actor", after)))
    return outputs


def imagined(net: Net, train: bool) -> Any:
    """A recurrent state-space model: what is expected, and what is seen, of every step."""
    seen, done = holder("seen", 2, 3, 8), holder("done", 2, 3, 4)
    belief, state = tf.zeros((2, 12)), tf.zeros((2, 8))
    elu = tf.nn.elu
    outputs = []
    for t in range(3):
        x = net.dense("state", tf.concat([state, done[:, t]], -1), 12, elu)
        gates = net.dense("cell/gates", tf.concat([x, belief], -1), 24, tf.sigmoid)
        reset, update = tf.split(gates, 2, -1)
        new = net.dense("cell/candidate", tf.concat([x, reset * belief], -1), 12, tf.tanh)
        belief = update * belief + (1 - update) * new
        h = net.dense("prior/hidden", belief, 12, elu)
        expected = net.dense("prior/out", h, 16)
        h = net.dense("posterior/hidden", tf.concat([belief, seen[:, t]], -1), 12, elu)
        found = net.dense("posterior/out", h, 16)
        mean, spread = tf.split(found, 2, -1)
        state = mean + 0.1 * tf.nn.softplus(spread)
        outputs += [tf.nn.softplus(expected), found]
    reward = net.dense("reward/out", net.dense("reward/hidden", belief, 12, elu), 1)
    value = net.dense("value/out", net.dense("value/hidden", belief, 12, elu), 1)
    return [*outputs, reward, tf.tanh(value)]


def low_rank(net: Net, at: str, ids: Any) -> Any:
    """Linformer: keys and values are mixed to fewer places by matrices of their own."""
    x = net.embed(f"{at}words", ids, 41, 16) + net.var(f"{at}places/table", (8, 16), "embedding")
    x = net.layer_norm(f"{at}start/norm", x)
    for i in range(4):
        layer = f"{at}layer/{i}"
        q, k, v = (net.dense(f"{layer}/self/{one}", x, 16) for one in ("query", "key", "value"))
        fewer = [net.var(f"{layer}/self/{one}/mix", (8, 4), "mix") for one in ("key", "value")]
        k, v = (tf.einsum("bnd,nm->bmd", y, mix) for y, mix in zip((k, v), fewer, strict=True))
        y = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 4.0), v)
        x = net.layer_norm(f"{layer}/self/norm", x + net.dense(f"{layer}/self/out", y, 16))
        y = net.dense(f"{layer}/ffn/1", net.dense(f"{layer}/ffn/0", x, 32, relu), 16)
        x = net.layer_norm(f"{layer}/ffn/norm", x + y)
    return net.dense(f"{at}pooled", x[:, 0], 16, tf.tanh)


def one_low_rank(net: Net, train: bool) -> Any:
    """One encoder, whose output stands for both towers'."""
    x = low_rank(net, "", holder("tokens", 2, 8, dtype=tf.int32))
    return [x, x]


def two_low_rank(net: Net, train: bool) -> Any:
    """Two towers of one shape."""
    both = (("query", "question"), ("passage", "document"))
    return [low_rank(net, f"{at}/", holder(name, 2, 8, dtype=tf.int32)) for at, name in both]


def kernelized(net: Net, train: bool, classes: bool = False) -> Any:
    """Performer: attention by positive features, norms first."""
    x = net.embed("words", holder("tokens", 2, 6, dtype=tf.int32), 41, 16)
    x = x + net.var("places/table", (6, 16), "embedding")
    for i in range(5):
        h = net.layer_norm(f"layer/{i}/self/norm", x)
        q, k, v = (net.dense(f"layer/{i}/self/{one}", h, 16) for one in ("query", "key", "value"))
        q, k = relu(q) + 1e-3, relu(k) + 1e-3
        y = tf.matmul(q, tf.matmul(k, v, transpose_a=True))
        y = y / tf.reduce_sum(q * tf.reduce_sum(k, 1, keepdims=True), -1, keepdims=True)
        x = x + net.dense(f"layer/{i}/self/out", y, 16)
        h = net.layer_norm(f"layer/{i}/ffn/norm", x)
        x = x + net.dense(f"layer/{i}/ffn/1", net.dense(f"layer/{i}/ffn/0", h, 32, relu), 16)
    x = net.layer_norm("last/norm", x)
    if classes:
        return [x, net.dense("classes", x[:, 0], 3)]
    return [x, tf.tensordot(x, tf.transpose(net.roles["words/table"]), 1)]


def kernelized_classes(net: Net, train: bool) -> Any:
    """The same with a classifier in the place of the words' logits."""
    return kernelized(net, train, True)

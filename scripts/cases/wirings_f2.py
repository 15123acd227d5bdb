"""Wirings of the sixth batch: recommendation, tables and reinforcement."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu
from cases.wirings_f1 import ids


def next_item(net: Net, train: bool) -> Any:
    """SASRec: self-attention over the items somebody has seen; norms before each part."""
    x = net.embed("items", ids("seen", 2, 5), 20, 8) * 8**0.5 + net.var("places/table", (5, 8))
    for i in range(3):
        q = net.layer_norm(f"block/{i}/norm/0", x)
        query = net.dense(f"block/{i}/query", q, 8)
        key, value = net.dense(f"block/{i}/key", x, 8), net.dense(f"block/{i}/value", x, 8)
        later = 1.0 - tf.linalg.band_part(tf.ones((5, 5)), -1, 0)
        scores = tf.matmul(query, key, transpose_b=True) - 1e9 * later
        x = net.layer_norm(f"block/{i}/norm/1", q + tf.matmul(tf.nn.softmax(scores), value))
        h = net.conv(f"block/{i}/feed/0", x, 8, 1, act=relu)
        x = x + net.conv(f"block/{i}/feed/1", h, 8, 1)
    x = net.layer_norm("norm", x)
    return tf.reduce_sum(x * net.embed("items", ids("asked", 2, 5), 20, 8), -1)


def session_items(net: Net, train: bool) -> Any:
    """GRU4Rec: a session's items through GRUs; items have another table and a bias at the end."""
    steps = tf.unstack(net.embed("items", ids("session", 2, 4), 20, 12), axis=1)
    for i in range(2):
        steps = net.gru(f"gru/{i}", steps, 12)
    asked = ids("candidates", 6)
    table = tf.gather(net.var("output/table", (20, 12)), asked)
    return tf.matmul(steps[-1], table, transpose_b=True) + tf.gather(
        net.var("output/bias", (20,)), asked
    )


def table_tokens(net: Net, train: bool) -> Any:
    """FT-Transformer: every column is a token; the first block has no norm before attention."""
    numbers = holder("numbers", 2, 4)[..., None] * net.var("token/number/weight", (4, 12))
    numbers = numbers + net.var("token/number/bias", (4, 12))
    groups = net.embed("token/group", ids("groups", 2, 3), 15, 12)
    groups = groups + net.var("token/group/bias", (3, 12))
    first = tf.tile(net.var("token/class/weight", (12,))[None, None], (2, 1, 1))
    x = tf.concat([first, numbers, groups], 1)
    for i in range(3):
        h = net.layer_norm(f"block/{i}/norm/0", x) if i else x
        q, k, v = (net.dense(f"block/{i}/{part}", h, 12) for part in ("query", "key", "value"))
        h = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 12**0.5), v)
        x = x + net.dense(f"block/{i}/out", h, 12)
        h = net.dense(f"block/{i}/feed/0", net.layer_norm(f"block/{i}/norm/1", x), 32)
        x = x + net.dense(f"block/{i}/feed/1", h[..., :16] * relu(h[..., 16:]), 12)
    return net.dense("head", relu(net.layer_norm("head/norm", x[:, 0])), 3)


def compressed(net: Net, train: bool) -> Any:
    """xDeepFM: linear part, compressed interactions, deep part."""
    linear, fields = [], []
    for i in range(5):
        chosen = ids(f"field_{i}", 2)
        linear.append(net.embed(f"linear/{i}", chosen, 20, 1))
        fields.append(net.embed(f"embed/{i}", chosen, 20, 4))
    base = h = tf.stack(fields, 1)
    kept = []
    for i in range(3):
        pairs = tf.einsum("bid,bjd->bdij", base, h)
        pairs = tf.reshape(pairs, (2, 4, -1))
        h = tf.transpose(net.conv(f"cross/{i}", pairs, 6, 1, act=relu), (0, 2, 1))
        kept.append(tf.reduce_sum(h, -1))
    x = tf.concat(fields, -1)
    for i in range(3):
        x = net.dense(f"deep/{i}", x, 20, relu)
    score = tf.add_n(linear) + net.dense("deep/out", x, 1, bias=False)
    score = score + net.dense("cross/out", tf.concat(kept, -1), 1, bias=False)
    return tf.sigmoid(score + net.var("bias", (1,)))


def layered_experts(net: Net, train: bool) -> Any:
    """PLE: experts of tasks and shared ones, in two levels; the last gates only tasks."""
    x = holder("features", 2, 12)
    inputs = {"click": x, "buy": x, "shared": x}
    for level in range(2):
        experts = {
            who: [net.dense(f"level/{level}/{who}/{i}", h, 12, relu) for i in range(2)]
            for who, h in inputs.items()
        }
        mixed = {}
        for who, h in inputs.items():
            if who == "shared" and level == 1:
                continue
            near = experts[who] + experts["shared"]
            if who == "shared":
                near = experts["click"] + experts["buy"] + experts["shared"]
            gate = net.dense(f"level/{level}/{who}/gate", h, len(near), tf.nn.softmax, bias=False)
            mixed[who] = tf.reduce_sum(tf.stack(near, 1) * gate[..., None], 1)
        inputs = mixed
    outputs = []
    for who, h in inputs.items():
        h = net.dense(f"tower/{who}/0", h, 8, relu)
        outputs.append(tf.sigmoid(net.dense(f"tower/{who}/1", h, 1)))
    return outputs


def clipped_policy(net: Net, train: bool) -> Any:
    """PPO of an agent with separate networks for policy and value."""
    x = holder("observation", 2, 8)
    pi = vf = x
    for i in range(3):
        pi = net.dense(f"pi/{i}", pi, 12, tf.tanh)
        vf = net.dense(f"vf/{i}", vf, 12, tf.tanh)
    mean = net.dense("action", pi, 4)
    return [mean, tf.exp(net.var("log_std", (4,))), net.dense("value", vf, 1)]


def implicit_quantiles(net: Net, train: bool) -> Any:
    """IQN: frames and drawn quantiles meet in a product; training has a target network."""
    frames, drawn = holder("state", 2, 16, 16, 4), holder("quantiles", 6, 1)

    def head(root: str) -> Any:
        x = frames
        for i, (width, size, stride) in enumerate(((8, 8, 4), (12, 4, 2), (12, 3, 1))):
            x = net.conv(f"{root}/conv/{i}", x, width, size, stride, relu)
        x = tf.tile(tf.reshape(x, (2, 48)), (3, 1))
        waves = tf.cos(drawn * tf.range(1.0, 9.0)[None] * 3.14159)
        x = x * net.dense(f"{root}/quantile", waves, 48, relu)
        return net.dense(f"{root}/out", net.dense(f"{root}/hidden", x, 20, relu), 5)

    online = head("online")
    return [online, tf.stop_gradient(head("target"))] if train else online


def distillation(net: Net, train: bool) -> Any:
    """RND: a fixed random network, and a deeper one that learns to predict it."""
    frame, ends = holder("frame", 2, 16, 16, 1), []
    for who in ("target", "predictor"):
        x = frame
        for i, (width, size, stride) in enumerate(((8, 8, 4), (12, 4, 2), (12, 3, 1))):
            x = tf.nn.leaky_relu(net.conv(f"{who}/conv/{i}", x, width, size, stride))
        x = tf.reshape(x, (2, 48))
        for i in range(2 if who == "predictor" else 0):
            x = net.dense(f"{who}/hidden/{i}", x, 48, relu)
        ends.append(net.dense(f"{who}/out", x, 48))
    return tf.reduce_mean(tf.square(ends[0] - ends[1]), -1)


def many_agents(net: Net, train: bool) -> Any:
    """MADDPG: an actor each, and a critic that sees all, its own first; training has targets."""
    seen = [holder(f"observation_{i}", 2, 6) for i in range(3)]

    def perceptron(role: str, x: Any, units: int) -> Any:
        for i in range(2):
            x = net.dense(f"{role}/{i}", x, 10, relu)
        return net.dense(f"{role}/2", x, units)

    outputs = []
    for kind in ("", "target_") if train else ("",):
        acts = [perceptron(f"agent/{i}/{kind}actor", x, 4) for i, x in enumerate(seen)]
        shown = [tf.concat([x, tf.nn.softmax(a)], -1) for x, a in zip(seen, acts, strict=True)]
        critics = [
            perceptron(f"agent/{i}/{kind}critic", tf.concat(shown[i:] + shown[:i], -1), 1)
            for i in range(3)
        ]
        ends = [*acts, *critics]
        outputs += [tf.stop_gradient(end) for end in ends] if kind else ends
    return outputs


def monotone_mixing(net: Net, train: bool) -> Any:
    """QMIX: recurrent agents with shared weights, and a mixer whose weights a state makes."""
    values = []
    for i in range(3):
        steps = tf.unstack(holder(f"observation_{i}", 2, 3, 8), axis=1)
        steps = [net.dense("agent/in", x, 10, relu) for x in steps]
        last = net.gru("agent/rnn", steps, 10)[-1]
        values.append(tf.reduce_max(net.dense("agent/out", last, 5), -1))
    state = holder("state", 2, 12)
    first = tf.abs(net.dense("mix/first/1", net.dense("mix/first/0", state, 10, relu), 30))
    shift = net.dense("mix/shift", state, 10)
    x = tf.matmul(tf.stack(values, -1)[:, None], tf.reshape(first, (2, 3, 10)))
    x = tf.nn.elu(x + shift[:, None])
    last = tf.abs(net.dense("mix/last/1", net.dense("mix/last/0", state, 10, relu), 10))
    value = net.dense("mix/value/1", net.dense("mix/value/0", state, 10, relu), 1)
    return tf.matmul(x, last[..., None])[:, 0] + value


def truncated_critics(net: Net, train: bool) -> Any:
    """TQC: quantiles of two critics are pooled and sorted: nothing tells the critics apart."""
    x = holder("observation", 2, 8)
    action = x
    for i in range(2):
        action = net.dense(f"actor/{i}", action, 12, relu)
    action = tf.tanh(net.dense("actor/out", action, 4))
    pool = []
    for critic in ("p", "q"):
        h = tf.concat([x, action], -1)
        for i in range(2):
            h = net.dense(f"critic/{critic}/{i}", h, 12, relu)
        pool.append(net.dense(f"critic/{critic}/2", h, 5))
    return [action, tf.sort(tf.concat(pool, -1), -1)[:, :8]]

"""Wirings of the twelfth batch: transformers of several kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu
from cases.wirings_j1 import attend
from cases.wirings_k2 import knowledge


def begin(net: Net, at: str, ids: Any, rows: int = 41, n: int = 16) -> Any:
    """Rows of a table for words and of one for places, and a norm."""
    x = net.embed(f"{at}words", ids, rows, n)
    x = x + net.var(f"{at}places/table", (int(ids.shape[1]), n), "embedding")
    return net.layer_norm(f"{at}start/norm", x)


def wide(net: Net, at: str, x: Any, units: int = 32) -> Any:
    """Two dense layers."""
    return net.dense(f"{at}/1", net.dense(f"{at}/0", x, units, relu), int(x.shape[-1]))


def spans(net: Net, train: bool) -> Any:
    """Splinter: a BERT, and a head that takes the question's place to find a span."""
    x = knowledge(net, train, pooled=False)
    asked = x[:, 2:3]

    def changed(role: str, y: Any) -> Any:
        return net.layer_norm(f"{role}/norm", tf.nn.gelu(net.dense(role, y, 16)))

    logits = []
    queries = [changed(f"head/query/{end}", asked) for end in ("start", "end")]
    places = [changed(f"head/{end}", x) for end in ("start", "end")]
    for end, query, place in zip(("start", "end"), queries, places, strict=True):
        query = net.dense(f"head/{end}/class", query, 16, bias=False)
        logits.append(tf.squeeze(tf.matmul(query, place, transpose_b=True), 1))
    return logits


def synthesized(net: Net, at: str, ids: Any, layers: int) -> Any:
    """Synthesizer: weights of attention are made from each word alone, and learned outright."""
    length = int(ids.shape[1])
    x = begin(net, at, ids)
    for i in range(layers):
        layer = f"{at}layer/{i}"
        made = net.dense(f"{layer}/self/made/1", net.dense(f"{layer}/self/made/0", x, 16, relu), 6)
        made = made + net.var(f"{layer}/self/random/table", (length, length), "table")
        value = net.dense(f"{layer}/self/value", x, 16)
        y = net.dense(f"{layer}/self/out", tf.matmul(tf.nn.softmax(made), value), 16)
        x = net.layer_norm(f"{layer}/self/norm", x + y)
        x = net.layer_norm(f"{layer}/ffn/norm", x + wide(net, f"{layer}/ffn", x))
    return net.dense(f"{at}pooled", x[:, 0], 16, tf.tanh)


def three_towers(net: Net, train: bool) -> Any:
    """Three synthesizers of one shape: of a question, of a title and of a body."""
    names = ("question", "title", "body")
    return [synthesized(net, f"{n}/", holder(n, 2, 6, dtype=tf.int32), 4) for n in names]


def retained(net: Net, train: bool, classes: bool = False) -> Any:
    """RetNet: what was seen decays, in each head at another rate; then a gate."""
    heads, n, length = 4, 16, 6
    x = net.embed("words", holder("tokens", 2, length, dtype=tf.int32), 41, n)
    back = np.arange(length)[:, None] - np.arange(length)[None]
    rates = 1 - 2.0 ** (-1 - np.arange(heads))
    decay = np.where(back >= 0, rates[:, None, None] ** np.maximum(back, 0), 0).astype(np.float32)
    for i in range(5):
        at = f"layer/{i}"
        h = net.layer_norm(f"{at}/self/norm", x)
        parts = []
        for role in ("query", "key", "value"):
            y = net.dense(f"{at}/self/{role}", h, n, bias=False)
            parts.append(tf.transpose(tf.reshape(y, (2, length, heads, -1)), (0, 2, 1, 3)))
        y = tf.matmul(tf.matmul(parts[0], parts[1], transpose_b=True) * decay, parts[2])
        y = tf.transpose(y, (0, 2, 1, 3))
        y = tf.reshape(net.layer_norm(f"{at}/self/head_norm", y), (2, length, n))
        y = y * tf.nn.silu(net.dense(f"{at}/self/gate", h, n, bias=False))
        x = x + net.dense(f"{at}/self/out", y, n, bias=False)
        x = x + wide(net, f"{at}/ffn", net.layer_norm(f"{at}/ffn/norm", x))
    x = net.layer_norm("last/norm", x)
    if classes:
        return [x, net.dense("classes", x[:, -1], 3)]
    return [x, tf.tensordot(x, tf.transpose(net.roles["words/table"]), 1)]


def retained_classes(net: Net, train: bool) -> Any:
    """The same with a classifier in the place of the words' logits."""
    return retained(net, train, True)


def fast(net: Net, at: str, ids: Any, layers: int) -> Any:
    """Fastformer: queries are summed to one, it meets the keys, these are summed to one."""
    x = begin(net, at, ids)
    for i in range(layers):
        layer = f"{at}layer/{i}"
        q, k, v = (net.dense(f"{layer}/self/{one}", x, 16) for one in ("query", "key", "value"))
        weights = tf.nn.softmax(net.dense(f"{layer}/self/query_sum", q, 1), 1)
        k = k * tf.reduce_sum(weights * q, 1, keepdims=True)
        weights = tf.nn.softmax(net.dense(f"{layer}/self/key_sum", k, 1), 1)
        y = v * tf.reduce_sum(weights * k, 1, keepdims=True)
        x = net.layer_norm(f"{layer}/self/norm", x + q + net.dense(f"{layer}/self/out", y, 16))
        x = net.layer_norm(f"{layer}/ffn/norm", x + wide(net, f"{layer}/ffn", x))
    return net.dense(f"{at}classes", tf.reduce_mean(x, 1), 5)


def student(net: Net, train: bool) -> Any:
    """A small Fastformer."""
    return [fast(net, "student/", holder("news", 2, 6, dtype=tf.int32), 4)]


def distilled(net: Net, train: bool) -> Any:
    """The same beside the larger one that teaches it."""
    ids = holder("news", 2, 6, dtype=tf.int32)
    return [fast(net, "student/", ids, 4), fast(net, "teacher/", ids, 6)]


def music(net: Net, train: bool) -> Any:
    """Music Transformer: a decoder whose attention knows how far back a note is."""
    heads, n, length = 4, 16, 6
    x = net.embed("notes", holder("notes", 2, length, dtype=tf.int32), 41, n) * 4.0
    mask = tf.constant(np.triu(np.full((length, length), -1e9, np.float32), 1))
    for i in range(4):
        at = f"layer/{i}"
        parts = []
        for role in ("query", "key", "value"):
            y = net.dense(f"{at}/self/{role}", x, n)
            parts.append(tf.transpose(tf.reshape(y, (2, length, heads, -1)), (0, 2, 1, 3)))
        q, k, v = parts
        far = tf.tensordot(q, tf.transpose(net.var(f"{at}/self/far/table", (length, 4), "far")), 1)
        far = tf.pad(far, ((0, 0), (0, 0), (0, 0), (1, 0)))
        far = tf.reshape(far, (2, heads, length + 1, length))[:, :, 1:]
        scores = (tf.matmul(q, k, transpose_b=True) + far) / 2.0 + mask
        y = tf.reshape(tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3)), x.shape)
        x = net.layer_norm(f"{at}/self/norm", x + net.dense(f"{at}/self/out", y, n))
        x = net.layer_norm(f"{at}/ffn/norm", x + wide(net, f"{at}/ffn", x, 24))
    return net.dense("last", x, 41)


def gated_units(net: Net, train: bool) -> Any:
    """GAU-alpha: one layer makes gates, values and a base, which gives queries and keys."""
    x = begin(net, "", holder("tokens", 2, 6, dtype=tf.int32))
    for i in range(6):
        at = f"layer/{i}"
        gate, value, base = tf.split(
            net.dense(f"{at}/in", x, 56, tf.nn.silu, bias=False), (24, 24, 8), -1
        )
        q, k = (
            base * net.var(f"{at}/{one}/gamma", (8,), "scale")
            + net.var(f"{at}/{one}/beta", (8,), "scale")
            for one in ("query", "key")
        )
        weights = tf.square(relu(tf.matmul(q, k, transpose_b=True) / 6.0))
        y = net.dense(f"{at}/out", gate * tf.matmul(weights, value), 16, bias=False)
        x = net.layer_norm(f"{at}/norm", x + y)
    return [x, net.dense("pooled", x[:, 0], 16, tf.tanh)]


def universal(net: Net, train: bool, own: bool = False) -> Any:
    """Universal Transformer: the same layer again and again; or each time one of its own."""
    x = begin(net, "", holder("tokens", 2, 6, dtype=tf.int32))
    for i in range(6):
        at = f"layer/{i}" if own else "step"
        h = net.layer_norm(f"{at}/self/norm", x + float(i) * 0.1)
        x = x + attend(net, f"{at}/self", h, h, 4, True, True)
        x = x + wide(net, f"{at}/ffn", net.layer_norm(f"{at}/ffn/norm", x))
    return [net.layer_norm("last/norm", x)]


def untied(net: Net, train: bool) -> Any:
    """Six layers of their own."""
    return universal(net, train, True)

"""Programs of the fifth batch: speech, text, memories."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.sides import keras
from cases.wirings_a import holder, relu


def text_cnn(net: Net, train: bool) -> Any:
    """Kim's text CNN as 2-D convolutions over (words, width)."""
    x = net.embed("words", holder("input_x", 2, 9, dtype=tf.int32), 20, 8)[..., None]
    pooled = []
    for size in (3, 4, 5):
        kernel = net.var(f"filter/{size}/kernel", (size, 8, 1, 6))
        h = tf.nn.conv2d(x, kernel, 1, "VALID")
        h = relu(tf.nn.bias_add(h, net.var(f"filter/{size}/bias", (6,))))
        pooled.append(tf.nn.max_pool2d(h, (10 - size, 1), 1, "VALID"))
    return net.dense("scores", tf.reshape(tf.concat(pooled, 3), (2, 18)), 4)


def keras_text_cnn(net: Net, train: bool) -> Any:
    """The same of Keras' 1-D convolutions, in another order of sizes."""
    from tf_keras import layers

    ids = holder("input_x", 2, 9, dtype=tf.int32)
    x = keras(net, "words", layers.Embedding(20, 8, name="word_emb"), ids)
    found = {}
    for size in (5, 4, 3):
        layer = layers.Conv1D(6, size, activation="relu", name=f"ngram_{size}")
        found[size] = layers.GlobalMaxPooling1D()(keras(net, f"filter/{size}", layer, x))
    x = layers.Concatenate()([found[size] for size in (3, 4, 5)])
    return keras(net, "scores", layers.Dense(4, name="sentiment"), x)


def bilstm_crf(net: Net, train: bool) -> Any:
    """Character and word LSTMs of TensorFlow 1 and the table of a linear chain."""
    words, letters = holder("words", 2, 4, dtype=tf.int32), holder("letters", 8, 3, dtype=tf.int32)
    steps = tf.unstack(net.embed("letters", letters, 12, 5), axis=1)
    ends = [net.lstm(f"letters/{d}", steps[::s], 4)[-1] for d, s in (("fw", 1), ("bw", -1))]
    x = net.embed("words", words, 20, 6)
    steps = tf.unstack(tf.concat([x, tf.reshape(tf.concat(ends, -1), (2, 4, 8))], -1), axis=1)
    both = [net.lstm(f"words/{d}", steps[::s], 7)[::s] for d, s in (("fw", 1), ("bw", -1))]
    h = tf.concat([tf.stack(one, 1) for one in both], -1)
    scores = net.dense("project", h, 5)
    return best_chain(scores, net.var("transitions", (5, 5)))


def best_chain(scores: Any, table: Any) -> Any:
    """Return the log of the sum over all chains."""
    state = scores[:, 0]
    for i in range(1, scores.shape[1]):
        state = tf.reduce_logsumexp(state[:, :, None] + table, 1) + scores[:, i]
    return state


def keras_bilstm_crf(net: Net, train: bool) -> Any:
    """The same of Keras layers: kernel and recurrent kernel apart, gates in another order."""
    from tf_keras import layers

    def both(role: str, x: Any, units: int, name: str) -> list[Any]:
        ends = []
        for way in ("fw", "bw"):
            cell = layers.LSTMCell(units, unit_forget_bias=False, name=f"{name}_{way}_cell")
            layer = layers.RNN(cell, return_sequences=True, unroll=True, go_backwards=way == "bw")
            ends.append(keras(net, f"{role}/{way}", layer, x))
        return ends

    words, letters = holder("words", 2, 4, dtype=tf.int32), holder("letters", 8, 3, dtype=tf.int32)
    x = keras(net, "words", layers.Embedding(20, 6, name="word_embedding"), words)
    y = keras(net, "letters", layers.Embedding(12, 5, name="char_embedding"), letters)
    ends = [end[:, -1] for end in both("letters", y, 4, "char_lstm")]
    x = tf.concat([x, tf.reshape(tf.concat(ends, -1), (2, 4, 8))], -1)
    forward, backward = both("words", x, 7, "tagger_lstm")
    h = tf.concat([forward, tf.reverse(backward, [1])], -1)
    scores = keras(net, "project", layers.Dense(5, name="emissions"), h)
    return best_chain(scores, net.var("transitions", (5, 5)))


def split_lstm(values: dict[str, Any], role: str, units: int) -> dict[str, Any]:
    """Turn TensorFlow 1's fused kernel (input gate, new, forget, output) into Keras' two."""
    import numpy as np

    def gates(value: Any) -> Any:
        i, j, f, o = np.split(value, 4, -1)
        return np.concatenate([i, f, j, o], -1)

    kernel = gates(values[f"{role}/kernel"])
    return {
        f"{role}/kernel": kernel[:-units],
        f"{role}/recurrent_kernel": kernel[-units:],
        f"{role}/bias": gates(values[f"{role}/bias"]),
    }


def language_model(net: Net, train: bool) -> Any:
    """ELMo: a character CNN with highways, two stacks of LSTMs with projections."""
    x = net.embed("characters", holder("characters", 2, 4, 6, dtype=tf.int32), 15, 4)
    x = tf.reshape(x, (8, 6, 4))
    found = [tf.reduce_max(tf.tanh(net.conv(f"filter/{i}", x, 4, i + 1)), 1) for i in range(3)]
    x = tf.concat(found, -1)
    for i in range(2):
        gate = net.dense(f"highway/{i}/carry", x, 12, tf.sigmoid)
        x = gate * net.dense(f"highway/{i}/transform", x, 12, relu) + (1 - gate) * x
    x = tf.reshape(net.dense("project", x, 6), (2, 4, 6))
    outputs = [x]
    for way, s in (("forward", 1), ("backward", -1)):
        steps = tf.unstack(x, axis=1)[::s]
        for i in range(2):
            role, before = f"{way}/{i}", steps
            h = c = None
            steps = []
            for y in before:
                h = tf.zeros((2, 6)) if h is None else h
                c = tf.zeros((2, 10)) if c is None else c
                a, j, f, o = tf.split(net.dense(role, tf.concat([y, h], -1), 40), 4, -1)
                c = tf.sigmoid(f + 1.0) * c + tf.sigmoid(a) * tf.tanh(j)
                h = net.dense(f"{role}/project", tf.sigmoid(o) * tf.tanh(c), 6, bias=False)
                steps.append(h)
            steps = [a + b for a, b in zip(steps, before, strict=True)] if i else steps
            outputs.append(tf.stack(steps[::s], 1))
    return outputs


def conformer(net: Net, train: bool) -> Any:
    """Conformer: two feed-forward halves of one shape around attention and convolution."""
    x = holder("spectrogram", 2, 8, 6)
    for i in range(2):
        x = net.conv(f"sampling/{i}", x, 8, act=relu)
    for i in range(3):
        role = f"block/{i}"

        def feed(part: str, h: Any, role: str = role) -> Any:
            h = net.layer_norm(f"{role}/{part}/norm", h)
            h = net.dense(f"{role}/{part}/in", h, 12, tf.nn.swish)
            return net.dense(f"{role}/{part}/out", h, 8)

        x = x + 0.5 * feed("first", x)
        h = net.layer_norm(f"{role}/attention/norm", x)
        q, k, v = (net.dense(f"{role}/attention/{p}", h, 8) for p in ("query", "key", "value"))
        h = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.35), v)
        x = x + net.dense(f"{role}/attention/out", h, 8)
        h = net.layer_norm(f"{role}/conv/norm", x)
        a, b = tf.split(net.dense(f"{role}/conv/in", h, 16), 2, -1)
        h = (a * tf.sigmoid(b))[:, :, None]
        filters = net.var(f"{role}/conv/depth/kernel", (5, 1, 8, 1))
        h = tf.nn.depthwise_conv2d(h, filters, (1, 1, 1, 1), "SAME")[:, :, 0]
        h = tf.nn.swish(net.batch_norm(f"{role}/conv/depth/norm", h, train))
        x = x + net.dense(f"{role}/conv/out", h, 8)
        x = net.layer_norm(f"{role}/norm", x + 0.5 * feed("second", x))
    return net.dense("ctc", x, 11)


def scale_critics(net: Net, train: bool) -> Any:
    """MelGAN's discriminators: three of one form on a wave, its half and its quarter."""
    x = holder("wave", 2, 32, 1)
    outputs = []
    for scale in range(3):
        h = x
        for i, (width, stride) in enumerate(((6, 1), (8, 2), (8, 2), (8, 1))):
            h = net.conv(f"scale/{scale}/{i}", h, width, 5, stride, tf.nn.leaky_relu)
            outputs.append(h)
        outputs.append(net.conv(f"scale/{scale}/out", h, 1, 3))
        x = tf.nn.avg_pool1d(x, 4, 2, "SAME")
    return outputs


def turing_machine(net: Net, train: bool) -> Any:
    """Neural Turing machine: controller, one reading and one writing head, outer memory."""
    steps = tf.unstack(holder("sequence", 2, 3, 5), axis=1)
    memory = tf.tile(net.var("memory/start", (1, 7, 6)), (2, 1, 1))
    read = tf.tile(net.var("read/start", (1, 6)), (2, 1))
    weights = {k: tf.one_hot([0, 0], 7) for k in ("reader", "writer")}
    h = c = tf.zeros((2, 10))
    outputs = []
    for x in steps:
        gates = net.dense("controller", tf.concat([x, read, h], -1), 40)
        i, j, f, o = tf.split(gates, 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        for head in ("reader", "writer"):
            key = net.dense(f"{head}/key", h, 6, tf.tanh)
            sharp = tf.nn.softplus(net.dense(f"{head}/strength", h, 1))
            gate = net.dense(f"{head}/gate", h, 1, tf.sigmoid)
            shift = tf.nn.softmax(net.dense(f"{head}/shift", h, 3))
            power = 1 + tf.nn.softplus(net.dense(f"{head}/power", h, 1))
            like = tf.reduce_sum(memory * key[:, None], -1)
            new = gate * tf.nn.softmax(sharp * like) + (1 - gate) * weights[head]
            moved = [tf.roll(new, at, 1) * shift[:, k : k + 1] for k, at in enumerate((-1, 0, 1))]
            new = tf.pow(tf.add_n(moved) + 1e-6, power)
            weights[head] = new / tf.reduce_sum(new, -1, keepdims=True)
        erase = net.dense("writer/erase", h, 6, tf.sigmoid)
        add = net.dense("writer/add", h, 6, tf.tanh)
        w = weights["writer"][..., None]
        memory = memory * (1 - w * erase[:, None]) + w * add[:, None]
        read = tf.reduce_sum(memory * weights["reader"][..., None], 1)
        outputs.append(net.dense("output", tf.concat([h, read], -1), 4))
    return tf.stack(outputs, 1)


def jasper(net: Net, train: bool) -> Any:
    """Jasper: blocks of two convolutions whose residual is a 1x1 convolution."""
    x = holder("features", 2, 8, 6)

    def unit(role: str, h: Any, width: int, size: int) -> Any:
        return net.batch_norm(f"{role}/norm", net.conv(role, h, width, size, bias=False), train)

    x = relu(unit("prologue", x, 8, 3))
    for i, width in enumerate((8, 10, 12)):
        side = unit(f"block/{i}/residual", x, width, 1)
        h = relu(unit(f"block/{i}/0", x, width, 5))
        h = relu(unit(f"block/{i}/1", h, width, 5))
        x = relu(unit(f"block/{i}/2", h, width, 5) + side)
    x = relu(unit("epilogue", x, 14, 1))
    return net.conv("decoder", x, 9, 1)

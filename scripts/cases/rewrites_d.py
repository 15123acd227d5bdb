"""The rewrite of the fourth batch: an OCR network."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import tensorflow as tf

from cases.nets import tf1
from cases.rewritten import Carry, Rewrite, Side, trained

UNITS = 6


def ocr_old(train: bool) -> Side:
    """CRNN with contrib's stack of bidirectional BasicLSTM cells, no forget bias."""
    graph = tf.Graph()
    with graph.as_default(), tf1.variable_scope("shadow_net"):
        image = x = tf1.placeholder(tf.float32, (2, 16, 20, 3), "input")
        with tf1.variable_scope("feature_extraction_module"):
            for i, width in enumerate((6, 8, 8, 8), 1):
                with tf1.variable_scope(f"conv{i}"):
                    kernel = tf1.get_variable("w", (3, 3, x.shape[-1], width))
                    x = tf.nn.conv2d(x, kernel, 1, "SAME")
                with tf1.variable_scope(f"bn{i}"):
                    x = _scaled_norm(x, train)
                x = tf.nn.relu(x)
                x = tf.nn.max_pool2d(x, (2, 2 if i == 1 else 1), (2, 2 if i == 1 else 1), "SAME")
        steps = tf.unstack(tf.squeeze(x, 1), axis=1)
        with tf1.variable_scope("sequence_rnn_module"):
            for i in range(2):
                with tf1.variable_scope(f"stack_bidirectional_rnn/cell_{i}/bidirectional_rnn"):
                    forward = _basic_lstm("fw", steps)
                    backward = _basic_lstm("bw", steps[::-1])[::-1]
                steps = [tf.concat(both, -1) for both in zip(forward, backward, strict=True)]
            flat = tf.reshape(tf.stack(steps, 1), (-1, 2 * UNITS))
            logits = tf.matmul(flat, tf1.get_variable("w", (2 * UNITS, 11)))
        out = tf.reshape(logits, (2, -1, 11))
        variables = tf1.global_variables()
        if train:
            trained(graph, [out], tf1.train.AdadeltaOptimizer(0.1))
    return Side(graph, [image], out, variables)


def _scaled_norm(x: Any, train: bool) -> Any:
    n = (x.shape[-1],)
    gamma, beta = (tf1.get_variable(leaf, n) for leaf in ("gamma", "beta"))
    mean, variance = (
        tf1.get_variable(leaf, n, trainable=False) for leaf in ("moving_mean", "moving_variance")
    )
    if not train:
        return tf1.nn.fused_batch_norm(x, gamma, beta, mean, variance, 1e-3, is_training=False)[0]
    y, *now = tf1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-3)
    for moving, batch in zip((mean, variance), now, strict=True):
        update = tf1.assign_sub(moving, (moving - batch) * 0.01)
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
    return y


def _basic_lstm(scope: str, steps: list[Any]) -> list[Any]:
    width = int(steps[0].shape[-1])
    with tf1.variable_scope(f"{scope}/basic_lstm_cell"):
        kernel = tf1.get_variable("kernel", (width + UNITS, 4 * UNITS))
        bias = tf1.get_variable("bias", (4 * UNITS,))
    h = c = tf.zeros((2, UNITS))
    outputs = []
    for x in steps:
        gates = tf.nn.bias_add(tf.matmul(tf.concat([x, h], 1), kernel), bias)
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        outputs.append(h)
    return outputs


def ocr_new() -> Side:
    """The same in Keras: default names for most layers, LSTMs with two kernels."""
    import tf_keras
    from tf_keras import layers

    tf_keras.backend.clear_session()
    graph = tf.Graph()
    with graph.as_default():
        image = x = layers.Input((16, 20, 3), 2)
        for i, width in enumerate((6, 8, 8, 8)):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x, training=False)
            x = layers.Activation("relu")(x)
            x = layers.MaxPooling2D((2, 2 if i == 0 else 1))(x)
        x = layers.Reshape((10, 8))(x)
        for _ in range(2):
            cell = layers.LSTM(UNITS, return_sequences=True, unroll=True)
            x = layers.Bidirectional(cell)(x)
        out = layers.Dense(11, use_bias=False, name="label")(x)
        return Side(graph, [image], out, tf1.global_variables())


def _part(part: str) -> Carry:
    def change(value: np.ndarray) -> np.ndarray:
        i, j, f, o = np.split(value, 4, -1)
        turned = np.concatenate([i, f, j, o], -1)
        if part == "bias":
            return turned
        return turned[:-UNITS] if part == "kernel" else turned[-UNITS:]

    return Carry("", change, "gates:ijfo->ifco" if part == "bias" else "split")


def ocr_carry(actual: list[str], expected: list[str]) -> dict[str, Carry]:
    """Convolutions and norms by order, LSTMs by place and direction."""
    first = [n for n in actual if "feature" in n]
    found = {
        n: Carry(a)
        for n, a in zip([n for n in expected if "conv2d" in n or "batch" in n], first, strict=True)
    }
    for name in expected:
        at = re.match(r"bidirectional(_1)?/(forward|backward)_lstm\w*/.*?/?(\w+)$", name)
        if at:
            cell = f"cell_{1 if at[1] else 0}/bidirectional_rnn/{at[2][0]}w/basic_lstm_cell"
            leaf = "bias" if at[3] == "bias" else "kernel"
            part = _part(at[3])
            scope = "shadow_net/sequence_rnn_module/stack_bidirectional_rnn"
            found[name] = Carry(f"{scope}/{cell}/{leaf}", part.change, part.layout)
    return found | {"label/kernel": Carry("shadow_net/sequence_rnn_module/w")}


REWRITES = (
    Rewrite(
        "r_ocr_lstm_split",
        "crnn-ocr",
        "rnn-cells",
        "graph",
        ocr_old,
        ocr_new,
        ocr_carry,
        "one kernel of a BasicLSTM becomes kernel and recurrent kernel; Keras counts its layers",
    ),
)

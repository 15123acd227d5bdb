"""The rewrites of the fourth batch: an OCR network, slim's Inception-ResNet-v2."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import tensorflow as tf

from cases.nets import tf1
from cases.rewritten import Carry, Rewrite, Side, slim_conv, trained

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


def slim_inception_resnet(train: bool) -> Side:
    """slim's Inception-ResNet-v2; training has the auxiliary logits."""

    def conv(x: Any, name: str, filters: int, size: Any, **options: Any) -> Any:
        return slim_conv(x, name, filters, size, train, **options)

    def block(x: Any, scope: str, branches: Any, scale: float, act: bool = True) -> Any:
        with tf1.variable_scope(scope):
            ends = []
            for at, branch in enumerate(branches):
                h = x
                with tf1.variable_scope(f"Branch_{at}"):
                    for name, filters, size in branch:
                        h = conv(h, f"Conv2d_{name}", filters, size)
                ends.append(h)
            up = conv(tf.concat(ends, 3), "Conv2d_1x1", int(x.shape[-1]), 1, linear=True)
            x = x + scale * up
            return tf.nn.relu(x) if act else x

    def mixed(x: Any, scope: str, branches: Any, pool: Any) -> Any:
        with tf1.variable_scope(scope):
            ends = []
            for at, branch in enumerate(branches):
                h = x
                with tf1.variable_scope(f"Branch_{at}"):
                    for name, filters, size, valid in branch:
                        more = {"stride": 2, "padding": "VALID"} if valid else {}
                        h = conv(h, f"Conv2d_{name}", filters, size, **more)
                ends.append(h)
            return tf.concat([*ends, pool(x)], 3)

    def pool(x: Any) -> Any:
        return tf.nn.max_pool2d(x, 3, 2, "VALID")

    def averaged(x: Any) -> Any:
        with tf1.variable_scope("Branch_3"):
            return conv(tf.nn.avg_pool2d(x, 3, 1, "SAME"), "Conv2d_0b_1x1", 64, 1)

    b35 = (
        (("1x1", 32, 1),),
        (("0a_1x1", 32, 1), ("0b_3x3", 32, 3)),
        (("0a_1x1", 32, 1), ("0b_3x3", 48, 3), ("0c_3x3", 64, 3)),
    )
    b17 = (
        (("1x1", 192, 1),),
        (("0a_1x1", 128, 1), ("0b_1x7", 160, (1, 7)), ("0c_7x1", 192, (7, 1))),
    )
    b8 = (
        (("1x1", 192, 1),),
        (("0a_1x1", 192, 1), ("0b_1x3", 224, (1, 3)), ("0c_3x1", 256, (3, 1))),
    )
    graph = tf.Graph()
    with graph.as_default(), tf1.variable_scope("InceptionResnetV2"):
        image = x = tf1.placeholder(tf.float32, (2, 75, 75, 3), "images")
        x = conv(x, "Conv2d_1a_3x3", 32, 3, stride=2, padding="VALID")
        x = conv(conv(x, "Conv2d_2a_3x3", 32, 3, padding="VALID"), "Conv2d_2b_3x3", 64, 3)
        x = conv(pool(x), "Conv2d_3b_1x1", 80, 1, padding="VALID")
        x = pool(conv(x, "Conv2d_4a_3x3", 192, 3, padding="VALID"))
        x = mixed(
            x,
            "Mixed_5b",
            (
                (("1x1", 96, 1, 0),),
                (("0a_1x1", 48, 1, 0), ("0b_5x5", 64, 5, 0)),
                (("0a_1x1", 64, 1, 0), ("0b_3x3", 96, 3, 0), ("0c_3x3", 96, 3, 0)),
            ),
            averaged,
        )
        for i in range(1, 11):
            x = block(x, f"Repeat/block35_{i}", b35, 0.17)
        x = mixed(
            x,
            "Mixed_6a",
            (
                (("1a_3x3", 384, 3, 1),),
                (("0a_1x1", 256, 1, 0), ("0b_3x3", 256, 3, 0), ("1a_3x3", 384, 3, 1)),
            ),
            pool,
        )
        for i in range(1, 21):
            x = block(x, f"Repeat_1/block17_{i}", b17, 0.1)
        losses = []
        if train:
            with tf1.variable_scope("AuxLogits"):
                h = conv(x, "Conv2d_1b_1x1", 128, 1)
                h = conv(h, "Conv2d_2a_5x5", 768, h.shape[1:3], padding="VALID")
                losses = [_logits(h, "Logits")]
        x = mixed(
            x,
            "Mixed_7a",
            (
                (("0a_1x1", 256, 1, 0), ("1a_3x3", 384, 3, 1)),
                (("0a_1x1", 256, 1, 0), ("1a_3x3", 288, 3, 1)),
                (("0a_1x1", 256, 1, 0), ("0b_3x3", 288, 3, 0), ("1a_3x3", 320, 3, 1)),
            ),
            pool,
        )
        for i in range(1, 10):
            x = block(x, f"Repeat_2/block8_{i}", b8, 0.2)
        x = conv(block(x, "Block8", b8, 1.0, act=False), "Conv2d_7b_1x1", 1536, 1)
        with tf1.variable_scope("Logits"):
            out = _logits(x, "Logits")
        variables = tf1.global_variables()
        if train:
            trained(graph, [*losses, out], tf1.train.RMSPropOptimizer(0.1, momentum=0.9))
        chances = tf.nn.softmax(out, name="Predictions")
    return Side(graph, [image], chances, variables)


def _logits(x: Any, name: str) -> Any:
    with tf1.variable_scope(name):
        flat = tf.reduce_mean(x, [1, 2])
        kernel = tf1.get_variable("weights", (flat.shape[-1], 9))
        return tf.nn.bias_add(tf.matmul(flat, kernel), tf1.get_variable("biases", (9,)))


def keras_inception_resnet() -> Side:
    """tf_keras.applications' constructor, in inference."""
    import tf_keras

    tf_keras.backend.clear_session()
    graph = tf.Graph()
    with graph.as_default():
        tf_keras.backend.set_learning_phase(0)
        model = tf_keras.applications.InceptionResNetV2(
            weights=None, input_shape=(75, 75, 3), classes=9
        )
        made = tf1.global_variables()
    return Side(graph, model.inputs, model.outputs[0], made)


def in_order(actual: list[str], expected: list[str]) -> dict[str, Carry]:
    """Both programs make their layers in one order."""
    return {e: Carry(a) for e, a in zip(expected, actual, strict=True)}


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
    Rewrite(
        "r_slim_inception_resnet",
        "inception-resnet-v2",
        "cross-impl",
        "graph",
        slim_inception_resnet,
        keras_inception_resnet,
        in_order,
        "slim's words beside conv2d_N and batch_normalization_N; auxiliary logits stand beside",
    ),
)

"""Published TF1 code beside later Keras code: wide residual nets and Sketch-RNN."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.names_d import leaves
from cases.nets import Naming, Net, by_default, by_rules
from cases.wired import Wired
from cases.wirings_a import holder, relu


def wide_residual(net: Net, train: bool) -> Any:
    """A wide residual net for small pictures, shortcuts without weights."""
    x = net.conv("init", holder("images", 2, 16, 16, 3), 6, bias=False)
    for stage, width in enumerate((8, 12, 16)):
        for unit in range(3):
            at = f"unit/{stage}/{unit}"
            stride = 2 if stage and not unit else 1
            h = relu(net.batch_norm(f"{at}/0/norm", x, train))
            x = h if unit == 0 else x
            h = net.conv(f"{at}/0", h, width, stride=stride, bias=False)
            h = relu(net.batch_norm(f"{at}/1/norm", h, train))
            h = net.conv(f"{at}/1", h, width, bias=False)
            x = tf.nn.avg_pool2d(x, stride, stride, "VALID") if stride > 1 else x
            more = width - int(x.shape[-1])
            x = h + tf.pad(x, [[0, 0], [0, 0], [0, 0], [more // 2, more - more // 2]])
    x = tf.reduce_mean(relu(net.batch_norm("last/norm", x, train)), [1, 2])
    return net.dense("logits", x, 5)


def sketch_rnn(net: Net, train: bool) -> Any:
    """Sketch-RNN: both directions to a code, the code to the decoder's first state."""
    strokes = holder("strokes", 2, 4, 5)

    def cell(role: str, x: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        n = int(x.shape[-1])
        h, c = state
        gates = tf.matmul(x, net.var(f"{role}/input", (n, 32), "lstm"))
        gates = gates + tf.matmul(h, net.var(f"{role}/state", (8, 32), "lstm"))
        gates = gates + net.var(f"{role}/bias", (32,), "lstm")
        i, j, f, o = tf.split(gates, 4, -1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        return tf.tanh(c) * tf.sigmoid(o), c

    ends = []
    for way, steps in (("fw", range(4)), ("bw", range(3, -1, -1))):
        state = (tf.zeros((2, 8)), tf.zeros((2, 8)))
        for t in steps:
            state = cell(f"encoder/{way}", strokes[:, t], state)
        ends.append(state[0])
    both = tf.concat(ends, -1)
    mean, spread = net.dense("mean", both, 8), net.dense("spread", both, 8)
    code = mean + tf.exp(spread / 2.0) * holder("noise", 2, 8)
    state = tuple(tf.split(tf.tanh(net.dense("first", code, 16)), 2, -1))
    outputs = []
    for t in range(4):
        state = cell("decoder", tf.concat([strokes[:, t], code], -1), state)
        outputs.append(net.dense("out", state[0], 9))
    return tf.stack(outputs, 1)


def unit(found: Any) -> str:
    """Write a layer of a unit as tensorflow/models' resnet_model.py does."""
    stage, number, part, norm, leaf = found.groups()
    at = f"unit_{int(stage) + 1}_{number}"
    if norm and part == "0":
        scope = "shared_activation" if number == "0" else "residual_only_activation"
        return f"{at}/{scope}/init_bn/{leaf}"
    return f"{at}/sub{int(part) + 1}/{'bn2' if norm else f'conv{int(part) + 1}'}/{leaf}"


def old_resnet() -> Naming:
    """Return the naming of tensorflow/models' first residual nets."""
    return leaves(
        {"kernel": "DW", "bias": "biases"},
        by_rules(
            (r"init/(.*)", r"init/init_conv/\1"),
            (r"unit/(\d)/(\d)/(\d)(/norm)?/(.*)", unit),
            (r"last/norm/(.*)", r"unit_last/final_bn/\1"),
            (r"logits/(.*)", r"logit/\1"),
        ),
    )


CELL = {"input": "W_xh", "state": "W_hh"}
LINEAR = {"kernel": "super_linear_w", "bias": "super_linear_b"}


def magenta(role: str, kind: str) -> str:
    """Name a role as Magenta's sketch_rnn does."""
    head, _, leaf = role.rpartition("/")
    places = {
        "encoder/fw": "ENC_RNN/fw/LSTMCell",
        "encoder/bw": "ENC_RNN/bw/LSTMCell",
        "mean": "ENC_RNN_mu",
        "spread": "ENC_RNN_sigma",
        "first": "linear",
        "decoder": "RNN/LSTMCell",
        "out": "RNN",
    }
    word = CELL.get(leaf, leaf) if kind == "lstm" else LINEAR[leaf]
    word = {"kernel": "output_w", "bias": "output_b"}[leaf] if head == "out" else word
    return f"vector_rnn/{places[head]}/{word}"


WIRED3 = (
    Wired(
        "w_wide_resnet_counters",
        "wide-resnet",
        "default-names-order",
        "shapes",
        wide_residual,
        old_resnet,
        lambda: by_default("wrn/"),
        optimizer="Momentum",
    ),
    Wired(
        "w_sketch_rnn",
        "sketch-rnn",
        "role-words",
        "graph",
        sketch_rnn,
        lambda: magenta,
        lambda: by_rules(
            (r"encoder/(f|b)w/input", r"sketch_vae/encoder_lstm_\1/kernel"),
            (r"encoder/(f|b)w/state", r"sketch_vae/encoder_lstm_\1/recurrent_kernel"),
            (r"encoder/(f|b)w/bias", r"sketch_vae/encoder_lstm_\1/bias"),
            (r"decoder/input", r"sketch_vae/decoder_lstm/kernel"),
            (r"decoder/state", r"sketch_vae/decoder_lstm/recurrent_kernel"),
            (r"mean/(.*)", r"sketch_vae/z_mean/\1"),
            (r"spread/(.*)", r"sketch_vae/z_log_var/\1"),
            (r"first/(.*)", r"sketch_vae/dec_initial_state/\1"),
            (r"decoder/(.*)", r"sketch_vae/decoder_lstm/\1"),
            (r"out/(.*)", r"sketch_vae/mixture_params/\1"),
        ),
        ema=True,
        notes="the two heads of the encoder have one shape and are named by other words",
    ),
)

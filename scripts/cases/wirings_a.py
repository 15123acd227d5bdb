"""TF1 wirings of the first batch: each is built twice, under two namings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net, tf1

relu = tf.nn.relu


def holder(name: str, *shape: int, dtype: Any = tf.float32) -> Any:
    """Return a placeholder of a fixed shape."""
    return tf1.placeholder(dtype, shape, name)


def vae(net: Net, train: bool) -> Any:
    """Convolutional VAE: the heads for mean and log variance have one shape."""
    x = h = holder("image", 2, 8, 8, 3)
    for i in range(2):
        h = net.conv(f"enc/{i}", h, 8, stride=2, act=relu)
    h = tf.reshape(h, (2, -1))
    mean, log_variance = net.dense("mean", h, 6), net.dense("log_variance", h, 6)
    noise = holder("noise", 2, 6)
    h = net.dense("up", mean + tf.exp(0.5 * log_variance) * noise, 32, relu)
    h = tf.reshape(h, (2, 2, 2, 8))
    for i in range(2):
        h = net.deconv(f"dec/{i}", h, 8, act=relu)
    out = net.conv("out", h, 3)
    if not train:
        return out
    divergence = tf.square(mean) + tf.exp(log_variance) - log_variance
    return [out - x, tf.sqrt(divergence + 1.0)]


def attention_seq2seq(net: Net, train: bool) -> Any:
    """GRU encoder, additive attention, GRU decoder."""
    ids, target = holder("source", 2, 4, dtype=tf.int32), holder("target", 2, 3, dtype=tf.int32)
    source = tf.unstack(net.embed("source", ids, 11, 8), axis=1)
    memory = tf.stack(net.gru("encoder", source, 8), 1)
    states = net.gru("decoder", tf.unstack(net.embed("target", target, 11, 8), axis=1), 8)
    outputs = []
    for state in states:
        query = net.dense("attention/query", state, 8, bias=False)[:, None]
        keys = net.dense("attention/memory", memory, 8, bias=False)
        energy = net.dense("attention/score", tf.tanh(query + keys), 1, bias=False)
        context = tf.reduce_sum(tf.nn.softmax(energy, 1) * memory, 1)
        outputs.append(net.dense("combine", tf.concat([context, state], -1), 8, tf.tanh))
    return net.dense("logits", tf.stack(outputs, 1), 11)


def dueling_dqn(net: Net, train: bool) -> Any:
    """Dueling deep Q network with a target copy."""

    def tower(scope: str, x: Any) -> Any:
        for i, (filters, size) in enumerate(((8, 5), (8, 3), (8, 3))):
            x = net.conv(f"{scope}/conv/{i}", x, filters, size, 2, relu)
        x = tf.reshape(x, (2, -1))
        value = net.dense(f"{scope}/value/1", net.dense(f"{scope}/value/0", x, 16, relu), 1)
        gain = net.dense(f"{scope}/advantage/1", net.dense(f"{scope}/advantage/0", x, 16, relu), 4)
        return value + gain - tf.reduce_mean(gain, -1, keepdims=True)

    now = tower("online", holder("state", 2, 16, 16, 4))
    if not train:
        return now
    later = tower("target", holder("next_state", 2, 16, 16, 4))
    return now - tf.stop_gradient(0.9 * later)


def highway(net: Net, train: bool) -> Any:
    """Highway layers: transform and gate have one shape and one input."""
    h = net.dense("inlet", holder("x", 3, 7), 10, relu)
    for i in range(4):
        plain = net.dense(f"layer/{i}/transform", h, 10, relu)
        gate = net.dense(f"layer/{i}/gate", h, 10, tf.sigmoid)
        h = gate * plain + (1 - gate) * h
    return net.dense("outlet", h, 2)


def cross_network(net: Net, train: bool) -> Any:
    """Deep & cross: cross layers are vectors of one shape, fields are tables of one shape."""
    fields = [
        net.embed(f"field/{name}", holder(f"{name}_id", 3, dtype=tf.int32), 20, 4)
        for name in ("user", "item", "shop", "city")
    ]
    x0 = x = tf.concat(fields, -1)
    for i in range(3):
        weight, bias = (net.var(f"cross/{i}/{leaf}", (16,), "cross") for leaf in ("kernel", "bias"))
        x = x0 * tf.reduce_sum(x * weight, -1, keepdims=True) + bias + x
    deep = x0
    for i in range(3):
        deep = net.dense(f"deep/{i}", deep, 16, relu)
    return net.dense("logit", tf.concat([x, deep], -1), 1)


def encoder_decoder(net: Net, train: bool) -> Any:
    """Transformer with cross attention, all projections of one shape."""

    def attend(role: str, x: Any, memory: Any) -> Any:
        q, k, v = (
            net.dense(f"{role}/{p}", y, 8)
            for p, y in (("query", x), ("key", memory), ("value", memory))
        )
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.35)
        return net.dense(f"{role}/output", tf.matmul(weights, v), 8)

    def block(role: str, x: Any, memory: Any | None) -> Any:
        x = net.layer_norm(f"{role}/self/norm", x + attend(f"{role}/self", x, x))
        if memory is not None:
            x = net.layer_norm(f"{role}/cross/norm", x + attend(f"{role}/cross", x, memory))
        h = net.dense(f"{role}/ffn/out", net.dense(f"{role}/ffn/in", x, 16, relu), 8)
        return net.layer_norm(f"{role}/ffn/norm", x + h)

    memory = net.embed("source", holder("source", 2, 5, dtype=tf.int32), 13, 8)
    for i in range(3):
        memory = block(f"encoder/{i}", memory, None)
    x = net.embed("target", holder("target", 2, 4, dtype=tf.int32), 13, 8)
    for i in range(3):
        x = block(f"decoder/{i}", x, memory)
    return net.dense("generator", x, 13)


def twin_critics(net: Net, train: bool) -> Any:
    """Actor and two critics that nothing tells apart, with target copies in training."""

    def perceptron(role: str, x: Any, out: int) -> Any:
        for i in range(2):
            x = net.dense(f"{role}/{i}", x, 12, relu)
        return net.dense(f"{role}/2", x, out)

    state = holder("state", 2, 6)
    action = tf.tanh(perceptron("actor", state, 3))
    both = tf.concat([state, action], -1)
    values = [perceptron(f"critic/{one}", both, 1) for one in ("a", "b")]
    if not train:
        return [action, tf.minimum(*values)]
    targets = [perceptron(f"target/{one}", both, 1) for one in ("a", "b")]
    lowest = tf.stop_gradient(tf.minimum(*targets))
    return [action, tf.minimum(*values) - lowest, values[0] + values[1] - 2 * lowest]


def coupling_flow(net: Net, train: bool) -> Any:
    """RealNVP: a scale and a shift network of one shape for each coupling."""
    x = holder("x", 4, 6)
    log_det = 0.0
    for i in range(4):
        kept, moved = tf.split(x, 2, -1) if i % 2 == 0 else tf.split(x, 2, -1)[::-1]
        nets = []
        for part in ("scale", "shift"):
            h = net.dense(f"coupling/{i}/{part}/0", kept, 9, relu)
            nets.append(net.dense(f"coupling/{i}/{part}/1", h, 3))
        moved = moved * tf.exp(tf.tanh(nets[0])) + nets[1]
        log_det += tf.reduce_sum(tf.tanh(nets[0]), -1, keepdims=True)
        x = tf.concat([kept, moved] if i % 2 == 0 else [moved, kept], -1)
    return [x, log_det]


def temporal_convolutions(net: Net, train: bool) -> Any:
    """TCN: two dilated convolutions a block, batch norms, a 1x1 shortcut where widths differ."""
    x = holder("series", 2, 16, 3)
    for i, width in enumerate((8, 8, 12, 12)):
        h = x
        for j in range(2):
            h = net.conv(f"block/{i}/conv/{j}", h, width, 3, dilation=2**i)
            h = relu(net.batch_norm(f"block/{i}/norm/{j}", h, train))
        short = x if x.shape[-1] == width else net.conv(f"block/{i}/short", x, width, 1)
        x = relu(h + short)
    return net.dense("head", tf.reduce_mean(x, 1), 4)


def squeeze_excite(net: Net, train: bool) -> Any:
    """Residual blocks with squeeze and excitation."""
    x = net.conv("stem", holder("image", 2, 8, 8, 3), 8)
    for i in range(4):
        h = relu(
            net.batch_norm(
                f"block/{i}/norm/0", net.conv(f"block/{i}/conv/0", x, 8, bias=False), train
            )
        )
        h = net.batch_norm(
            f"block/{i}/norm/1", net.conv(f"block/{i}/conv/1", h, 8, bias=False), train
        )
        pooled = tf.reduce_mean(h, [1, 2])
        gate = net.dense(f"block/{i}/squeeze", pooled, 8, relu)
        gate = net.dense(f"block/{i}/excite", gate, 8, tf.sigmoid)
        x = relu(x + h * gate[:, None, None])
    return net.dense("head", tf.reduce_mean(x, [1, 2]), 5)

"""Programs of the fifth batch: recommendation, reinforcement, graphs, series, diffusion."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def neural_filtering(net: Net, train: bool) -> Any:
    """NeuMF: two pairs of tables, one multiplied and one for a perceptron."""
    user, item = holder("user", 3, dtype=tf.int32), holder("item", 3, dtype=tf.int32)
    product = net.embed("product/user", user, 15, 8) * net.embed("product/item", item, 15, 8)
    pair = (net.embed("deep/user", user, 15, 8), net.embed("deep/item", item, 15, 8))
    x = tf.concat(pair, -1)
    for i in range(3):
        x = net.dense(f"deep/{i}", x, (16, 8, 8)[i], relu)
    return net.dense("score", tf.concat([product, x], -1), 1, tf.sigmoid)


def mixture_density(net: Net, train: bool) -> Any:
    """Mixture density network: a weight, a mean and a width of its own for every component."""
    x, target = holder("x", 4, 3), holder("y", 4, 2)
    for i in range(2):
        x = net.dense(f"hidden/{i}", x, 12, tf.tanh)
    shares, densities = [], []
    for k in range(4):
        shares.append(net.dense(f"component/{k}/share", x, 1))
        mean = net.dense(f"component/{k}/mean", x, 2)
        log_width = net.dense(f"component/{k}/log_width", x, 2)
        error = target - mean
        densities.append(tf.reduce_sum(-log_width - tf.square(error) * tf.exp(-2 * log_width), -1))
    logits = tf.nn.log_softmax(tf.concat(shares, -1))
    return tf.reduce_logsumexp(logits + tf.stack(densities, -1), -1)


def low_bags(net: Net, train: bool) -> Any:
    """DLRM in TensorFlow: all tables, a perceptron below and one above."""
    x = holder("dense_features", 2, 6)
    for i in range(3):
        x = net.dense(f"bottom/{i}", x, (16, 16, 8)[i], relu)
    parts = [x]
    for i, rows in enumerate((11, 14, 11, 17, 14)):
        ids = holder(f"category_{i}", 2, 3, dtype=tf.int32)
        parts.append(tf.reduce_sum(net.embed(f"table/{i}", ids, rows, 8), 1))
    every = tf.stack(parts, 1)
    products = tf.matmul(every, every, transpose_b=True)
    lower = [products[:, i, j] for i in range(6) for j in range(i)]
    x = tf.concat([x, tf.stack(lower, 1)], -1)
    for i in range(3):
        x = net.dense(f"top/{i}", x, (16, 16, 1)[i], relu if i < 2 else tf.sigmoid)
    return x


def mu_zero(net: Net, train: bool) -> Any:
    """MuZero: representation, dynamics and prediction are towers of one form."""

    def tower(role: str, h: Any) -> Any:
        for i in range(2):
            y = relu(net.layer_norm(f"{role}/{i}/norm/0", net.conv(f"{role}/{i}/conv/0", h, 8)))
            y = net.layer_norm(f"{role}/{i}/norm/1", net.conv(f"{role}/{i}/conv/1", y, 8))
            h = relu(h + y)
        return h

    def head(role: str, h: Any, units: int) -> Any:
        h = net.conv(f"{role}/squeeze", h, 2, 1, act=relu)
        return net.dense(f"{role}/out", tf.reshape(h, (2, -1)), units)

    state = tower("represent", net.conv("represent/in", holder("board", 2, 4, 4, 3), 8))
    outputs = []
    actions = holder("actions", 2, 2, 4, 4, 1)
    for step in range(2):
        h = tower("predict", state)
        outputs += [head("predict/policy", h, 16), head("predict/value", h, 11)]
        state = tf.concat([state, actions[:, step]], -1)
        state = tower("dynamics", net.conv("dynamics/in", state, 8))
        outputs.append(head("dynamics/reward", state, 11))
    return outputs


def actor_critic(net: Net, train: bool) -> Any:
    """A3C with an LSTM; a training graph holds the copies of three workers."""
    outputs = []
    for who in ("global", *(f"worker/{i}" for i in range(3) if train)):
        x = holder(f"{who}/frames", 3, 16, 16, 1)
        for i in range(2):
            x = net.conv(f"{who}/conv/{i}", x, 8, 4, 2, tf.nn.elu)
        x = net.dense(f"{who}/fc", tf.reshape(x, (3, -1)), 16, tf.nn.elu)
        h = net.lstm(f"{who}/lstm", tf.unstack(x[:, None]), 8)
        h = tf.concat(h, 0)
        outputs += [net.dense(f"{who}/policy", h, 4), net.dense(f"{who}/value", h, 1)]
    return outputs


def noisy_rainbow(net: Net, train: bool) -> Any:
    """Noisy layers: a mean and a width of one shape for every kernel; 51 atoms, two streams."""
    x = holder("frames", 2, 16, 16, 4)
    for i in range(3):
        x = net.conv(f"conv/{i}", x, 8, 3, 2, relu)
    x = tf.reshape(x, (2, 32))

    def noisy(role: str, h: Any, units: int) -> Any:
        n = int(h.shape[-1])
        before, after = (
            holder(f"{role}/noise/{end}", size) for end, size in (("in", n), ("out", units))
        )
        kernel = net.var(f"{role}/mean/kernel", (n, units), "noisy")
        width = net.var(f"{role}/width/kernel", (n, units), "noisy")
        kernel = kernel + width * before[:, None] * after
        bias = net.var(f"{role}/mean/bias", (units,), "noisy")
        return tf.matmul(h, kernel) + bias + net.var(f"{role}/width/bias", (units,)) * after

    value = noisy("value/1", relu(noisy("value/0", x, 12)), 5)[:, None]
    gain = noisy("gain/1", relu(noisy("gain/0", x, 12)), 15)
    gain = tf.reshape(gain, (2, 3, 5))
    return tf.nn.softmax(value + gain - tf.reduce_mean(gain, 1, keepdims=True))


def ensemble(net: Net, train: bool) -> Any:
    """Five dynamics models of one form whose predictions are averaged."""
    x = tf.concat([holder("state", 3, 6), holder("action", 3, 2)], -1)
    outputs = []
    for member in range(5):
        h = x
        for i in range(3):
            h = net.dense(f"member/{member}/{i}", h, 10, tf.nn.swish)
        outputs.append(net.dense(f"member/{member}/3", h, 6))
    return tf.add_n(outputs) / 5.0


def graph_sage(net: Net, train: bool) -> Any:
    """GraphSAGE with mean aggregators."""
    x, mean = holder("nodes", 6, 8), holder("mean", 6, 6)
    for i in range(3):
        near = net.dense(f"layer/{i}/near", tf.matmul(mean, x), 8, bias=False)
        x = relu(near + net.dense(f"layer/{i}/self", x, 8))
    return net.dense("readout", x, 4)


def chebyshev(net: Net, train: bool) -> Any:
    """Graph convolutions of Chebyshev polynomials: one matrix a power."""
    x, laplacian = holder("nodes", 6, 8), holder("laplacian", 6, 6)
    for i, units in enumerate((8, 8, 5)):
        powers = [x, tf.matmul(laplacian, x)]
        powers.append(2 * tf.matmul(laplacian, powers[1]) - x)
        parts = [net.dense(f"layer/{i}/{k}", p, units, bias=False) for k, p in enumerate(powers)]
        x = tf.add_n(parts) + net.var(f"layer/{i}/bias", (units,))
        x = relu(x) if i < 2 else x
    return x


def basis_expansion(net: Net, train: bool) -> Any:
    """N-BEATS: residual blocks that look back and ahead."""
    x, total = holder("series", 2, 10), 0.0
    for stack in range(2):
        for block in range(3):
            role, h = f"{stack}/{block}", x
            for i in range(4):
                h = net.dense(f"{role}/fc/{i}", h, 12, relu)
            back = net.dense(f"{role}/back/theta", h, 4, bias=False)
            front = net.dense(f"{role}/front/theta", h, 4, bias=False)
            x = x - net.dense(f"{role}/back/basis", back, 10)
            total = total + net.dense(f"{role}/front/basis", front, 5)
    return total


def fusion_transformer(net: Net, train: bool) -> Any:
    """Temporal fusion: gated residual networks of one shape in many places."""

    def gate(role: str, h: Any, side: Any) -> Any:
        h = net.dense(f"{role}/gate", h, 6, tf.sigmoid) * net.dense(f"{role}/value", h, 6)
        return net.layer_norm(f"{role}/norm", side + h)

    def grn(role: str, h: Any, context: Any = None, units: int = 6) -> Any:
        side = h if units == h.shape[-1] else net.dense(f"{role}/skip", h, units)
        y = net.dense(f"{role}/in", h, units)
        y = y if context is None else y + net.dense(f"{role}/context", context, units, bias=False)
        y = net.dense(f"{role}/hidden", tf.nn.elu(y), units)
        if units != 6:
            return side + y
        return gate(role, y, side)

    fixed = net.dense("static/embed", holder("static", 2, 3), 6)
    contexts = [grn(f"static/{name}", fixed) for name in ("choose", "enrich", "state_h", "state_c")]
    outputs = []
    for part in ("past", "future"):
        raw = holder(part, 2, 4, 3)
        each = [net.dense(f"{part}/embed/{i}", raw[..., i : i + 1], 6) for i in range(3)]
        context = tf.tile(contexts[0][:, None], (1, 4, 1))
        weights = tf.nn.softmax(grn(f"{part}/weights", tf.concat(each, -1), context, 3))
        each = [grn(f"{part}/variable/{i}", h) for i, h in enumerate(each)]
        chosen = tf.add_n([weights[..., i : i + 1] * h for i, h in enumerate(each)])
        steps = net.gru(f"{part}/rnn", [h + contexts[2] for h in tf.unstack(chosen, axis=1)], 6)
        outputs.append(gate(f"{part}/after", tf.stack(steps, 1) + contexts[3][:, None], chosen))
    x = tf.concat(outputs, 1)
    x = grn("enrich", x, tf.tile(contexts[1][:, None], (1, 8, 1)))
    q, k = (net.dense(f"attention/{p}", x, 6, bias=False) for p in ("query", "key"))
    v = net.dense("attention/value", x, 6, bias=False)
    h = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True)), v)
    x = grn("feed", gate("attention/after", net.dense("attention/out", h, 6, bias=False), x))
    return [net.dense(f"quantile/{p}", x, 1) for p in (10, 50, 90)]


def edge_graph(net: Net, train: bool) -> Any:
    """DGCNN: edge convolutions over neighbours, all features joined at the end."""
    x = holder("points", 2, 6, 3)
    found = []
    for i in range(3):
        near = tf.stack([tf.roll(x, k, 1) for k in range(1, 4)], 2)
        mine = tf.tile(x[:, :, None], (1, 1, 3, 1))
        h = net.conv(f"edge/{i}", tf.concat([mine, near - mine], -1), 8, 1, bias=False)
        h = tf.nn.leaky_relu(net.batch_norm(f"edge/{i}/norm", h, train))
        x = tf.reduce_max(h, 2)
        found.append(x)
    x = net.conv("join", tf.concat(found, -1), 12, 1, bias=False)
    x = tf.reduce_max(tf.nn.leaky_relu(net.batch_norm("join/norm", x, train)), 1)
    for i in range(2):
        x = net.dense(f"head/{i}", x, 8, bias=False)
        x = tf.nn.leaky_relu(net.batch_norm(f"head/{i}/norm", x, train))
    return net.dense("head/2", x, 5)


def diffusion(net: Net, train: bool) -> Any:
    """The U-Net of denoising diffusion: levels down and up, a time embedding in every block."""
    time = net.dense("time/0", holder("time", 1, 8), 12, tf.nn.swish)
    time = net.dense("time/1", time, 12)

    def norm(role: str, h: Any) -> Any:
        mean, variance = tf.nn.moments(h, [1, 2, 3], keepdims=True)
        gamma, beta = (net.var(f"{role}/{leaf}", (h.shape[-1],)) for leaf in ("gamma", "beta"))
        return tf.nn.batch_normalization(h, mean, variance, beta, gamma, 1e-6)

    def block(role: str, h: Any, width: int) -> Any:
        y = net.conv(f"{role}/conv/0", tf.nn.swish(norm(f"{role}/norm/0", h)), width)
        y = y + net.dense(f"{role}/time", tf.nn.swish(time), width)[:, None, None]
        y = net.conv(f"{role}/conv/1", tf.nn.swish(norm(f"{role}/norm/1", y)), width)
        return y + (h if h.shape[-1] == width else net.conv(f"{role}/skip", h, width, 1))

    def attend(role: str, h: Any) -> Any:
        width = h.shape[-1]
        y = tf.reshape(norm(f"{role}/norm", h), (1, -1, width))
        q, k, v = (net.dense(f"{role}/{p}", y, width) for p in ("query", "key", "value"))
        y = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.35), v)
        return h + tf.reshape(net.dense(f"{role}/out", y, width), h.shape)

    x = net.conv("in", holder("noisy", 1, 8, 8, 3), 8)
    kept = [x]
    for level in range(3):
        for i in range(2):
            x = block(f"down/{level}/{i}", x, (8, 8, 12)[level])
            x = attend(f"down/{level}/{i}/attend", x) if level == 1 else x
            kept.append(x)
        if level < 2:
            x = net.conv(f"down/{level}/sample", x, x.shape[-1], stride=2)
            kept.append(x)
    x = block("middle/1", attend("middle/attend", block("middle/0", x, 12)), 12)
    for level in reversed(range(3)):
        for i in range(3):
            x = block(f"up/{level}/{i}", tf.concat([x, kept.pop()], -1), (8, 8, 12)[level])
            x = attend(f"up/{level}/{i}/attend", x) if level == 1 else x
        if level:
            x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
            x = net.conv(f"up/{level}/sample", x, x.shape[-1])
    return net.conv("out", tf.nn.swish(norm("out/norm", x)), 3)

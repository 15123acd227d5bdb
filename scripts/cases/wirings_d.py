"""TF1 wirings of the fourth batch: each is built twice, under two namings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def go_player(net: Net, train: bool) -> Any:
    """Residual tower with a policy and a value head, as programs that play Go have."""

    def unit(role: str, x: Any, filters: int, size: int = 3) -> Any:
        x = net.conv(f"{role}/conv", x, filters, size, bias=False)
        return net.batch_norm(f"{role}/norm", x, train)

    x = relu(unit("stem", holder("board", 2, 5, 5, 4), 8))
    for i in range(5):
        h = relu(unit(f"block/{i}/0", x, 8))
        x = relu(x + unit(f"block/{i}/1", h, 8))
    policy = relu(unit("policy", x, 2, 1))
    logits = net.dense("policy/fc", tf.reshape(policy, (2, 50)), 26)
    value = relu(unit("value", x, 1, 1))
    value = net.dense("value/fc/0", tf.reshape(value, (2, 25)), 12, relu)
    return [tf.nn.softmax(logits), net.dense("value/fc/1", value, 1, tf.tanh)]


def many_towers(net: Net, train: bool) -> Any:
    """The network of the CIFAR-10 tutorial; training splits the batch over two towers."""

    def tower(x: Any) -> Any:
        x = net.conv("conv1", x, 8, 5, act=relu)
        x = tf.nn.lrn(tf.nn.max_pool2d(x, 3, 2, "SAME"), 4, 1.0, 0.001 / 9.0, 0.75)
        x = net.conv("conv2", x, 8, 5, act=relu)
        x = tf.nn.max_pool2d(tf.nn.lrn(x, 4, 1.0, 0.001 / 9.0, 0.75), 3, 2, "SAME")
        x = net.dense("local3", tf.reshape(x, (x.shape[0], 32)), 24, relu)
        x = net.dense("local4", x, 12, relu)
        return net.dense("softmax_linear", x, 10)

    images = holder("images", 4, 8, 8, 3)
    if not train:
        return tower(images)
    return tf.concat([tower(part) for part in tf.split(images, 2)], 0)


def skip_thoughts(net: Net, train: bool) -> Any:
    """Skip-thoughts: a sentence encoder and decoders of the sentences before and after."""
    ids = {w: holder(w, 2, 4, dtype=tf.int32) for w in ("encode", "decode_pre", "decode_post")}
    words = {w: net.embed("words", one, 19, 6) for w, one in ids.items()}
    thought = net.gru("encoder", tf.unstack(words["encode"], axis=1), 8)[-1]
    logits = []
    for side in ("pre", "post"):
        steps = [
            tf.concat([step, thought], -1)
            for step in tf.unstack(words[f"decode_{side}"], axis=1)[:-1]
        ]
        states = tf.stack(net.gru(f"decoder/{side}", steps, 8), 1)
        logits.append(net.dense("logits", states, 19))
    return logits


def interest_network(net: Net, train: bool) -> Any:
    """Deep interest network: attention of a candidate over a history, Dice-free."""
    item, shop = (holder(w, 3, dtype=tf.int32) for w in ("item", "category"))
    past, past_shop = (holder(w, 3, 5, dtype=tf.int32) for w in ("history", "history_category"))

    def both(one: Any, other: Any) -> Any:
        return tf.concat([net.embed("item", one, 23, 5), net.embed("category", other, 9, 5)], -1)

    candidate, history = both(item, shop), both(past, past_shop)
    query = tf.tile(candidate[:, None], (1, 5, 1))
    h = tf.concat([query, history, query - history, query * history], -1)
    for i, units in enumerate((12, 8)):
        h = net.dense(f"attention/{i}", h, units, tf.sigmoid)
    weights = tf.nn.softmax(net.dense("attention/2", h, 1), 1)
    interest = net.batch_norm("norm/0", tf.reduce_sum(weights * history, 1), train)
    h = tf.concat([net.dense("interest", interest, 10), candidate], -1)
    h = net.batch_norm("norm/1", h, train)
    for i, units in enumerate((12, 8)):
        h = net.dense(f"deep/{i}", h, units)
        h = relu(h) + net.var(f"deep/{i}/alpha", (units,)) * (h - tf.abs(h)) * 0.5
    return net.dense("deep/2", h, 1) + net.embed("item/bias", item, 23, 1)


def wide_and_deep(net: Net, train: bool) -> Any:
    """The estimator for census incomes: linear weights and embeddings for each column."""
    columns = {"education": 16, "occupation": 25, "relationship": 6, "workclass": 9}
    ids = {w: holder(w, 4, dtype=tf.int32) for w in columns}
    numbers = holder("numbers", 4, 5)
    wide = tf.matmul(numbers, net.var("wide/numbers/weights", (5, 1), "linear"))
    for word, size in columns.items():
        wide = wide + net.embed(f"wide/{word}", ids[word], size, 1)
    deep = [net.embed(f"deep/{word}", ids[word], size, 4) for word, size in columns.items()]
    x = tf.concat([numbers, *deep], -1)
    for i, units in enumerate((20, 16, 12, 8)):
        x = net.dense(f"deep/hidden/{i}", x, units, relu)
    return net.dense("deep/logits", x, 1) + wide


def impala(net: Net, train: bool) -> Any:
    """IMPALA's deep agent: three stages of two residual blocks, an LSTM, two heads."""
    frames = holder("frames", 6, 16, 16, 3)
    x = frames
    for i, width in enumerate((6, 8, 8)):
        x = tf.nn.max_pool2d(net.conv(f"stage/{i}", x, width), 3, 2, "SAME")
        for j in range(2):
            h = net.conv(f"stage/{i}/{j}/0", relu(x), width)
            x = x + net.conv(f"stage/{i}/{j}/1", relu(h), width)
    x = net.dense("fc", tf.reshape(relu(x), (6, 32)), 16, relu)
    reward = holder("reward", 6, 1)
    steps = tf.unstack(tf.reshape(tf.concat([x, reward], -1), (3, 2, 17)))
    core = tf.concat(net.lstm("core", steps, 12), 0)
    return [net.dense("policy", core, 5), net.dense("baseline", core, 1)]


def super_resolution(net: Net, train: bool) -> Any:
    """SRGAN: generator with batch norms and, in training, the discriminator of its output."""
    x = relu(net.conv("g/first", holder("low", 2, 6, 6, 3), 8))
    start = x
    for i in range(5):
        h = net.conv(f"g/block/{i}/conv/0", x, 8, bias=False)
        h = relu(net.batch_norm(f"g/block/{i}/norm/0", h, train))
        h = net.conv(f"g/block/{i}/conv/1", h, 8, bias=False)
        x = x + net.batch_norm(f"g/block/{i}/norm/1", h, train)
    x = start + net.batch_norm("g/middle/norm", net.conv("g/middle", x, 8, bias=False), train)
    for i in range(2):
        x = relu(tf.nn.depth_to_space(net.conv(f"g/up/{i}", x, 32), 2))
    out = tf.tanh(net.conv("g/last", x, 3, 1))
    if not train:
        return out
    h = out
    for i in range(4):
        h = net.conv(f"d/{i}", h, 8, 3 if i else 4, 2, bias=False)
        h = tf.nn.leaky_relu(net.batch_norm(f"d/{i}/norm", h, train))
    return [out, net.dense("d/out", tf.reshape(h, (2, 32)), 1)]


def continuous_filters(net: Net, train: bool) -> Any:
    """SchNet: atoms interact through filters made of their distances."""
    charges, places = holder("charges", 6, dtype=tf.int32), holder("positions", 6, 3)
    far = tf.norm(places[:, None] - places[None] + 1e-3, axis=-1, keepdims=True)
    spread = tf.exp(-10.0 * tf.square(far - tf.linspace(0.0, 3.0, 8)))

    def soft(y: Any) -> Any:
        return tf.math.softplus(y) - 0.6931472

    x = net.embed("atoms", charges, 10, 8)
    for i in range(3):
        y = net.dense(f"interaction/{i}/in", x, 8, bias=False)
        w = net.dense(f"interaction/{i}/filter/0", spread, 8, soft)
        w = net.dense(f"interaction/{i}/filter/1", w, 8, soft)
        y = tf.reduce_sum(w * y[None], 1)
        y = net.dense(f"interaction/{i}/out/0", y, 8, soft)
        x = x + net.dense(f"interaction/{i}/out/1", y, 8)
    x = net.dense("atomwise/1", net.dense("atomwise/0", x, 4, soft), 1)
    return tf.reduce_sum(x * net.var("scale", (1,)) + net.var("shift", (1,)))


def tabular_steps(net: Net, train: bool) -> Any:
    """TabNet: feature transformers whose first layers are shared by the steps, norms are not."""
    raw = holder("features", 8, 10)
    x = net.batch_norm("input/norm", raw, train)
    prior, parts, total = tf.ones((8, 10)), x, 0.0

    def gated(role: str, norm: str, h: Any) -> Any:
        h = net.batch_norm(norm, net.dense(role, h, 16, bias=False), train)
        return h[:, :8] * tf.sigmoid(h[:, 8:])

    for i in range(4):
        h = gated("shared/0", f"step/{i}/norm/0", parts)
        h = (gated("shared/1", f"step/{i}/norm/1", h) + h) * 0.7071
        h = (gated(f"step/{i}/own/0", f"step/{i}/norm/2", h) + h) * 0.7071
        h = (gated(f"step/{i}/own/1", f"step/{i}/norm/3", h) + h) * 0.7071
        total = total + relu(h[:, :4]) if i else 0.0
        if i < 3:
            mask = net.dense(f"step/{i}/mask", h[:, 4:], 10, bias=False)
            mask = tf.nn.softmax(net.batch_norm(f"step/{i}/mask/norm", mask, train) * prior)
            prior = prior * (1.5 - mask)
            parts = mask * x
    return net.dense("decision", total, 3, bias=False)


def gated_pixels(net: Net, train: bool) -> Any:
    """Gated PixelCNN: a vertical stack that feeds a horizontal one of the same width."""
    image = holder("image", 2, 6, 6, 3)
    v = net.conv("vertical/in", image, 6)
    h = net.conv("horizontal/in", image, 6)

    def gate(y: Any) -> Any:
        return tf.tanh(y[..., :6]) * tf.sigmoid(y[..., 6:])

    for i in range(3):
        down = net.conv(f"vertical/{i}", v, 12)
        side = net.conv(f"horizontal/{i}", h, 12)
        link = net.conv(f"link/{i}", down, 12, 1, bias=False)
        v = gate(down)
        h = h + net.conv(f"out/{i}", gate(side + link), 6, 1)
    return net.conv("logits", relu(h), 8, 1)

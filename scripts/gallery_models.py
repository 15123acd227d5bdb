"""Small models of many kinds, built with TensorFlow, for docs/gallery.

Usage: gallery_models.py OUT [NAME ...]: writes OUT/NAME, a .meta, frozen graph or SavedModel each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from gallery_layers import batch_norm, conv, cross_entropy, dense, layer_norm, train
from gallery_saved import frozen, keras_lstm, keras_model, saved_tf2

v1 = tf.compat.v1


def save_meta(folder: Path) -> None:
    v1.train.Saver()
    v1.train.export_meta_graph(str(folder / "model.ckpt-100.meta"))


def in_meta(build: Callable[[], None]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        with tf.Graph().as_default():
            build()
            v1.summary.merge_all()
            v1.global_variables_initializer()
            save_meta(folder)

    return write


def mlp() -> None:
    x, y = v1.placeholder(tf.float32, [None, 784], "x"), v1.placeholder(tf.int64, [None], "y")
    keep = v1.placeholder(tf.float32, [], "keep_prob")
    h = dense(x, 256, "hidden1", tf.nn.relu)
    h = tf.nn.dropout(h, rate=1 - keep)
    h = dense(h, 128, "hidden2", tf.nn.relu)
    logits = dense(h, 10, "logits")
    loss = cross_entropy(logits, y)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32), name="acc")
    v1.summary.scalar("loss", loss)
    v1.summary.scalar("accuracy", accuracy)
    train(loss, v1.train.AdamOptimizer(1e-3))


def cnn(is_new: bool = False) -> None:
    """Of the new one a kernel is larger, a rate smaller, the head has another name and size."""
    x = v1.placeholder(tf.float32, [None, 32, 32, 3], "images")
    y = v1.placeholder(tf.int64, [None], "labels")
    training = v1.placeholder(tf.bool, [], "is_training")
    h = x
    for block, filters in enumerate((32, 64, 128)):
        with v1.variable_scope(f"block{block}"):
            for layer in range(2):
                size = 5 if is_new and block == 2 else 3
                h = conv(h, filters, size, f"conv{layer}", activation=None)
                h = tf.nn.relu(batch_norm(h, training, f"bn{layer}"))
            h = tf.nn.max_pool2d(h, 2, 2, "SAME")
    h = tf.reduce_mean(h, [1, 2], name="pool")
    if is_new:
        h = tf.nn.dropout(h, rate=0.5)
    loss = cross_entropy(dense(h, 12, "head") if is_new else dense(h, 10, "logits"), y)
    penalty = tf.add_n([tf.nn.l2_loss(v) for v in v1.trainable_variables() if "kernel" in v.name])
    rate = v1.train.exponential_decay(
        0.05 if is_new else 0.1, v1.train.get_or_create_global_step(), 1000, 0.9
    )
    train(loss + 1e-4 * penalty, v1.train.MomentumOptimizer(rate, 0.9))


def inception() -> None:
    x = v1.placeholder(tf.float32, [None, 64, 64, 3], "images")
    y = v1.placeholder(tf.int64, [None], "labels")
    h = conv(x, 32, 7, "stem", 2)
    for number in range(3):
        with v1.variable_scope(f"mixed_{number}"):
            with v1.variable_scope("branch1x1"):
                a = conv(h, 16, 1, "conv")
            with v1.variable_scope("branch5x5"):
                b = conv(conv(h, 8, 1, "reduce"), 16, 5, "conv")
            with v1.variable_scope("branch3x3dbl"):
                c = conv(conv(conv(h, 8, 1, "reduce"), 16, 3, "conv1"), 16, 3, "conv2")
            with v1.variable_scope("branch_pool"):
                d = conv(tf.nn.avg_pool2d(h, 3, 1, "SAME"), 16, 1, "conv")
            h = tf.concat([a, b, c, d], 3)
    h = tf.reduce_mean(h, [1, 2])
    main = cross_entropy(dense(h, 10, "logits"), y)
    side = cross_entropy(dense(tf.reduce_mean(c, [1, 2]), 10, "aux_logits"), y, "aux_loss")
    train(main + 0.3 * side, v1.train.RMSPropOptimizer(0.01, momentum=0.9))


def lstm() -> None:
    tokens = v1.placeholder(tf.int32, [None, None], "tokens")
    targets = v1.placeholder(tf.int32, [None, None], "targets")
    table = v1.get_variable("embedding", [1000, 64])
    x = tf.transpose(tf.nn.embedding_lookup(table, tokens), [1, 0, 2])
    steps, batch = tf.shape(x)[0], tf.shape(x)[1]
    source = tf.TensorArray(tf.float32, steps).unstack(x)
    with v1.variable_scope("rnn/lstm_cell"):
        kernel = v1.get_variable("kernel", [64 + 128, 4 * 128])
        bias = v1.get_variable("bias", [4 * 128])

    def body(time, state, cell, out):
        gates = tf.nn.bias_add(tf.matmul(tf.concat([source.read(time), state], 1), kernel), bias)
        i, j, f, o = tf.split(gates, 4, 1)
        cell = tf.sigmoid(f + 1.0) * cell + tf.sigmoid(i) * tf.tanh(j)
        state = tf.sigmoid(o) * tf.tanh(cell)
        return time + 1, state, cell, out.write(time, state)

    zero = tf.zeros([batch, 128])
    zero.set_shape([None, 128])
    with v1.name_scope("rnn/"):
        *_, outputs = v1.while_loop(
            lambda time, *_: time < steps, body, [0, zero, zero, tf.TensorArray(tf.float32, steps)]
        )
    logits = dense(tf.reshape(outputs.stack(), [-1, 128]), 1000, "softmax")
    loss = cross_entropy(logits, tf.reshape(tf.transpose(targets), [-1]))
    optimizer = v1.train.AdamOptimizer(1e-3)
    pairs = optimizer.compute_gradients(loss)
    clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 5.0)
    optimizer.apply_gradients(
        zip(clipped, [v for _, v in pairs], strict=True), v1.train.get_or_create_global_step()
    )


def gan() -> None:
    noise = v1.placeholder(tf.float32, [None, 64], "z")
    real = v1.placeholder(tf.float32, [None, 784], "real")

    def generator(z):
        with v1.variable_scope("generator"):
            h = dense(z, 128, "fc1", tf.nn.relu)
            return dense(dense(h, 256, "fc2", tf.nn.relu), 784, "out", tf.tanh)

    def discriminator(x, reuse):
        with v1.variable_scope("discriminator", reuse=reuse):
            h = dense(x, 256, "fc1", tf.nn.leaky_relu)
            return dense(dense(h, 128, "fc2", tf.nn.leaky_relu), 1, "out")

    fake = generator(noise)
    on_real, on_fake = discriminator(real, False), discriminator(fake, True)

    def sce(logits, target):
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(labels=target * tf.ones_like(logits),
                                                    logits=logits))  # fmt: skip

    with v1.name_scope("d_loss"):
        d_loss = sce(on_real, 1.0) + sce(on_fake, 0.0)
    with v1.name_scope("g_loss"):
        g_loss = sce(on_fake, 1.0)
    of = v1.trainable_variables
    train(d_loss, v1.train.AdamOptimizer(2e-4, 0.5), of("discriminator"), "train_d")
    train(g_loss, v1.train.AdamOptimizer(2e-4, 0.5), of("generator"), "train_g")


def bert(layers: int = 4, width: int = 64, heads: int = 4, length: int = 32) -> None:
    ids = v1.placeholder(tf.int32, [None, length], "input_ids")
    mask = v1.placeholder(tf.float32, [None, length], "input_mask")
    labels = v1.placeholder(tf.int64, [None], "label_ids")
    each = width // heads
    with v1.variable_scope("bert"):
        with v1.variable_scope("embeddings"):
            words = v1.get_variable("word_embeddings", [3000, width])
            places = v1.get_variable("position_embeddings", [length, width])
            h = tf.nn.embedding_lookup(words, ids) + places
            h = tf.reshape(layer_norm(h, "LayerNorm"), [-1, width])
        with v1.variable_scope("encoder"):
            bias = (1.0 - mask[:, None, None, :]) * -10000.0
            for number in range(layers):
                with v1.variable_scope(f"layer_{number}"):
                    with v1.variable_scope("attention"):
                        with v1.variable_scope("self"):
                            q, k, v = (
                                tf.transpose(
                                    tf.reshape(dense(h, width, n), [-1, length, heads, each]),
                                    [0, 2, 1, 3],
                                )
                                for n in ("query", "key", "value")
                            )
                            weights = tf.nn.softmax(
                                tf.matmul(q, k, transpose_b=True) / each**0.5 + bias
                            )
                            mixed = tf.transpose(tf.matmul(weights, v), [0, 2, 1, 3])
                            mixed = tf.reshape(mixed, [-1, width])
                        with v1.variable_scope("output"):
                            h = layer_norm(dense(mixed, width, "dense") + h, "LayerNorm")
                    with v1.variable_scope("intermediate"):
                        wide = dense(h, 4 * width, "dense", tf.nn.gelu)
                    with v1.variable_scope("output"):
                        h = layer_norm(dense(wide, width, "dense") + h, "LayerNorm")
        with v1.variable_scope("pooler"):
            first = tf.reshape(h, [-1, length, width])[:, 0]
            pooled = dense(first, width, "dense", tf.tanh)
    loss = cross_entropy(dense(pooled, 2, "classifier"), labels)
    optimizer = v1.train.AdamOptimizer(1e-4)
    pairs = optimizer.compute_gradients(loss)
    clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 1.0)
    optimizer.apply_gradients(
        zip(clipped, [v for _, v in pairs], strict=True), v1.train.get_or_create_global_step()
    )


def queues() -> None:
    """As Estimators and tf.train of 2017 read: files, a reader, a shuffle queue, a batch queue."""
    files = v1.train.string_input_producer(["a.tfrecord", "b.tfrecord"])
    _, record = v1.TFRecordReader().read(files)
    parsed = v1.parse_single_example(
        record,
        {"x": v1.FixedLenFeature([20], tf.float32), "y": v1.FixedLenFeature([], tf.int64)},
    )
    x, y = v1.train.shuffle_batch([parsed["x"], parsed["y"]], 32, 1000, 100)
    with v1.variable_scope("dnn"):
        for number in range(3):
            with v1.variable_scope(f"hiddenlayer_{number}"):
                x = dense(x, 64, "dense", tf.nn.relu)
                v1.summary.scalar("fraction_of_zero_values", tf.nn.zero_fraction(x))
                v1.summary.histogram("activation", x)
    with v1.variable_scope("linear"):
        wide = dense(tf.one_hot(y, 5), 2, "w")
    loss = cross_entropy(dense(x, 2, "logits") + wide, y, "head")
    dnn, linear = v1.trainable_variables("dnn"), v1.trainable_variables("linear")
    train(loss, v1.train.AdagradOptimizer(0.05), dnn, "dnn_train")
    train(loss, v1.train.FtrlOptimizer(0.1), linear, "linear_train")


def towers() -> None:
    x = v1.placeholder(tf.float32, [64, 24, 24, 3], "images")
    y = v1.placeholder(tf.int64, [64], "labels")
    optimizer = v1.train.GradientDescentOptimizer(0.1)
    gradients = []
    for number, (part, label) in enumerate(zip(tf.split(x, 4), tf.split(y, 4), strict=True)):
        with (
            v1.name_scope(f"tower_{number}"),
            v1.variable_scope(v1.get_variable_scope(), reuse=number > 0),
        ):
            h = conv(conv(part, 16, 3, "conv1", 2), 32, 3, "conv2", 2)
            h = dense(tf.reshape(h, [-1, 6 * 6 * 32]), 64, "fc", tf.nn.relu)
            loss = cross_entropy(dense(h, 10, "softmax_linear"), label)
            gradients.append(optimizer.compute_gradients(loss))
    averaged = [
        (tf.reduce_mean(tf.stack([g for g, _ in pairs]), 0), pairs[0][1])
        for pairs in zip(*gradients, strict=True)
    ]
    apply = optimizer.apply_gradients(averaged, v1.train.get_or_create_global_step())
    average = tf.train.ExponentialMovingAverage(0.999)
    with v1.control_dependencies([apply]):
        average.apply(v1.trainable_variables())


def condition() -> None:
    x = v1.placeholder(tf.float32, [None, 16], "x")
    y = v1.placeholder(tf.float32, [None, 1], "y")
    training = v1.placeholder(tf.bool, [], "is_training")
    h = dense(x, 32, "body", tf.nn.relu)
    h = v1.cond(training, lambda: tf.nn.dropout(h, rate=0.5), lambda: h, name="dropout_or_not")
    with v1.variable_scope("experts"):
        h = v1.cond(
            tf.reduce_mean(h) > 0,
            lambda: dense(h, 8, "left", tf.nn.relu),
            lambda: dense(dense(h, 16, "right1", tf.nn.relu), 8, "right2", tf.tanh),
        )
    loss = tf.reduce_mean(tf.square(dense(h, 1, "out") - y), name="loss")
    train(loss, v1.train.GradientDescentOptimizer(0.1))


def in_functions(build: Callable[[], None]) -> Callable[[], None]:
    """Loops and conditions as While and If with functions, as TensorFlow 2 writes them."""

    def built() -> None:
        v1.enable_control_flow_v2()
        v1.enable_resource_variables()
        build()
        v1.disable_control_flow_v2()
        v1.disable_resource_variables()

    return built


def q_learning() -> None:
    state = v1.placeholder(tf.float32, [None, 84, 84, 4], "state")
    after = v1.placeholder(tf.float32, [None, 84, 84, 4], "next_state")
    action = v1.placeholder(tf.int32, [None], "action")
    reward = v1.placeholder(tf.float32, [None], "reward")

    def network(x, name):
        with v1.variable_scope(name):
            h = conv(conv(x, 16, 8, "conv1", 4), 32, 4, "conv2", 2)
            h = dense(tf.reshape(h, [-1, 11 * 11 * 32]), 256, "fc", tf.nn.relu)
            return dense(h, 6, "q")

    now, then = network(state, "q_network"), network(after, "target_network")
    wanted = reward + 0.99 * tf.reduce_max(tf.stop_gradient(then), 1)
    chosen = tf.reduce_sum(now * tf.one_hot(action, 6), 1)
    loss = tf.reduce_mean(tf.square(wanted - chosen), name="loss")
    train(loss, v1.train.RMSPropOptimizer(2.5e-4), v1.trainable_variables("q_network"))
    with v1.name_scope("copy"):
        for a, b in zip(
            v1.global_variables("q_network"), v1.global_variables("target_network"), strict=False
        ):
            v1.assign(b, a)


def unet() -> None:
    h = x = v1.placeholder(tf.float32, [None, 128, 128, 1], "image")
    mask = v1.placeholder(tf.float32, [None, 128, 128, 1], "mask")
    kept = []
    for level in range(3):
        with v1.variable_scope(f"down_{level}"):
            h = conv(conv(h, 16 << level, 3, "conv1"), 16 << level, 3, "conv2")
            kept.append(h)
            h = tf.nn.max_pool2d(h, 2, 2, "SAME")
    with v1.variable_scope("bottom"):
        h = conv(h, 128, 3, "conv")
    for level in (2, 1, 0):
        with v1.variable_scope(f"up_{level}"):
            filters = 16 << level
            kernel = v1.get_variable("deconv/kernel", [2, 2, filters, h.shape[-1]])
            size = tf.concat([tf.shape(x)[:1], [128 >> level, 128 >> level, filters]], 0)
            h = tf.nn.conv2d_transpose(h, kernel, size, 2)
            h = tf.concat([kept[level], tf.reshape(h, [-1, 128 >> level, 128 >> level, filters])],
                          3)  # fmt: skip
            h = conv(conv(h, filters, 3, "conv1"), filters, 3, "conv2")
    logits = conv(h, 1, 1, "head", activation=None)
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits))
    train(loss, v1.train.AdamOptimizer())


def two_tower_recommender() -> None:
    """Many inputs, one embedding each, as feature columns write them."""
    made = []
    with v1.variable_scope("input_layer"):
        for number, name in enumerate(["user", "item", "country", "device", "language", "hour"]):
            ids = v1.placeholder(tf.int64, [None], name)
            with v1.variable_scope(f"{name}_embedding"):
                table = v1.get_variable("embedding_weights", [100 * (number + 1), 8])
                made.append(tf.nn.embedding_lookup(table, ids))
        h = tf.concat(made, 1)
    label = v1.placeholder(tf.float32, [None, 1], "clicked")
    cross, deep = h, h
    with v1.variable_scope("cross"):
        for number in range(3):
            with v1.variable_scope(f"layer_{number}"):
                w = v1.get_variable("w", [48, 1])
                b = v1.get_variable("b", [48])
                cross = h * tf.matmul(cross, w) + b + cross
    with v1.variable_scope("deep"):
        for number in range(3):
            deep = dense(deep, 64, f"fc{number}", tf.nn.relu)
    logits = dense(tf.concat([cross, deep], 1), 1, "logits")
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=logits))
    train(loss, v1.train.AdagradOptimizer(0.1))


def no_scopes() -> None:
    """A first program: no scopes, default names."""
    x, y = v1.placeholder(tf.float32, [None, 28, 28, 1]), v1.placeholder(tf.float32, [None, 10])
    w = [v1.Variable(tf.zeros(s)) for s in ([5, 5, 1, 8], [5, 5, 8, 16], [784, 64], [64, 10])]
    b = [v1.Variable(tf.zeros([s])) for s in (8, 16, 64, 10)]
    h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, w[0], 1, "SAME") + b[0]), 2, 2, "SAME")
    h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(h, w[1], 1, "SAME") + b[1]), 2, 2, "SAME")
    h = tf.nn.relu(tf.matmul(tf.reshape(h, [-1, 784]), w[2]) + b[2])
    p = tf.nn.softmax(tf.matmul(h, w[3]) + b[3])
    loss = tf.reduce_mean(-tf.reduce_sum(y * v1.log(p), 1))
    v1.train.GradientDescentOptimizer(0.5).minimize(loss)


MODELS: dict[str, Callable[[Path], None]] = {
    **{
        build.__name__: in_meta(build)
        for build in (mlp, cnn, inception, lstm, gan, bert, queues, towers, condition,
                      q_learning, unet, two_tower_recommender, no_scopes)
    },
    "cnn_new": in_meta(lambda: cnn(is_new=True)),
    "lstm_functions": in_meta(in_functions(lstm)),
    "condition_functions": in_meta(in_functions(condition)),
    "frozen": frozen,
    "saved_tf2": saved_tf2,
    "keras_model": keras_model,
    "keras_lstm": keras_lstm,
}  # fmt: skip


def main(out: Path, names: list[str]) -> None:
    v1.disable_control_flow_v2()
    v1.disable_resource_variables()
    for name in names or list(MODELS):
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        v1.reset_default_graph()
        MODELS[name](folder)
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

"""TF1 wirings of the third batch: each is built twice, under two namings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def point_net(net: Net, train: bool) -> Any:
    """PointNet: transform nets for points and features, a shared perceptron, a classifier."""
    x = holder("points", 2, 6, 3)

    def transform(role: str, h: Any, width: int) -> Any:
        y = h
        for i, units in enumerate((6, 8)):
            y = relu(
                net.batch_norm(
                    f"{role}/mlp/{i}/norm", net.dense(f"{role}/mlp/{i}", y, units), train
                )
            )
        y = net.dense(f"{role}/fc", tf.reduce_max(y, 1), 6, relu)
        matrix = net.dense(f"{role}/out", y, width * width)
        return tf.matmul(h, tf.reshape(matrix, (2, width, width)))

    x = transform("tnet/input", x, 3)
    x = relu(net.batch_norm("mlp/0/norm", net.dense("mlp/0", x, 4), train))
    x = transform("tnet/feature", x, 4)
    for i, units in enumerate((6, 8), 1):
        x = relu(net.batch_norm(f"mlp/{i}/norm", net.dense(f"mlp/{i}", x, units), train))
    x = tf.reduce_max(x, 1)
    for i in range(2):
        x = net.dense(f"head/{i}", x, 6, relu)
    return net.dense("head/2", x, 4)


def mlp_mixer(net: Net, train: bool) -> Any:
    """MLP-Mixer: token and channel perceptrons, two norms of one shape a block."""
    x = net.conv("stem", holder("image", 2, 16, 16, 3), 8, 4, 4)
    x = tf.reshape(x, (2, 16, 8))
    for i in range(4):
        h = tf.transpose(net.layer_norm(f"block/{i}/norm/token", x), (0, 2, 1))
        h = net.dense(
            f"block/{i}/token/out", net.dense(f"block/{i}/token/in", h, 12, tf.nn.elu), 16
        )
        x = x + tf.transpose(h, (0, 2, 1))
        h = net.layer_norm(f"block/{i}/norm/channel", x)
        h = net.dense(f"block/{i}/channel/in", h, 16, tf.nn.elu)
        x = x + net.dense(f"block/{i}/channel/out", h, 8)
    return net.dense("head", tf.reduce_mean(net.layer_norm("norm", x), 1), 5)


def tacotron(net: Net, train: bool) -> Any:
    """CBHG: a bank of convolutions, projections, highways, a bidirectional GRU."""
    x = net.embed("characters", holder("text", 2, 6, dtype=tf.int32), 13, 8)
    for i in range(2):
        x = net.dense(f"prenet/{i}", x, 8, relu)
    bank = tf.concat([net.conv(f"cbhg/bank/{k}", x, 4, k, act=relu) for k in range(1, 5)], -1)
    h = net.conv("cbhg/project/1", net.conv("cbhg/project/0", bank, 8, act=relu), 8)
    x = x + h
    for i in range(3):
        gate = net.dense(f"cbhg/highway/{i}/gate", x, 8, tf.sigmoid)
        x = gate * net.dense(f"cbhg/highway/{i}/plain", x, 8, relu) + (1 - gate) * x
    steps = tf.unstack(x, axis=1)
    forward = net.gru("cbhg/forward", steps, 6)
    backward = net.gru("cbhg/backward", steps[::-1], 6)[::-1]
    both = [tf.concat(pair, -1) for pair in zip(forward, backward, strict=True)]
    return net.dense("mel", tf.stack(both, 1), 7)


def style_generator(net: Net, train: bool) -> Any:
    """Mapping network and synthesis blocks with a style for each of two convolutions."""
    w = holder("z", 2, 8)
    for i in range(4):
        w = net.dense(f"mapping/{i}", w, 8, tf.nn.leaky_relu)
    x = tf.tile(net.var("constant", (1, 4, 4, 8)), (2, 1, 1, 1))
    for i in range(3):
        if i:
            x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
        for j in range(2):
            x = tf.nn.leaky_relu(net.conv(f"block/{i}/conv/{j}", x, 8))
            style = net.dense(f"block/{i}/style/{j}", w, 16)[:, None, None]
            scale, shift = tf.split(style, 2, -1)
            x = x * (scale + 1) + shift
        image = net.conv(f"block/{i}/rgb", x, 3, 1)
    return image


def relation_network(net: Net, train: bool) -> Any:
    """Two sentence encoders with shared weights, a pairwise perceptron, a sum, a classifier."""
    tables = [holder(f"sentence_{i}", 2, 4, dtype=tf.int32) for i in range(2)]
    sides = []
    for ids in tables:
        steps = tf.unstack(net.embed("words", ids, 14, 6), axis=1)
        sides.append(tf.stack(net.lstm("encoder", steps, 6), 1))
    pairs = tf.concat([tf.repeat(sides[0], 4, 1), tf.tile(sides[1], (1, 4, 1))], -1)
    for i in range(4):
        pairs = net.dense(f"pair/{i}", pairs, 12, relu)
    x = tf.reduce_sum(pairs, 1)
    for i in range(2):
        x = net.dense(f"judge/{i}", x, 12, relu)
    return net.dense("judge/2", x, 3)


def faster_rcnn(net: Net, train: bool) -> Any:
    """Backbone, region proposals and a second stage with like heads."""
    x = holder("image", 2, 16, 16, 3)
    for i in range(4):
        for j in range(2):
            x = net.conv(f"backbone/{i}/{j}", x, 6 + 2 * i, act=relu)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME") if i < 2 else x
    proposal = net.conv("rpn/conv", x, 12, act=relu)
    scores = net.conv("rpn/class", proposal, 6, 1)
    boxes = net.conv("rpn/box", proposal, 12, 1)
    pooled = tf.reduce_mean(x, [1, 2])
    for i in range(2):
        pooled = net.dense(f"roi/fc/{i}", pooled, 12, relu)
    return [scores, boxes, net.dense("roi/class", pooled, 5), net.dense("roi/box", pooled, 20)]


def conditional_batch(net: Net, train: bool) -> Any:
    """Inner product network over fields, two embedding families of like tables."""
    ids = [holder(f"field_{i}", 3, dtype=tf.int32) for i in range(4)]
    wide = tf.add_n([net.embed(f"linear/{i}", one, 10, 1) for i, one in enumerate(ids)])
    latent = [net.embed(f"latent/{i}", one, 10, 6) for i, one in enumerate(ids)]
    total = tf.add_n(latent)
    crossed = tf.square(total) - tf.add_n([tf.square(one) for one in latent])
    x = tf.concat(latent, -1)
    for i in range(3):
        x = relu(net.batch_norm(f"deep/{i}/norm", net.dense(f"deep/{i}", x, 16), train))
    out = net.dense("out", tf.concat([crossed, x], -1), 1)
    return out + wide


def two_stream(net: Net, train: bool) -> Any:
    """Two streams of one architecture for images and flow: only their input widths differ."""
    outputs = []
    for stream, width in (("image", 3), ("flow", 4)):
        x = holder(stream, 2, 16, 16, width)
        for i in range(4):
            x = net.conv(f"{stream}/{i}", x, 8, stride=2, bias=False)
            x = relu(net.batch_norm(f"{stream}/{i}/norm", x, train))
        outputs.append(net.dense(f"{stream}/fc", tf.reduce_mean(x, [1, 2]), 8, relu))
    return net.dense("fusion", tf.concat(outputs, -1), 6)

"""TF1 wirings of the seventh batch: graphs, series, and what nobody can tell apart."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def mesh_graph(net: Net, train: bool) -> Any:
    """MeshGraphNets: encode, process edges and nodes in turn, decode; all are like perceptrons."""
    nodes, edges = holder("nodes", 6, 5), holder("edges", 9, 4)
    senders = tf.constant([0, 1, 2, 3, 4, 5, 0, 2, 4])
    receivers = tf.constant([1, 2, 3, 4, 5, 0, 3, 5, 1])

    def perceptron(role: str, x: Any, units: int = 8, norm: bool = True) -> Any:
        for i in range(2):
            x = net.dense(f"{role}/{i}", x, 8, relu)
        x = net.dense(f"{role}/2", x, units)
        return net.layer_norm(f"{role}/norm", x) if norm else x

    h, e = perceptron("encode/node", nodes), perceptron("encode/edge", edges)
    for i in range(4):
        ends = [tf.gather(h, senders), tf.gather(h, receivers)]
        new = perceptron(f"process/{i}/edge", tf.concat([*ends, e], -1))
        total = tf.math.unsorted_segment_sum(new, receivers, 6)
        h = h + perceptron(f"process/{i}/node", tf.concat([h, total], -1))
        e = e + new
    return perceptron("decode", h, 3, False)


def diff_pool(net: Net, train: bool) -> Any:
    """DiffPool: one stack of graph convolutions embeds, its twin assigns nodes to clusters."""
    x, adjacency = holder("features", 2, 8, 6), holder("adjacency", 2, 8, 8)
    pooled = []
    for level in range(3):

        def stack(role: str, h: Any, around: Any = adjacency, level: int = level) -> Any:
            for i in range(3):
                h = net.dense(f"{level}/{role}/{i}", tf.matmul(around, h), 6)
                h = relu(h) if i < 2 else h
            return h

        z = stack("embed", x)
        pooled.append(tf.reduce_max(z, 1))
        if level == 2:
            break
        share = tf.nn.softmax(stack("assign", x), -1)
        x = tf.matmul(share, z, transpose_a=True)
        adjacency = tf.matmul(tf.matmul(share, adjacency, transpose_a=True), share)
    h = net.dense("predict/0", tf.concat(pooled, -1), 10, relu)
    return net.dense("predict/1", h, 4)


def traffic_recurrent(net: Net, train: bool) -> Any:
    """DCRNN: diffusion-convolutional GRU cells, two for the past and two for the future."""
    support = holder("support", 4, 4)

    def diffuse(role: str, x: Any, units: int, act: Any) -> Any:
        one = tf.einsum("nm,bmf->bnf", support, x)
        two = 2.0 * tf.einsum("nm,bmf->bnf", support, one) - x
        return net.dense(role, tf.concat([x, one, two], -1), units, act)

    def cell(role: str, x: Any, state: Any) -> Any:
        both = diffuse(f"{role}/gates", tf.concat([x, state], -1), 12, tf.sigmoid)
        reset, update = tf.split(both, 2, -1)
        new = diffuse(f"{role}/candidate", tf.concat([x, reset * state], -1), 6, tf.tanh)
        return update * state + (1 - update) * new

    states = [tf.zeros((2, 4, 6))] * 2
    for x in tf.unstack(holder("past", 2, 3, 4, 1), axis=1):
        for i in range(2):
            states[i] = x = cell(f"encoder/{i}", x, states[i])
    x, outputs = tf.zeros((2, 4, 1)), []
    for _ in range(2):
        for i in range(2):
            states[i] = x = cell(f"decoder/{i}", x, states[i])
        x = net.dense("projection", x, 1)
        outputs.append(x)
    return tf.stack(outputs, 1)


def traffic_convolutional(net: Net, train: bool) -> Any:
    """STGCN: gated convolutions over time around one over the roads, layer norms between."""
    x, kernel = holder("past", 2, 8, 4, 1), holder("kernel", 4, 4)

    def over_time(role: str, h: Any, width: int) -> Any:
        plain, gate = tf.split(net.conv(role, h, 2 * width), 2, -1)
        return plain * tf.sigmoid(gate)

    for i in range(2):
        h = over_time(f"block/{i}/time/0", x, 8)
        spread = tf.concat([h, tf.einsum("nm,btmf->btnf", kernel, h)], -1)
        h = relu(net.dense(f"block/{i}/space", spread, 8) + h)
        h = over_time(f"block/{i}/time/1", h, 8)
        x = net.layer_norm(f"block/{i}/norm", h)
    x = net.layer_norm("out/norm", over_time("out/time/0", x, 8))
    x = tf.sigmoid(net.conv("out/time/1", x, 8))
    return net.conv("out/fc", tf.reduce_mean(x, 1, keepdims=True), 1, 1)


def interactive_series(net: Net, train: bool) -> Any:
    """SCINet: halves of a series scale and shift each other; four nets of one form do it."""
    x = first = holder("series", 2, 16, 6)

    def part(role: str, h: Any) -> Any:
        h = tf.nn.leaky_relu(net.conv(f"{role}/0", h, 6, 5))
        return tf.tanh(net.conv(f"{role}/1", h, 6))

    def split(at: str, h: Any, depth: int) -> Any:
        even, odd = h[:, ::2], h[:, 1::2]
        odd_now = odd * tf.exp(part(f"{at}/phi", even))
        even_now = even * tf.exp(part(f"{at}/psi", odd))
        even = even_now + part(f"{at}/up", odd_now)
        odd = odd_now - part(f"{at}/down", even_now)
        if depth:
            even, odd = split(f"{at}0", even, depth - 1), split(f"{at}1", odd, depth - 1)
        both = tf.stack([even, odd], 2)
        return tf.reshape(both, (2, -1, 6))

    x = first + split("t", x, 1)
    return net.conv("project", tf.transpose(x, (0, 2, 1)), 4, 1)


def inception_time(net: Net, train: bool) -> Any:
    """InceptionTime: modules of five convolutions, a shortcut after each third."""
    x = kept = holder("series", 2, 12, 3)
    for i in range(6):
        h = net.conv(f"module/{i}/bottleneck", x, 4, 1, bias=False)
        parts = [
            net.conv(f"module/{i}/conv/{k}", h, 4, size, bias=False)
            for k, size in enumerate((9, 5, 3))
        ]
        pooled = tf.nn.max_pool1d(x, 3, 1, "SAME")
        parts.append(net.conv(f"module/{i}/pooled", pooled, 4, 1, bias=False))
        x = relu(net.batch_norm(f"module/{i}/norm", tf.concat(parts, -1), train))
        if i % 3 == 2:
            side = net.conv(f"shortcut/{i // 3}", kept, 16, 1, bias=False)
            x = kept = relu(net.batch_norm(f"shortcut/{i // 3}/norm", side, train) + x)
    return net.dense("classes", tf.reduce_mean(x, 1), 5)


def peers(net: Net, train: bool) -> Any:
    """Co-teaching: two peers of one form see the same pictures; each has its own logits."""
    image = holder("image", 2, 16, 16, 3)
    outputs = []
    for peer in "ab":
        x = image
        for i in range(4):
            x = net.conv(f"peer/{peer}/{i}", x, 8, stride=1 + i % 2, bias=False)
            x = tf.nn.leaky_relu(net.batch_norm(f"peer/{peer}/{i}/norm", x, train))
        outputs.append(net.dense(f"peer/{peer}/logits", tf.reduce_mean(x, [1, 2]), 5))
    return outputs if train else outputs[0] + outputs[1]


def undirected_links(net: Net, train: bool) -> Any:
    """Link scores of an undirected graph: two encoders whose product is made symmetric."""
    x, adjacency = holder("features", 7, 5), holder("adjacency", 7, 7)
    h = relu(net.dense("shared/0", tf.matmul(adjacency, x), 8))
    h = relu(net.dense("shared/1", tf.matmul(adjacency, h), 8))
    ends = []
    for end in "ab":
        z = relu(net.dense(f"end/{end}/0", tf.matmul(adjacency, h), 8))
        ends.append(net.dense(f"end/{end}/1", z, 6))
    scores = tf.matmul(ends[0], ends[1], transpose_b=True)
    scores = 0.5 * (scores + tf.transpose(scores))
    return scores * net.var("temperature", ()) + net.var("prior", ())


def parallel_paths(net: Net, train: bool) -> Any:
    """ResNeXt written path by path: like paths are summed in every block."""
    x = holder("image", 2, 8, 8, 8)
    for i in range(3):
        ends = []
        for path in "ab":
            at = f"block/{i}/path/{path}"
            h = relu(
                net.batch_norm(f"{at}/0/norm", net.conv(f"{at}/0", x, 4, 1, bias=False), train)
            )
            h = relu(net.batch_norm(f"{at}/1/norm", net.conv(f"{at}/1", h, 4, bias=False), train))
            ends.append(net.conv(f"{at}/2", h, 8, 1, bias=False))
        total = net.batch_norm(f"block/{i}/norm", ends[0] + ends[1], train)
        x = relu(x + total)
    return net.dense("logits", tf.reduce_mean(x, [1, 2]), 5)


def region_detector(net: Net, train: bool, masks: bool) -> Any:
    """Pyramid, proposals, boxes; with masks: the branch that Mask R-CNN adds, and new classes."""
    x = holder("image", 1, 32, 32, 3)
    kept = []
    for i, width in enumerate((8, 12, 16, 20)):
        for j in range(2):
            x = net.conv(f"body/{i}/{j}", x, width, stride=2 if j == 0 else 1, bias=False)
            x = relu(net.batch_norm(f"body/{i}/{j}/norm", x, train))
        kept.append(x)
    top: Any = None
    levels = []
    for i in (3, 2, 1):
        side = net.conv(f"pyramid/{i}/side", kept[i], 8, 1)
        top = side if top is None else side + tf.repeat(tf.repeat(top, 2, 1), 2, 2)
        levels.append(net.conv(f"pyramid/{i}/out", top, 8))
    outputs = []
    for level in levels:
        h = net.conv("proposals/shared", level, 10, act=relu)
        outputs.append(net.conv("proposals/class", h, 6, 1))
        outputs.append(net.conv("proposals/box", h, 12, 1))
    region = tf.image.resize(levels[-1], (4, 4))
    h = tf.reshape(region, (1, 128))
    for i in range(2):
        h = net.dense(f"boxes/{i}", h, 16, relu)
    classes = 5 if masks else 9
    if not masks:
        return [*outputs, net.dense("boxes/delta", h, 4), net.dense("boxes/class", h, classes)]
    late = [net.dense("boxes/delta", h, 4), net.dense("boxes/new_class", h, classes)]
    for i in range(3):
        region = relu(net.conv(f"masks/{i}", region, 8))
    region = net.deconv("masks/up", region, 8, 2, act=relu)
    return [*outputs, *late, net.conv("masks/out", region, classes, 1, act=tf.sigmoid)]

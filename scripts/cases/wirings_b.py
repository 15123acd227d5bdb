"""TF1 wirings of the second batch: each is built twice, under two namings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def graph_attention(net: Net, train: bool) -> Any:
    """GAT: for every head a kernel and two attention vectors of one shape."""
    x, adjacency = holder("nodes", 6, 8), holder("adjacency", 6, 6)
    for i in range(3):
        heads = []
        for j in range(4):
            h = net.dense(f"layer/{i}/head/{j}/project", x, 2, bias=False)
            mine = net.dense(f"layer/{i}/head/{j}/self", h, 1, bias=False)
            other = net.dense(f"layer/{i}/head/{j}/neighbour", h, 1, bias=False)
            energy = tf.nn.leaky_relu(mine + tf.transpose(other)) - 9.0 * adjacency
            heads.append(tf.matmul(tf.nn.softmax(energy), h))
        x = tf.nn.elu(tf.concat(heads, -1) + net.var(f"layer/{i}/bias", (8,)))
    return net.dense("readout", x, 3)


def hourglass(net: Net, train: bool) -> Any:
    """Hourglass: levels down and up around a bottom, all of one width."""
    x = net.conv("stem", holder("image", 2, 16, 16, 3), 6, act=relu)
    for stack in range(2):
        skips, h = [], x
        for i in range(3):
            skips.append(net.conv(f"stack/{stack}/skip/{i}", h, 6, act=relu))
            h = tf.nn.max_pool2d(h, 2, 2, "SAME")
            h = net.conv(f"stack/{stack}/down/{i}", h, 6, act=relu)
        h = net.conv(f"stack/{stack}/bottom", h, 6, act=relu)
        for i in reversed(range(3)):
            h = net.conv(f"stack/{stack}/up/{i}", h, 6, act=relu)
            h = tf.repeat(tf.repeat(h, 2, 1), 2, 2) + skips[i]
        x = x + net.conv(f"stack/{stack}/merge", h, 6, 1)
    return net.conv("heatmap", x, 4, 1)


def pyramid_heads(net: Net, train: bool) -> Any:
    """A feature pyramid with shared box and class towers of one shape."""
    x = net.conv("stem", holder("image", 2, 32, 32, 3), 8, stride=2, act=relu)
    stages = []
    for i in range(3):
        x = net.conv(f"stage/{i}", x, 8, stride=2, act=relu)
        stages.append(x)
    top, maps = None, []
    for i in reversed(range(3)):
        side = net.conv(f"lateral/{i}", stages[i], 8, 1)
        top = side if top is None else side + tf.repeat(tf.repeat(top, 2, 1), 2, 2)
        maps.append(net.conv(f"smooth/{i}", top, 8))
    outputs = []
    for level in maps:
        for tower, out in (("class", 20), ("box", 16)):
            h = level
            for j in range(3):
                h = net.conv(f"{tower}/tower/{j}", h, 8, act=relu)
            outputs.append(net.conv(f"{tower}/predict", h, out))
    return outputs


def deep_speech(net: Net, train: bool) -> Any:
    """Convolutions, bidirectional LSTMs, two dense layers: directions have one shape."""
    x = holder("spectrogram", 2, 8, 6, 1)
    for i in range(2):
        x = net.batch_norm(f"conv/{i}/norm", net.conv(f"conv/{i}", x, 4, act=relu), train)
    steps = tf.unstack(tf.reshape(x, (2, 8, 24)), axis=1)
    for i in range(3):
        forward = net.lstm(f"rnn/{i}/forward", steps, 12)
        backward = net.lstm(f"rnn/{i}/backward", steps[::-1], 12)[::-1]
        steps = [tf.concat(pair, -1) for pair in zip(forward, backward, strict=True)]
    h = net.dense("dense/0", tf.stack(steps, 1), 24, relu)
    return net.dense("dense/1", h, 9)


def mixture_of_experts(net: Net, train: bool) -> Any:
    """MMoE: experts of one shape; a gate and a tower for each task."""
    x = tf.concat(
        [
            net.embed(f"field/{i}", holder(f"field_{i}", 3, dtype=tf.int32), 9 + i, 4)
            for i in range(3)
        ],
        -1,
    )
    experts = tf.stack([net.dense(f"expert/{i}", x, 8, relu) for i in range(4)], 1)
    outputs = []
    for task in ("click", "buy"):
        gate = tf.nn.softmax(net.dense(f"gate/{task}", x, 4, bias=False))
        mixed = tf.reduce_sum(experts * gate[..., None], 1)
        h = net.dense(f"tower/{task}/0", mixed, 6, relu)
        outputs.append(net.dense(f"tower/{task}/1", h, 1))
    return outputs


def nested_unet(net: Net, train: bool) -> Any:
    """UNet++: a triangle of blocks, two convolutions each."""
    widths = (4, 6, 8, 10)
    cells: dict[tuple[int, int], Any] = {}

    def block(i: int, j: int, x: Any) -> None:
        for k in range(2):
            x = net.conv(f"cell/{i}/{j}/conv/{k}", x, widths[i], bias=False)
            x = relu(net.batch_norm(f"cell/{i}/{j}/norm/{k}", x, train))
        cells[i, j] = x

    image = holder("image", 2, 16, 16, 3)
    for i in range(4):
        block(i, 0, image if i == 0 else tf.nn.max_pool2d(cells[i - 1, 0], 2, 2, "SAME"))
        for j in range(1, i + 1):
            row = i - j
            up = tf.repeat(tf.repeat(cells[row + 1, j - 1], 2, 1), 2, 2)
            block(row, j, tf.concat([*(cells[row, k] for k in range(j)), up], -1))
    return net.conv("final", cells[0, 3], 2, 1)


def reading(net: Net, train: bool) -> Any:
    """BiDAF-like reader: shared contextual layer, attention, two modelling layers, two pointers."""
    words = holder("passage", 2, 5, dtype=tf.int32), holder("question", 2, 4, dtype=tf.int32)
    sides = []
    for ids in words:
        steps = tf.unstack(net.embed("words", ids, 17, 6), axis=1)
        both = [net.lstm(f"context/{d}", steps[::s], 6)[::s] for d, s in (("fw", 1), ("bw", -1))]
        sides.append(tf.concat([tf.stack(one, 1) for one in both], -1))
    passage, question = sides
    match = net.dense("similarity", passage, 12, bias=False)
    weights = tf.nn.softmax(tf.matmul(match, question, transpose_b=True))
    h = tf.concat([passage, tf.matmul(weights, question)], -1)
    for i in range(2):
        steps = tf.unstack(h, axis=1)
        both = [net.lstm(f"model/{i}/{d}", steps[::s], 6)[::s] for d, s in (("fw", 1), ("bw", -1))]
        h = tf.concat([tf.stack(one, 1) for one in both], -1)
    start = net.dense("start", h, 1)
    end = net.dense("end", h * tf.sigmoid(start), 1)
    return [start, end]


def memory_network(net: Net, train: bool) -> Any:
    """End-to-end memory network: input and output memories of one shape at every hop."""
    story, question = holder("story", 2, 4, dtype=tf.int32), holder("question", 2, dtype=tf.int32)
    state = net.embed("query", question, 15, 8)
    for i in range(3):
        keys = net.embed(f"hop/{i}/input", story, 15, 8)
        values = net.embed(f"hop/{i}/output", story, 15, 8)
        weights = tf.nn.softmax(tf.reduce_sum(keys * state[:, None], -1))
        read = tf.reduce_sum(values * weights[..., None], 1)
        state = net.dense(f"hop/{i}/linear", state, 8, bias=False) + read
    return net.dense("answer", state, 15, bias=False)

"""Wirings of the sixth batch: text and speech."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu


def ids(name: str, *shape: int) -> Any:
    """Return a placeholder of row numbers."""
    return holder(name, *shape, dtype=tf.int32)


def turn(net: Net, role: str, steps: list[Any], units: int) -> list[Any]:
    """Run an LSTM from the end and return its states in the order of the input."""
    return net.lstm(role, steps[::-1], units)[::-1]


def both_ways(net: Net, role: str, steps: list[Any], units: int) -> list[Any]:
    """Run two LSTMs and join their states."""
    ahead, back = net.lstm(f"{role}/ahead", steps, units), turn(net, f"{role}/back", steps, units)
    return [tf.concat(pair, -1) for pair in zip(ahead, back, strict=True)]


def inference_model(net: Net, train: bool) -> Any:
    """ESIM: one encoder for both sentences, soft alignment, composition, pooling."""
    sides = []
    for name in ("premise", "hypothesis"):
        x = net.embed("embed", ids(name, 2, 4), 30, 8)
        sides.append(tf.stack(both_ways(net, "encode", tf.unstack(x, axis=1), 6), 1))
    first, second = sides
    scores = tf.matmul(first, second, transpose_b=True)
    aligned = (
        tf.matmul(tf.nn.softmax(scores), second),
        tf.matmul(tf.nn.softmax(tf.transpose(scores, (0, 2, 1))), first),
    )
    pooled = []
    for x, y in zip(sides, aligned, strict=True):
        h = net.dense("project", tf.concat([x, y, x - y, x * y], -1), 8, relu)
        h = tf.stack(both_ways(net, "compose", tf.unstack(h, axis=1), 6), 1)
        pooled += [tf.reduce_mean(h, 1), tf.reduce_max(h, 1)]
    h = net.dense("hidden", tf.concat(pooled, -1), 12, tf.tanh)
    return net.dense("logits", h, 3)


def attend(net: Net, role: str, steps: list[Any]) -> Any:
    """Weigh states by a context vector."""
    x = tf.stack(steps, 1)
    hidden = net.dense(f"{role}/hidden", x, 12, tf.tanh)
    context = net.var(f"{role}/context", (12,), "attention")
    return tf.reduce_sum(x * tf.nn.softmax(tf.reduce_sum(hidden * context, -1), 1)[..., None], 1)


def hierarchy(net: Net, train: bool) -> Any:
    """HAN: words make sentences, sentences make a document; both levels have one form."""
    x = net.embed("words", ids("document", 2, 3, 4), 30, 12)
    sentences = []
    for sentence in tf.unstack(x, axis=1):
        steps = tf.unstack(sentence, axis=1)
        ahead, back = net.gru("word/ahead", steps, 6), net.gru("word/back", steps[::-1], 6)[::-1]
        joined = [tf.concat(pair, -1) for pair in zip(ahead, back, strict=True)]
        sentences.append(attend(net, "word/attend", joined))
    ahead = net.gru("sentence/ahead", sentences, 6)
    back = net.gru("sentence/back", sentences[::-1], 6)[::-1]
    joined = [tf.concat(pair, -1) for pair in zip(ahead, back, strict=True)]
    return net.dense("classify", attend(net, "sentence/attend", joined), 5)


def pointer(net: Net, train: bool) -> Any:
    """A summarizer that mixes a vocabulary with the words of the article."""
    x = net.embed("embed", ids("article", 2, 5), 20, 8)
    states = tf.stack(both_ways(net, "encode", tf.unstack(x, axis=1), 8), 1)
    keys = net.dense("attend/memory", states, 16, bias=False)
    c = net.dense("reduce/cell", states[:, -1], 8, relu)
    h = net.dense("reduce/state", states[:, -1], 8, relu)
    context, outputs = tf.zeros((2, 16)), []
    for word in tf.unstack(net.embed("embed", ids("summary", 2, 3), 20, 8), axis=1):
        joined = net.dense("decode/input", tf.concat([word, context], -1), 8)
        i, j, f, o = tf.split(net.dense("decode/cell", tf.concat([joined, h], -1), 32), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        query = net.dense("attend/query", tf.concat([c, h], -1), 16)
        energy = tf.tanh(keys + query[:, None]) * net.var("attend/score", (16,), "attention")
        share = tf.nn.softmax(tf.reduce_sum(energy, -1), 1)
        context = tf.reduce_sum(states * share[..., None], 1)
        copy = tf.sigmoid(net.dense("copy", tf.concat([context, c, h, joined], -1), 1))
        h_out = net.dense("output", tf.concat([h, context], -1), 8)
        words = tf.nn.softmax(net.dense("vocabulary", h_out, 20))
        outputs += [copy * words, (1 - copy) * share]
    return outputs


def listen_spell(net: Net, train: bool) -> Any:
    """LAS: a pyramid of layers in both directions halves the time; a speller attends."""
    steps = tf.unstack(holder("filterbanks", 2, 8, 12), axis=1)
    for i in range(3):
        steps = both_ways(net, f"listen/{i}", steps, 6)
        if i < 2:
            steps = [tf.concat(steps[j : j + 2], -1) for j in range(0, len(steps), 2)]
            steps = [net.dense(f"listen/{i}/project", x, 12, tf.tanh) for x in steps]
    memory = tf.stack(steps, 1)
    keys = net.dense("attend/key", memory, 8)
    letters = tf.unstack(net.embed("letters", ids("spelling", 2, 3), 20, 8), axis=1)
    outputs = []
    for h in net.lstm("spell", letters, 8):
        share = tf.nn.softmax(tf.reduce_sum(keys * net.dense("attend/query", h, 8)[:, None], -1))
        context = tf.reduce_sum(memory * share[..., None], 1)
        outputs.append(net.dense("letter", tf.concat([h, context], -1), 20))
    return tf.stack(outputs, 1)


def separation(net: Net, train: bool) -> Any:
    """Conv-TasNet: coder, dilated blocks with skips, masks for two speakers, decoder."""

    def norm(role: str, x: Any) -> Any:
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        gamma, beta = (net.var(f"{role}/{leaf}", (x.shape[-1],), "norm") for leaf in ("g", "b"))
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-8)

    def prelu(role: str, x: Any) -> Any:
        return tf.maximum(x, 0.0) + net.var(f"{role}/alpha", (1,), "prelu") * tf.minimum(x, 0.0)

    mixed = relu(net.conv("coder", holder("mixture", 2, 16, 1), 12, 4, 2, bias=False))
    x, skips = net.conv("bottleneck", norm("norm", mixed), 8, 1), 0.0
    for i in range(2):
        for j in range(3):
            role = f"block/{i}/{j}"
            h = norm(f"{role}/0", prelu(f"{role}/0", net.conv(f"{role}/in", x, 10, 1)))
            kernel = net.var(f"{role}/depth/kernel", (3, 1, 10, 1), "depthwise")
            with net.ops_of(f"{role}/depth", "depthwise"):
                h = tf.nn.depthwise_conv2d(
                    h[:, :, None], kernel, (1, 1, 1, 1), "SAME", dilations=(2**j, 1)
                )[:, :, 0]
                h = h + net.var(f"{role}/depth/bias", (10,), "depthwise")
            h = norm(f"{role}/1", prelu(f"{role}/1", h))
            x = x + net.conv(f"{role}/residual", h, 8, 1)
            skips = skips + net.conv(f"{role}/skip", h, 8, 1)
    masks = tf.sigmoid(net.conv("mask", prelu("end", skips), 24, 1))
    masks = tf.reshape(masks, (2, 8, 2, 12))
    return net.dense("decoder", mixed[:, :, None] * masks, 4, bias=False)


def time_delay(net: Net, train: bool) -> Any:
    """x-vectors: dilated frames, statistics, two layers of a segment."""
    x = holder("mfcc", 2, 24, 10)
    for i, (size, rate) in enumerate(((5, 1), (3, 2), (3, 3), (1, 1), (1, 1))):
        x = net.conv(f"frame/{i}", x, 20 if i == 4 else 12, size, dilation=rate)
        x = net.batch_norm(f"frame/{i}/norm", relu(x), train)
    mean, variance = tf.nn.moments(x, [1])
    x = tf.concat([mean, tf.sqrt(variance + 1e-5)], -1)
    for i in range(2):
        x = net.batch_norm(f"segment/{i}/norm", relu(net.dense(f"segment/{i}", x, 12)), train)
    return net.dense("speaker", x, 7)


def sound_vgg(net: Net, train: bool) -> Any:
    """VGGish: a small VGG over a spectrogram and three dense layers."""
    x = holder("log_mel", 2, 32, 16, 1)
    for i, (count, width) in enumerate(((1, 8), (1, 12), (2, 16), (2, 16))):
        for j in range(count):
            x = net.conv(f"body/{i}/{j}", x, width, act=relu)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
    x = tf.reshape(x, (2, 32))
    for i, width in enumerate((32, 32, 16)):
        x = net.dense(f"head/{i}", x, width, relu)
    return x


def sound_mobile(net: Net, train: bool) -> Any:
    """YAMNet: MobileNet v1 over a spectrogram."""
    x = net.conv("layer/0", holder("log_mel", 2, 32, 16, 1), 8, 3, 2, bias=False)
    x = relu(net.batch_norm("layer/0/norm", x, train))
    plan = ((1, 12), (2, 16), (1, 16), (2, 20), *[(1, 20)] * 6)
    for i, (stride, width) in enumerate(plan):
        role = f"layer/{i + 1}"
        kernel = net.var(f"{role}/depth/kernel", (3, 3, x.shape[-1], 1), "depthwise_conv2d")
        with net.ops_of(f"{role}/depth", "depthwise_conv2d"):
            x = tf.nn.depthwise_conv2d(x, kernel, (1, stride, stride, 1), "SAME")
        x = relu(net.batch_norm(f"{role}/depth/norm", x, train))
        x = net.conv(f"{role}/point", x, width, 1, bias=False)
        x = relu(net.batch_norm(f"{role}/point/norm", x, train))
    return tf.sigmoid(net.dense("logits", tf.reduce_mean(x, [1, 2]), 9))


def transducer(net: Net, train: bool) -> Any:
    """RNN-T: an encoder of sound, a predictor of letters, a joint."""
    steps = tf.unstack(holder("log_mel", 2, 6, 12), axis=1)
    for i in range(3):
        steps = net.lstm(f"encode/{i}", steps, 12)
        steps = [net.layer_norm(f"encode/{i}/norm", x) for x in steps]
    letters = tf.unstack(net.embed("embed", ids("letters", 2, 4), 20, 12), axis=1)
    for i in range(2):
        letters = net.lstm(f"predict/{i}", letters, 12)
        letters = [net.layer_norm(f"predict/{i}/norm", x) for x in letters]
    sound = net.dense("joint/sound", tf.stack(steps, 1), 10)
    text = net.dense("joint/text", tf.stack(letters, 1), 10, bias=False)
    return net.dense("joint/out", tf.tanh(sound[:, :, None] + text[:, None]), 20)


def hops(net: Net, train: bool) -> Any:
    """Self-attentive sentence embedding whose hops are averaged: nothing tells them apart."""
    x = net.embed("embed", ids("sentence", 2, 5), 30, 8)
    states = tf.stack(both_ways(net, "encode", tf.unstack(x, axis=1), 6), 1)
    ends = []
    for hop in ("p", "q"):
        hidden = net.dense(f"hop/{hop}/first", states, 10, tf.tanh, bias=False)
        score = net.dense(f"hop/{hop}/second", hidden, 1, bias=False)
        ends.append(tf.reduce_sum(states * tf.nn.softmax(score, 1), 1))
    return net.dense("classify", tf.add_n(ends) * 0.5, 5)

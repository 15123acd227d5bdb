"""Wirings of the twelfth batch: pictures, films and sounds."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu
elu = tf.nn.elu


def linked(net: Net, train: bool) -> Any:
    """LinkNet: each decoder's output is added to the encoder's of the same size."""
    x = net.conv("first", holder("image", 1, 32, 32, 3), 8, stride=2)
    x = relu(net.batch_norm("first/norm", x, train))
    kept = []
    for i, width in enumerate((8, 12, 16, 20)):
        for k in range(2):
            at, stride = f"down/{i}/{k}", 2 if i and not k else 1
            y = relu(
                net.batch_norm(f"{at}/0/norm", net.conv(f"{at}/0", x, width, 3, stride), train)
            )
            y = net.batch_norm(f"{at}/1/norm", net.conv(f"{at}/1", y, width), train)
            if int(x.shape[-1]) != width:
                x = net.conv(f"{at}/skip", x, width, 1, stride)
            x = relu(x + y)
        kept.append(x)
    for i, width in ((3, 16), (2, 12), (1, 8), (0, 8)):
        at = f"up/{i}"
        y = relu(net.batch_norm(f"{at}/0/norm", net.conv(f"{at}/0", x, 5, 1), train))
        y = net.deconv(f"{at}/1", y, 5, stride=2 if i else 1, act=relu)
        y = relu(net.batch_norm(f"{at}/2/norm", net.conv(f"{at}/2", y, width, 1), train))
        x = y + kept[i - 1] if i else y
    return net.conv("last", net.deconv("out", x, 8, act=relu), 2)


def two_views(net: Net, train: bool) -> Any:
    """Bilinear CNN: two streams see one picture, their maps are multiplied."""
    image = holder("image", 2, 16, 16, 3)
    maps = []
    for stream in range(2):
        x = image
        for i, width in enumerate((8, 12, 16)):
            x = net.conv(f"stream/{stream}/{i}", x, width, act=relu)
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        maps.append(net.conv(f"stream/{stream}/3", x, 16, 1))
    x = tf.reduce_sum(maps[0] * maps[1], (1, 2))
    x = tf.sign(x) * tf.sqrt(tf.abs(x) + 1e-2)
    return net.dense("classes", net.dense("hidden", x, 24, relu), 7)


def forecast(net: Net, train: bool) -> Any:
    """ConvLSTM: three layers encode films of rain, three more forecast."""
    film = holder("film", 1, 3, 8, 8, 2)
    widths = (6, 8, 8)
    state = {}

    def step(at: str, x: Any, width: int) -> Any:
        h, c = state[at]
        gates = net.conv(f"{at}/input", x, 4 * width) + net.conv(
            f"{at}/state", h, 4 * width, bias=False
        )
        i, f, g, o = tf.split(gates, 4, -1)
        i = tf.sigmoid(i + c * net.var(f"{at}/peep/in", (width,), "peephole"))
        f = tf.sigmoid(f + c * net.var(f"{at}/peep/forget", (width,), "peephole"))
        c = f * c + i * tf.tanh(g)
        h = tf.sigmoid(o + c * net.var(f"{at}/peep/out", (width,), "peephole")) * tf.tanh(c)
        state[at] = (h, c)
        return h

    for k, width in enumerate(widths):
        state[f"encoder/{k}"] = (tf.zeros((1, 8, 8, width)),) * 2
    for t in range(3):
        x = film[:, t]
        for k, width in enumerate(widths):
            x = step(f"encoder/{k}", x, width)
    for k in range(3):
        state[f"forecaster/{k}"] = state[f"encoder/{k}"]
    x, outputs = film[:, -1], []
    for _ in range(2):
        for k, width in enumerate(widths):
            x = step(f"forecaster/{k}", x, width)
        both = tf.concat([state[f"forecaster/{k}"][0] for k in range(3)], -1)
        x = net.conv("out", both, 2, 1)
        outputs.append(x)
    return outputs


def both_ways(net: Net, train: bool) -> Any:
    """BiGAN: a generator, an encoder the other way, a critic of pairs."""
    noise, image = holder("noise", 2, 16), holder("image", 2, 8, 8, 1)

    def generator(z: Any) -> Any:
        x = relu(net.dense("generator/0", z, 64))
        x = tf.reshape(relu(net.dense("generator/1", x, 64)), (2, 4, 4, 4))
        return net.deconv("generator/2", x, 1, act=tf.tanh)

    def encoder(x: Any) -> Any:
        x = leaky(net.conv("encoder/0", x, 8, stride=2))
        x = leaky(net.conv("encoder/1", x, 16, stride=2))
        return net.dense("encoder/2", tf.reshape(x, (2, -1)), 16)

    def critic(x: Any, z: Any) -> Any:
        x = leaky(net.conv("critic/image/0", x, 8, stride=2))
        x = leaky(net.conv("critic/image/1", x, 16, stride=2))
        z = leaky(net.dense("critic/code/0", z, 64))
        x = tf.concat([tf.reshape(x, (2, -1)), z], -1)
        return net.dense("critic/out", leaky(net.dense("critic/both", x, 64)), 1)

    fake, code = generator(noise), encoder(image)
    return [fake, code, critic(fake, noise), critic(image, code)]


FRONT = ((8, 8), (12, 12), (16, 16, 16), (20, 20, 20))


def front(net: Net) -> Any:
    """The first ten layers of VGG-16."""
    x = holder("image", 1, 32, 32, 3)
    for i, stage in enumerate(FRONT):
        for k, width in enumerate(stage):
            x = net.conv(f"front/{i}/{k}", x, width, act=relu)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME") if i < 3 else x
    return x


def classified(net: Net, train: bool) -> Any:
    """VGG-16, which was trained to tell classes."""
    found = front(net)
    x = tf.nn.max_pool2d(found, 2, 2, "SAME")
    for k in range(3):
        x = net.conv(f"front/4/{k}", x, 20, act=relu)
    x = net.dense("fc/0", tf.reshape(x, (1, -1)), 24, relu)
    return [found, net.dense("fc/2", net.dense("fc/1", x, 24, relu), 7)]


def counted(net: Net, train: bool) -> Any:
    """CSRNet: the first ten layers, then dilated ones that give a map of people."""
    found = x = front(net)
    for k, width in enumerate((20, 20, 20, 16, 12, 8)):
        x = net.conv(f"back/{k}", x, width, dilation=2, act=relu)
    return [found, net.conv("density", x, 1, 1)]


def denoised(net: Net, train: bool) -> Any:
    """DnCNN: equal convolutions, each with a norm; the noise is taken away."""
    noisy = holder("noisy", 1, 12, 12, 1)
    x = net.conv("in", noisy, 12, act=relu)
    for i in range(12):
        x = relu(net.batch_norm(f"mid/{i}/norm", net.conv(f"mid/{i}", x, 12), train))
    return noisy - net.conv("out", x, 1)


def clips(net: Net, train: bool) -> Any:
    """C3D: convolutions over a clip's frames and places."""
    x = holder("clip", 1, 4, 16, 16, 3)
    for i, stage in enumerate(((8,), (12,), (16, 16), (20, 20), (20, 20))):
        for k, width in enumerate(stage):
            x = net.conv(f"conv/{i}/{k}", x, width, act=relu)
        pool = (2 if i in (1, 2) else 1, 2 if i < 4 else 1, 2 if i < 4 else 1)
        x = tf.nn.max_pool3d(x, (1, *pool, 1), (1, *pool, 1), "SAME")
    x = net.dense("fc/0", tf.reshape(x, (1, -1)), 24, relu)
    return net.dense("fc/2", net.dense("fc/1", x, 24, relu), 7)


def filter_norm(net: Net, role: str, x: Any) -> Any:
    """Filter response normalization and its thresholded unit: three vectors of one shape."""
    n = (x.shape[-1],)
    with net.ops_of(role, "frn"):
        scale = net.var(f"{role}/gamma", n, "frn")
        offset = net.var(f"{role}/beta", n, "frn")
        least = net.var(f"{role}/tau", n, "frn")
        x = x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), (1, 2), keepdims=True) + 1e-3)
        return tf.maximum(x * scale + offset, least)


def responding(net: Net, train: bool) -> Any:
    """A residual net whose norms do not look at the batch."""
    x = net.conv("stem", holder("image", 2, 16, 16, 3), 8, bias=False)
    x = filter_norm(net, "stem/norm", x)
    for i, width in enumerate((8, 12, 16)):
        for k in range(2):
            at, stride = f"stage/{i}/{k}", 2 if i and not k else 1
            y = net.conv(f"{at}/0", x, width, 3, stride, bias=False)
            y = filter_norm(net, f"{at}/0/norm", y)
            y = net.conv(f"{at}/1", y, width, bias=False)
            if int(x.shape[-1]) != width:
                x = net.conv(f"{at}/skip", x, width, 1, stride, bias=False)
            x = filter_norm(net, f"{at}/1/norm", x + y)
    return net.dense("classes", tf.reduce_mean(x, (1, 2)), 7)


def waves(net: Net, train: bool) -> Any:
    """SIREN: sines of dense layers, all square but the first and the last."""
    x = tf.sin(3.0 * net.dense("layer/0", holder("place", 5, 2), 16))
    for i in range(1, 5):
        x = tf.sin(3.0 * net.dense(f"layer/{i}", x, 16))
    return net.dense("layer/5", x, 3)


def scored(net: Net, train: bool) -> Any:
    """NCSN: a RefineNet that gives the slope of the density, its norms know how noisy it is."""
    noise = holder("noise", 2, dtype=tf.int32)

    def norm(at: str, x: Any) -> Any:
        mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
        scale, shift = (
            net.embed(f"{at}/{one}", noise, 10, int(x.shape[-1]))[:, None, None]
            for one in ("gamma", "alpha")
        )
        return scale * (x - mean) * tf.math.rsqrt(variance + 1e-3) + shift

    x = net.conv("begin", holder("image", 2, 8, 8, 3), 8)
    kept = []
    for i, width in enumerate((8, 12, 16)):
        for k in range(2):
            at = f"res/{i}/{k}"
            y = net.conv(f"{at}/0", elu(norm(f"{at}/norm/0", x)), width)
            y = net.conv(f"{at}/1", elu(norm(f"{at}/norm/1", y)), width)
            x = (x if int(x.shape[-1]) == width else net.conv(f"{at}/skip", x, width, 1)) + y
        kept.append(x)
        x = tf.nn.avg_pool2d(x, 2, 2, "SAME") if i < 2 else x
    for i in (1, 0):
        x = tf.image.resize(x, kept[i].shape[1:3], "nearest")
        x = net.conv(f"refine/{i}/up", x, 12) + net.conv(f"refine/{i}/side", kept[i], 12)
        x = x + net.conv(f"refine/{i}/1", elu(net.conv(f"refine/{i}/0", elu(x), 12)), 12)
    return net.conv("end", elu(norm("end/norm", x)), 3)

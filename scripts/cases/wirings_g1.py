"""TF1 wirings of the seventh batch: pictures, scenes and generators."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu


def radiance_fields(net: Net, train: bool) -> Any:
    """NeRF: a coarse field places the points of a fine one of the same form."""
    points, ways = holder("points", 6, 9), holder("directions", 6, 5)
    outputs = []
    for field in ("coarse", "fine"):
        h = points
        for i in range(6):
            h = net.dense(f"{field}/points/{i}", h, 16, relu)
            h = tf.concat([points, h], -1) if i == 3 else h
        density = net.dense(f"{field}/density", h, 1)
        h = net.dense(f"{field}/feature", h, 16)
        h = net.dense(f"{field}/view", tf.concat([h, ways], -1), 8, relu)
        outputs += [net.dense(f"{field}/colour", h, 3, tf.sigmoid), density]
        points = points + tf.sigmoid(density) * ways[:, :1]
    return outputs


def instance_norm(net: Net, role: str, x: Any) -> Any:
    """Normalize each picture and channel."""
    shift = net.var(f"{role}/beta", (x.shape[-1],))
    scale = net.var(f"{role}/gamma", (x.shape[-1],))
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, shift, scale, 1e-3)


def fast_style(net: Net, train: bool) -> Any:
    """Feed-forward style transfer: convolutions without offsets, instance norms."""
    x = holder("content", 1, 16, 16, 3)
    for i, (width, size, stride) in enumerate(((6, 9, 1), (8, 3, 2), (12, 3, 2))):
        x = net.conv(f"down/{i}", x, width, size, stride, bias=False)
        x = relu(instance_norm(net, f"down/{i}/norm", x))
    for i in range(5):
        h = relu(instance_norm(net, f"res/{i}/0/norm", net.conv(f"res/{i}/0", x, 12, bias=False)))
        x = x + instance_norm(net, f"res/{i}/1/norm", net.conv(f"res/{i}/1", h, 12, bias=False))
    for i, width in enumerate((8, 6)):
        x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
        x = net.conv(f"up/{i}", x, width, bias=False)
        x = relu(instance_norm(net, f"up/{i}/norm", x))
    x = net.conv("last", x, 3, 9, bias=False)
    return tf.tanh(instance_norm(net, "last/norm", x))


def video_inception(net: Net, train: bool) -> Any:
    """I3D, cut after three mixed blocks."""

    def unit(role: str, x: Any, width: int, size: int = 1, stride: int = 1) -> Any:
        x = net.conv(role, x, width, size, stride, bias=False)
        return relu(net.batch_norm(f"{role}/norm", x, train))

    x = unit("stem/0", holder("clip", 1, 4, 16, 16, 3), 8, 5, 2)
    x = unit("stem/2", unit("stem/1", x, 8), 12, 3)
    for i in range(3):
        parts = [unit(f"mixed/{i}/0/a", x, 4)]
        parts.append(unit(f"mixed/{i}/1/b", unit(f"mixed/{i}/1/a", x, 6), 8, 3))
        parts.append(unit(f"mixed/{i}/2/b", unit(f"mixed/{i}/2/a", x, 6), 8, 3))
        pooled = tf.nn.max_pool3d(x, 3, 1, "SAME")
        x = tf.concat([*parts, unit(f"mixed/{i}/3/b", pooled, 4)], -1)
    return net.conv("logits", tf.reduce_mean(x, [1, 2, 3], keepdims=True), 5, 1)


def depth_and_motion(net: Net, train: bool) -> Any:
    """SfMLearner: a depth net with skips and a pose net; both count their convolutions from 1."""
    target, source = holder("target", 1, 16, 16, 3), holder("source", 1, 16, 16, 6)
    kept, x = [], target
    for i, width in enumerate((6, 8, 12, 12)):
        x = net.conv(
            f"depth/down/{i}/b", net.conv(f"depth/down/{i}/a", x, width, 3, 2, relu), width
        )
        x = relu(x)
        kept.append(x)
    outputs: list[Any] = []
    for i, width in reversed(tuple(enumerate((6, 6, 8, 12)))):
        x = net.deconv(f"depth/up/{i}", x, width, 3, act=relu)
        parts = [x] + ([kept[i - 1]] if i else [])
        if outputs:
            parts.append(tf.repeat(tf.repeat(outputs[-1], 2, 1), 2, 2))
        x = net.conv(f"depth/fuse/{i}", tf.concat(parts, -1), width, act=relu)
        if i < 3:
            outputs.append(net.conv(f"depth/disparity/{i}", x, 1, act=tf.sigmoid))
    x = tf.concat([target, source], -1)
    for i, width in enumerate((6, 8, 12, 12, 12, 12)):
        x = net.conv(f"pose/{i}", x, width, stride=2 if i < 4 else 1, act=relu)
    return [*outputs, tf.reduce_mean(net.conv("pose/pred", x, 12, 1), [1, 2])]


def scaled_detector(net: Net, train: bool) -> Any:
    """EfficientDet: fusing nodes, and heads that share convolutions but not norms over levels."""
    levels = [holder(f"level_{i}", 1, 8 >> i, 8 >> i, 8) for i in range(3)]

    def node(role: str, *parts: Any) -> Any:
        x = net.conv(role, tf.nn.swish(tf.add_n(parts)), 8)
        return net.batch_norm(f"{role}/norm", x, train)

    def double(x: Any) -> Any:
        return tf.repeat(tf.repeat(x, 2, 1), 2, 2)

    def halve(x: Any) -> Any:
        return tf.nn.max_pool2d(x, 3, 2, "SAME")

    for c in range(3):
        a, b, d = levels
        middle = node(f"cell/{c}/0", b, double(d))
        low = node(f"cell/{c}/1", a, double(middle))
        between = node(f"cell/{c}/2", b, middle, halve(low))
        levels = [low, between, node(f"cell/{c}/3", d, halve(between))]
    outputs = []
    for head, width in (("class", 12), ("box", 8)):
        for level, x in enumerate(levels):
            for i in range(3):
                x = net.conv(f"{head}/{i}", x, 8)
                x = tf.nn.swish(net.batch_norm(f"{head}/{i}/norm/{level}", x, train))
            outputs.append(net.conv(f"{head}/out", x, width))
    return outputs


def big_generator(net: Net, train: bool) -> Any:
    """BigGAN: blocks whose norms take scale and offset from a code, attention between them."""
    code = tf.concat(tf.split(holder("z", 2, 12), 1, -1), -1)
    x = tf.reshape(net.dense("first", code, 128), (2, 4, 4, 8))

    def norm(role: str, h: Any) -> Any:
        mean, variance = tf.nn.moments(h, [0, 1, 2])
        scale = net.dense(f"{role}/scale", code, 8, bias=False)[:, None, None]
        offset = net.dense(f"{role}/offset", code, 8, bias=False)[:, None, None]
        return relu((h - mean) * tf.math.rsqrt(variance + 1e-4) * (1 + scale) + offset)

    for i in range(4):
        h = net.conv(f"block/{i}/conv/0", norm(f"block/{i}/norm/0", x), 8)
        h = net.conv(f"block/{i}/conv/1", norm(f"block/{i}/norm/1", h), 8)
        x = net.conv(f"block/{i}/skip", x, 8, 1) + h
        if i == 1:
            theta, phi, g = (
                tf.reshape(net.conv(f"attention/{one}", x, 4, 1, bias=False), (2, 16, 4))
                for one in ("theta", "phi", "g")
            )
            share = tf.nn.softmax(tf.matmul(theta, phi, transpose_b=True))
            seen = tf.reshape(tf.matmul(share, g), (2, 4, 4, 4))
            seen = net.conv("attention/out", seen, 8, 1, bias=False)
            x = x + net.var("attention/gamma", ()) * seen
    x = relu(net.batch_norm("norm", x, train))
    return tf.tanh(net.conv("last", x, 3))


def glow(net: Net, train: bool) -> Any:
    """Glow: activation norms, 1x1 convolutions and affine couplings on two levels."""
    z = holder("image", 2, 8, 8, 2)
    outputs = []
    for level in range(2):
        z = tf.nn.space_to_depth(z, 2)
        n = z.shape[-1]
        for k in range(3):
            at = f"level/{level}/{k}"
            bias, logs = (net.var(f"{at}/actnorm/{leaf}", (n,)) for leaf in ("bias", "logs"))
            z = (z + bias) * tf.exp(logs)
            z = net.conv(f"{at}/mix", z, n, 1, bias=False)
            one, two = tf.split(z, 2, -1)
            h = relu(net.conv(f"{at}/net/0", one, 10))
            h = relu(net.conv(f"{at}/net/1", h, 10, 1))
            shift, scale = tf.split(net.conv(f"{at}/net/2", h, n), 2, -1)
            z = tf.concat([one, (two + shift) * tf.sigmoid(scale + 2.0)], -1)
        if level == 0:
            z, rest = tf.split(z, 2, -1)
            outputs.append(rest)
    return [*outputs, z]


def two_codebooks(net: Net, train: bool) -> Any:
    """VQ-VAE-2: two encoders, two codebooks, two decoders, residual stacks of one shape."""

    def stack(role: str, x: Any) -> Any:
        for i in range(2):
            h = net.conv(f"{role}/{i}/0", relu(x), 6)
            x = x + net.conv(f"{role}/{i}/1", relu(h), 8, 1)
        return relu(x)

    def quantize(role: str, x: Any) -> Any:
        table = net.var(f"{role}/table", (10, 8), "embedding")
        flat = tf.reshape(x, (-1, 8))
        share = tf.nn.softmax(2.0 * tf.matmul(flat, table, transpose_b=True))
        return tf.reshape(tf.matmul(share, table), x.shape)

    x = net.conv("bottom/enc/0", holder("image", 1, 16, 16, 3), 8, 4, 2, relu)
    low = stack("bottom/enc/stack", net.conv("bottom/enc/1", x, 8, 4, 2, relu))
    high = net.conv("top/enc/0", low, 8, 4, 2, relu)
    high = stack("top/enc/stack", net.conv("top/enc/1", high, 8))
    high = quantize("top/book", net.conv("top/to_book", high, 8, 1))
    h = stack("top/dec/stack", net.conv("top/dec/0", high, 8))
    h = net.deconv("top/dec/1", h, 8, 4)
    low = quantize("bottom/book", net.conv("bottom/to_book", tf.concat([h, low], -1), 8, 1))
    raised = net.deconv("raise", high, 8, 4)
    h = net.conv("bottom/dec/0", tf.concat([raised, low], -1), 8)
    h = stack("bottom/dec/stack", h)
    h = net.deconv("bottom/dec/1", h, 8, 4, act=relu)
    return net.deconv("bottom/dec/2", h, 3, 4)


def residual_gan(net: Net, train: bool) -> Any:
    """The residual generator and critic of improved Wasserstein GANs."""
    x = tf.reshape(net.dense("g/input", holder("noise", 2, 10), 128), (2, 4, 4, 8))

    def shape(h: Any, up: bool) -> Any:
        return tf.repeat(tf.repeat(h, 2, 1), 2, 2) if up else tf.nn.avg_pool2d(h, 2, 2, "SAME")

    for i in range(2):
        at = f"g/{i}"
        h = relu(net.batch_norm(f"{at}/norm/0", x, train))
        h = net.conv(f"{at}/conv/0", shape(h, True), 8, bias=False)
        h = relu(net.batch_norm(f"{at}/norm/1", h, train))
        x = net.conv(f"{at}/skip", shape(x, True), 8, 1) + net.conv(f"{at}/conv/1", h, 8)
    fake = tf.tanh(net.conv("g/out", relu(net.batch_norm("g/norm", x, train)), 3))
    x = fake
    for i in range(3):
        at = f"d/{i}"
        h = net.conv(f"{at}/conv/1", relu(net.conv(f"{at}/conv/0", relu(x), 8)), 8)
        x = net.conv(f"{at}/skip", shape(x, False), 8, 1) + shape(h, False)
    return [fake, net.dense("d/out", tf.reduce_mean(relu(x), [1, 2]), 1)]


def face_cascade(net: Net, train: bool) -> Any:
    """MTCNN: three small nets with slopes, each with its own classifier and boxes."""
    outputs = []
    for name, size, widths, dense in (
        ("p", 12, (6, 8, 12), 0),
        ("r", 16, (6, 8, 12), 12),
        ("o", 16, (6, 8, 12, 12), 12),
    ):
        x = holder(f"{name}_faces", 2, size, size, 3)

        def slope(role: str, h: Any) -> Any:
            alpha = net.var(f"{role}/alpha", (h.shape[-1],))
            return relu(h) - alpha * relu(-h)

        for i, width in enumerate(widths):
            x = slope(f"{name}/slope/{i}", net.conv(f"{name}/conv/{i}", x, width))
            x = tf.nn.max_pool2d(x, 2, 2, "SAME") if i < 2 else x
        heads = ["class", "box"] + (["marks"] if name == "o" else [])
        if dense:
            x = tf.reshape(x, (2, x.shape[1] * x.shape[2] * x.shape[3]))
            x = slope(f"{name}/slope/{len(widths)}", net.dense(f"{name}/fc", x, dense))
        for head in heads:
            units = {"class": 2, "box": 4, "marks": 10}[head]
            made = net.dense if dense else net.conv
            options = {} if dense else {"size": 1}
            outputs.append(made(f"{name}/{head}", x, units, **options))
    return outputs

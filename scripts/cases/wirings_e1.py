"""Programs of the fifth batch: detection, segmentation, images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.sides import keras
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu
DARKNET = ((8, 1), (12, 2), (16, 2))


def double(x: Any) -> Any:
    """Nearest neighbour, twice the size."""
    return tf.repeat(tf.repeat(x, 2, 1), 2, 2)


def darknet_yolo(net: Net, train: bool) -> Any:
    """YOLOv3 by hand: numbered convolutions of one counter, three scales."""
    number = 0

    def unit(h: Any, filters: int, size: int, stride: int = 1) -> Any:
        nonlocal number
        role = f"body/{number}"
        number += 1
        h = net.conv(role, h, filters, size, stride, bias=False)
        return leaky(net.batch_norm(f"{role}/norm", h, train), 0.1)

    x, routes = unit(holder("image", 1, 32, 32, 3), 6, 3), []
    for filters, count in DARKNET:
        x = unit(x, filters, 3, 2)
        for _ in range(count):
            x = x + unit(unit(x, filters // 2, 1), filters, 3)
        routes.append(x)
    outputs, x = [], routes.pop()
    for at in range(3):
        if at:
            x = tf.concat([double(unit(x, 8, 1)), routes.pop()], -1)
        for _ in range(2):
            x = unit(unit(x, 8, 1), 16, 3)
        x = unit(x, 8, 1)
        outputs.append(net.conv(f"detect/{at}", unit(x, 16, 3), 18, 1))
    return outputs


def keras_yolo(net: Net, train: bool) -> Any:
    """The same of Keras layers with default names; the session held another model before."""
    from tf_keras import layers

    for _ in range(7):
        layers.BatchNormalization()(layers.Conv2D(4, 3)(tf.zeros((1, 8, 8, 3))))
    number = 0

    def unit(h: Any, filters: int, size: int, stride: int = 1) -> Any:
        nonlocal number
        role = f"body/{number}"
        number += 1
        h = keras(net, role, layers.Conv2D(filters, size, stride, "same", use_bias=False), h)
        h = keras(net, f"{role}/norm", layers.BatchNormalization(), h, training=False)
        return layers.LeakyReLU(0.1)(h)

    x, routes = unit(holder("image", 1, 32, 32, 3), 6, 3), []
    for filters, count in DARKNET:
        x = unit(x, filters, 3, 2)
        for _ in range(count):
            x = layers.Add()([x, unit(unit(x, filters // 2, 1), filters, 3)])
        routes.append(x)
    outputs, x = [], routes.pop()
    for at in range(3):
        if at:
            x = layers.UpSampling2D(2)(unit(x, 8, 1))
            x = layers.Concatenate()([x, routes.pop()])
        for _ in range(2):
            x = unit(unit(x, 8, 1), 16, 3)
        x = unit(x, 8, 1)
        outputs.append(keras(net, f"detect/{at}", layers.Conv2D(18, 1), unit(x, 16, 3)))
    return outputs


def pix2pix(net: Net, train: bool) -> Any:
    """U-Net generator; a training graph has the patch discriminator beside it."""
    image = holder("input", 1, 32, 32, 3)
    x, skips = image, []
    for i in range(5):
        x = net.conv(f"gen/down/{i}", leaky(x) if i else x, (4, 8, 8, 8, 8)[i], 4, 2, bias=i == 0)
        if i:
            x = net.batch_norm(f"gen/down/{i}/norm", x, train)
        skips.append(x)
    for i in range(4):
        x = x if i == 0 else tf.concat([x, skips[4 - i]], -1)
        x = net.deconv(f"gen/up/{i}", relu(x), (8, 8, 8, 4)[i], 4)
        x = net.batch_norm(f"gen/up/{i}/norm", x, train)
    fake = tf.tanh(net.deconv("gen/up/4", relu(tf.concat([x, skips[0]], -1)), 3, 4))
    if not train:
        return fake
    scores = []
    for picture in (holder("target", 1, 32, 32, 3), fake):
        h = tf.concat([image, picture], -1)
        for i in range(3):
            h = net.conv(f"disc/{i}", h, (4, 8, 8)[i], 4, 2, bias=i == 0)
            h = leaky(net.batch_norm(f"disc/{i}/norm", h, train) if i else h)
        scores.append(net.conv("disc/3", h, 1, 4))
    return [fake, *scores]


def deeplab(net: Net, train: bool) -> Any:
    """DeepLab v3+: dilated branches of one shape, a 1x1 branch and a pooled one of one shape."""
    x = holder("image", 2, 32, 32, 3)
    early = None
    for i in range(4):
        x = net.conv(f"backbone/{i}", x, 8, stride=2 if i < 2 else 1, bias=False)
        x = relu(net.batch_norm(f"backbone/{i}/norm", x, train))
        early = x if early is None else early
    branches = [net.conv("aspp/point", x, 8, 1, bias=False)]
    branches += [
        net.conv(f"aspp/rate/{rate}", x, 8, dilation=rate, bias=False) for rate in (2, 4, 6)
    ]
    pooled = net.conv("aspp/pool", tf.reduce_mean(x, [1, 2], keepdims=True), 8, 1, bias=False)
    branches.append(tf.tile(pooled, (1, 8, 8, 1)))
    names = ("point", "rate/2", "rate/4", "rate/6", "pool")
    branches = [
        relu(net.batch_norm(f"aspp/{n}/norm", b, train))
        for n, b in zip(names, branches, strict=True)
    ]
    x = net.conv("project", tf.concat(branches, -1), 8, 1, bias=False)
    x = double(relu(net.batch_norm("project/norm", x, train)))
    low = net.conv("low", early, 6, 1, bias=False)
    x = tf.concat([x, relu(net.batch_norm("low/norm", low, train))], -1)
    for i in range(2):
        x = net.conv(f"refine/{i}", x, 8, bias=False)
        x = relu(net.batch_norm(f"refine/{i}/norm", x, train))
    return net.conv("logits", x, 5, 1)


def hr_net(net: Net, train: bool) -> Any:
    """HRNet: parallel resolutions that exchange features after every module."""
    widths = (6, 8, 10)

    def unit(role: str, h: Any, filters: int, size: int = 3, stride: int = 1) -> Any:
        return net.batch_norm(
            f"{role}/norm", net.conv(role, h, filters, size, stride, bias=False), train
        )

    x = relu(unit("stem/0", holder("image", 1, 32, 32, 3), 6, 3, 2))
    rows = [relu(unit("stem/1", x, 6))]
    for stage in range(1, 3):
        last = relu(unit(f"transition/{stage}", rows[-1], widths[stage], 3, 2))
        rows.append(last)
        for module in range(2):
            for i, h in enumerate(rows):
                for j in range(2):
                    role = f"stage/{stage}/module/{module}/branch/{i}/block/{j}"
                    y = relu(unit(f"{role}/conv/0", h, widths[i]))
                    h = relu(h + unit(f"{role}/conv/1", y, widths[i]))
                rows[i] = h
            fused = []
            for i in range(len(rows)):
                parts = []
                for j, h in enumerate(rows):
                    role = f"stage/{stage}/module/{module}/fuse/{i}/{j}"
                    if j > i:
                        h = unit(role, h, widths[i], 1)
                        for _ in range(j - i):
                            h = double(h)
                    for step in range(i - j):
                        width = widths[i] if step == i - j - 1 else widths[j]
                        h = unit(f"{role}/{step}", h, width, 3, 2)
                        h = relu(h) if step < i - j - 1 else h
                    parts.append(h)
                fused.append(relu(tf.add_n(parts)))
            rows = fused
    return net.conv("head", rows[0], 5, 1)


def open_pose(net: Net, train: bool) -> Any:
    """OpenPose: in each stage a branch for limbs and one for joints; only their ends differ."""
    x = holder("image", 1, 16, 16, 3)
    for i in range(4):
        x = net.conv(f"features/{i}", x, 8, stride=2 if i == 0 else 1, act=relu)
    h, outputs = x, []
    for stage in range(3):
        ends = []
        for branch, channels in (("limbs", 10), ("joints", 5)):
            y = h
            for i in range(3):
                y = net.conv(f"stage/{stage}/{branch}/{i}", y, 8, 3 if stage == 0 else 5, act=relu)
            ends.append(net.conv(f"stage/{stage}/{branch}/3", y, channels, 1))
        outputs += ends
        h = tf.concat([*ends, x], -1)
    return outputs


def rrdb(net: Net, train: bool) -> Any:
    """ESRGAN's generator: dense blocks in dense blocks, all of one width."""
    first = x = net.conv("first", holder("low_resolution", 1, 8, 8, 3), 8)
    for i in range(3):
        outer = x
        for j in range(3):
            parts = [x]
            for k in range(4):
                h = net.conv(f"block/{i}/{j}/{k}", tf.concat(parts, -1), 4 if k < 3 else 8)
                parts.append(leaky(h, 0.2))
            x = x + 0.2 * h
        x = outer + 0.2 * x
    x = first + net.conv("trunk", x, 8)
    for i in range(2):
        x = leaky(net.conv(f"up/{i}", double(x), 8), 0.2)
    return net.conv("last", leaky(net.conv("high", x, 8), 0.2), 3)


def keras_rrdb(net: Net, train: bool) -> Any:
    """The same of Keras layers that are named only in the outer parts."""
    from tf_keras import layers

    def conv(role: str, h: Any, filters: int, name: str | None = None) -> Any:
        return keras(net, role, layers.Conv2D(filters, 3, padding="same", name=name), h)

    first = x = conv("first", holder("low_resolution", 1, 8, 8, 3), 8)
    for i in range(3):
        outer = x
        for j in range(3):
            parts = [x]
            for k in range(4):
                h = layers.Concatenate()(parts) if k else x
                h = conv(f"block/{i}/{j}/{k}", h, 4 if k < 3 else 8)
                parts.append(layers.LeakyReLU(0.2)(h))
            x = layers.Add()([x, h * 0.2])
        x = layers.Add()([outer, x * 0.2])
    x = layers.Add()([first, conv("trunk", x, 8)])
    for i in range(2):
        x = layers.LeakyReLU(0.2)(conv(f"up/{i}", layers.UpSampling2D(2)(x), 8))
    return conv("last", layers.LeakyReLU(0.2)(conv("high", x, 8)), 3, "hr_output")


def shake_shake(net: Net, train: bool) -> Any:
    """Shake-shake: two branches of one form, drawn weights in training, their mean afterwards."""
    x = net.conv("stem", holder("image", 2, 16, 16, 3), 8, bias=False)
    x = net.batch_norm("stem/norm", x, train)
    for i in range(3):
        ends = []
        for branch in ("left", "right"):
            h = relu(x)
            for j in range(2):
                role = f"block/{i}/{branch}/{j}"
                h = net.batch_norm(f"{role}/norm", net.conv(role, h, 8, bias=False), train)
                h = relu(h) if j == 0 else h
            ends.append(h)
        if train:
            share = tf.random.uniform((2, 1, 1, 1))
            x = x + share * ends[0] + (1 - share) * ends[1]
        else:
            x = x + 0.5 * ends[0] + 0.5 * ends[1]
    return net.dense("logits", tf.reduce_mean(relu(x), [1, 2]), 5)

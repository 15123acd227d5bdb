"""Wirings of the tenth batch: pictures, films and sounds."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu


def self_attention_critic(net: Net, train: bool) -> Any:
    """SAGAN's critic: spectral norms, and an attention that begins as nothing."""

    def normed(role: str, x: Any, filters: int, size: int, stride: int = 1) -> Any:
        kernel = net.var(f"{role}/kernel", (size, size, x.shape[-1], filters), "conv2d")
        u = net.var(f"{role}/u", (1, filters), "conv2d", False)
        flat = tf.reshape(kernel, (-1, filters))
        v = tf.nn.l2_normalize(tf.matmul(u, flat, transpose_b=True))
        sigma = tf.matmul(
            tf.matmul(v, flat), tf.nn.l2_normalize(tf.matmul(v, flat)), transpose_b=True
        )
        y = tf.nn.conv2d(x, kernel / tf.reshape(sigma, ()), stride, "SAME")
        return tf.nn.bias_add(y, net.var(f"{role}/bias", (filters,), "conv2d"))

    x = holder("pictures", 2, 16, 16, 3)
    x = leaky(normed("down/0", x, 8, 4, 2))
    x = leaky(normed("down/1", x, 8, 4, 2))
    q, k, v = (tf.reshape(normed(f"attention/{one}", x, 8, 1), (2, 16, 8)) for one in "qkv")
    y = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True)), v)
    y = normed("attention/o", tf.reshape(y, x.shape), 8, 1)
    x = x + net.var("attention/gain", (), "gain") * y
    x = leaky(normed("down/2", x, 8, 4, 2))
    return net.dense("score", tf.reduce_sum(x, (1, 2)), 1)


def periods(net: Net, train: bool) -> Any:
    """HiFi-GAN's multi-period discriminator: one stack for each way to fold the sound."""
    sound = holder("sound", 1, 330)
    outputs = []
    for i, period in enumerate((2, 3, 5, 11)):
        x = tf.reshape(sound, (1, 330 // period, period, 1))
        for k in range(4):
            at = f"disc/{i}/conv/{k}"
            shape = (5, 1, x.shape[-1], 8)
            y = tf.nn.conv2d(x, net.var(f"{at}/kernel", shape, "conv2d"), (1, 2, 1, 1), "SAME")
            x = leaky(tf.nn.bias_add(y, net.var(f"{at}/bias", (8,), "conv2d")), 0.1)
        x = net.conv(f"disc/{i}/post", x, 1)
        outputs.append(tf.reduce_mean(x, (1, 3)))
    return outputs


def gated_unet(net: Net, train: bool) -> Any:
    """Attention U-Net of one width: what is skipped is weighed by what comes up."""

    def double(at: str, x: Any) -> Any:
        for i in range(2):
            x = relu(net.batch_norm(f"{at}/{i}/norm", net.conv(f"{at}/{i}", x, 8), train))
        return x

    x = double("down/0", net.conv("stem", holder("picture", 1, 16, 16, 3), 8))
    kept = []
    for i in range(1, 4):
        kept.append(x)
        x = double(f"down/{i}", tf.nn.max_pool2d(x, 2, 2, "SAME"))
    for i in range(3):
        x = net.conv(f"up/{i}", tf.repeat(tf.repeat(x, 2, 1), 2, 2), 8, act=relu)
        skip = kept.pop()
        gate = net.conv(f"gate/{i}/g", x, 8, 1) + net.conv(f"gate/{i}/x", skip, 8, 1)
        gate = tf.sigmoid(net.conv(f"gate/{i}/psi", relu(gate), 1, 1))
        x = double(f"merge/{i}", tf.concat([skip * gate, x], -1))
    return net.conv("out", x, 2, 1)


def slow_and_fast(net: Net, train: bool) -> Any:
    """SlowFast of one width: only the fast way is handed over to the slow one."""
    ways = {"slow": holder("slow", 1, 2, 8, 8, 3), "fast": holder("fast", 1, 8, 8, 8, 3)}
    for i in range(4):
        if i:
            ways["slow"] = ways["slow"] + hand_over(net, i, ways["fast"])
        for way, x in ways.items():
            y = net.conv(f"{way}/{i}/a", x, 8, bias=False)
            y = relu(net.batch_norm(f"{way}/{i}/a/norm", y, train))
            y = net.conv(f"{way}/{i}/b", y, 8, bias=False)
            y = net.batch_norm(f"{way}/{i}/b/norm", y, train)
            ways[way] = relu(x + y) if i else relu(y)
    both = [tf.reduce_mean(ways[way], (1, 2, 3)) for way in ("slow", "fast")]
    return net.dense("head", tf.concat(both, -1), 5)


def hand_over(net: Net, i: int, x: Any) -> Any:
    """Take every fourth frame of the fast way after a convolution over time."""
    kernel = net.var(f"lateral/{i}/kernel", (5, 1, 1, 8, 8), "conv3d")
    return tf.nn.conv3d(x, kernel, (1, 4, 1, 1, 1), "SAME")


def painted(net: Net, train: bool) -> Any:
    """SPADE's generator: a map of classes says how each norm is scaled and shifted."""
    labels = holder("labels", 1, 16, 16, 5)
    x = tf.reshape(net.dense("first", holder("style", 1, 8), 128), (1, 4, 4, 8))

    def spade(at: str, x: Any) -> Any:
        mean, variance = tf.nn.moments(x, (0, 1, 2), keepdims=True)
        normal = (x - mean) * tf.math.rsqrt(variance + 1e-5)
        step = 16 // int(x.shape[1])
        h = net.conv(f"{at}/shared", labels[:, ::step, ::step], 8, act=relu)
        return normal * (1 + net.conv(f"{at}/gamma", h, 8)) + net.conv(f"{at}/beta", h, 8)

    for i in range(3):
        y = net.conv(f"block/{i}/0", leaky(spade(f"block/{i}/0/norm", x)), 8)
        y = net.conv(f"block/{i}/1", leaky(spade(f"block/{i}/1/norm", y)), 8)
        s = net.conv(f"block/{i}/s", spade(f"block/{i}/s/norm", x), 8, 1, bias=False)
        x = s + y
        x = tf.repeat(tf.repeat(x, 2, 1), 2, 2) if i < 2 else x
    return tf.tanh(net.conv("out", leaky(x), 3))


def codes_of_gan(net: Net, train: bool) -> Any:
    """InfoGAN's critic: one trunk, its verdict, and what it makes of the codes."""
    x = holder("pictures", 2, 16, 16, 3)
    for i in range(3):
        x = net.conv(f"trunk/{i}", x, 8, 4, 2)
        x = leaky(net.batch_norm(f"trunk/{i}/norm", x, train) if i else x)
    x = tf.reshape(x, (2, -1))
    verdict = net.dense("verdict", x, 1)
    h = leaky(net.batch_norm("codes/norm", net.dense("codes", x, 16), train))
    kind = tf.nn.softmax(net.dense("kind", h, 4))
    mean = net.dense("mean", h, 4)
    spread = tf.exp(net.dense("spread", h, 4))
    return [verdict, kind, mean, spread]


def branches(net: Net, train: bool) -> Any:
    """MobileOne before its branches are fused: equal convolutions are summed."""
    x = relu(net.conv("stem", holder("picture", 2, 8, 8, 3), 8, stride=2))
    for i in range(3):
        total = net.batch_norm(f"block/{i}/skip", x, train)
        total += net.batch_norm(
            f"block/{i}/scale/norm", net.conv(f"block/{i}/scale", x, 8, 1, bias=False), train
        )
        for k in range(3):
            at = f"block/{i}/branch/{k}"
            total += net.batch_norm(f"{at}/norm", net.conv(at, x, 8, bias=False), train)
        x = relu(total)
    return net.dense("head", tf.reduce_mean(x, (1, 2)), 5)


def matting(net: Net, train: bool) -> Any:
    """A small net that stands twice in a session: convolutions, a bottleneck, a mask."""
    return [small_mask(net, f"net/{one}", holder(f"picture_{one}", 1, 8, 8, 3)) for one in "ab"]


def small_mask(net: Net, at: str, x: Any) -> Any:
    """One of the two."""
    for i in range(4):
        x = net.conv(f"{at}/conv/{i}", x, 8, stride=2 if i == 1 else 1, act=relu)
    x = net.deconv(f"{at}/up", x, 8, act=relu)
    return tf.sigmoid(net.conv(f"{at}/mask", x, 1, 1))


def one_mask(net: Net, train: bool) -> Any:
    """The net that is asked for."""
    return small_mask(net, "net/a", holder("picture", 1, 8, 8, 3))

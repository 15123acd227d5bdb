"""Structural traps of the ninth batch: wirings, and the names on both sides."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.names_d import SLIM, TORCH, leaves
from cases.nets import Naming, Net, by_default, by_rules
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side
from cases.wired import Wired
from cases.wirings_a import holder, relu

leaky = tf.nn.leaky_relu


def growing_gan(net: Net, train: bool) -> Any:
    """Progressive GAN in transition: the generator's colours of two levels are faded."""
    x = tf.reshape(net.dense("first", holder("latents", 2, 12), 128), (2, 4, 4, 8))
    x = leaky(net.conv("level/0/1", x, 8))
    colours = [net.conv("colour/0", x, 3, 1)]
    for i in range(1, 4):
        x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
        x = leaky(net.conv(f"level/{i}/0", x, 8))
        x = leaky(net.conv(f"level/{i}/1", x, 8))
        old = tf.repeat(tf.repeat(colours[-1], 2, 1), 2, 2)
        new = net.conv(f"colour/{i}", x, 3, 1)
        colours.append(old + 0.5 * (new - old))
    return colours[-1]


def tracker(net: Net, train: bool) -> Any:
    """SiamRPN: one trunk; kernels of a template are laid over what they search."""
    seen = {}
    for name, size in (("template", 12), ("search", 20)):
        x = holder(name, 1, size, size, 3)
        for i in range(3):
            x = net.conv(f"trunk/{i}", x, 8, stride=2 if i == 0 else 1)
            x = relu(net.batch_norm(f"trunk/{i}/norm", x, train))
        seen[name] = x
    outputs = []
    for head in ("class", "box"):
        kernel = net.conv(f"{head}/template", seen["template"], 8, 3)
        image = net.conv(f"{head}/search", seen["search"], 8, 3)
        kernel = tf.reshape(tf.reduce_mean(kernel, 0), (6, 6, 8, 1))
        found = tf.nn.depthwise_conv2d(image, kernel, (1, 1, 1, 1), "VALID")
        outputs.append(net.conv(f"{head}/adjust", found, 4 if head == "class" else 8, 1))
    return outputs


def soft_trees(net: Net, train: bool) -> Any:
    """Neural oblivious decision ensembles: the answers of soft trees are summed."""
    x = holder("features", 5, 10)
    total = 0
    for tree in range(4):
        at = f"tree/{tree}"
        chosen = net.dense(f"{at}/select", x, 3, bias=False)
        gates = tf.sigmoid(chosen - net.var(f"{at}/threshold", (3,)))
        leaves_of = tf.ones((5, 1))
        for depth in range(3):
            gate = gates[:, depth : depth + 1]
            leaves_of = tf.concat([leaves_of * gate, leaves_of * (1 - gate)], -1)
        total += tf.matmul(leaves_of, net.var(f"{at}/response", (8, 6)))
    return net.dense("head", relu(net.dense("mix", total, 6)), 2)


def wave_flow(net: Net, train: bool) -> Any:
    """WaveGlow: flows of an invertible mix and a coupling; some channels leave early."""
    z = holder("audio", 1, 10, 8)
    mel = holder("mel", 1, 10, 5)
    outputs = []
    for i in range(6):
        n = int(z.shape[-1])
        z = net.conv(f"flow/{i}/mix", z, n, 1, bias=False)
        one, two = tf.split(z, 2, -1)
        h = net.conv(f"flow/{i}/start", one, 8, 1)
        for k in range(2):
            gate = net.conv(f"flow/{i}/in/{k}", h, 16, dilation=2**k)
            gate = gate + net.conv(f"flow/{i}/cond/{k}", mel, 16, 1)
            a, b = tf.split(gate, 2, -1)
            h = h + net.conv(f"flow/{i}/res/{k}", tf.tanh(a) * tf.sigmoid(b), 8, 1)
        shift, scale = tf.split(net.conv(f"flow/{i}/end", h, n, 1), 2, -1)
        z = tf.concat([one, tf.exp(0.1 * scale) * two + shift], -1)
        if i == 2:
            outputs.append(z[..., :2])
            z = z[..., 2:]
    return [*outputs, z]


def lod(found: Any) -> str:
    """Write a level as Karras' code does: resolutions, and colours counted from the finest."""
    kind, level, rest = found.groups()
    if kind == "colour":
        return f"G_paper_1/ToRGB_lod{3 - int(level)}/{rest}"
    size = 4 << int(level)
    part, leaf = rest.split("/")
    word = "Conv" if level == "0" else ("Conv0_up", "Conv1")[int(part)]
    return f"G_paper_1/{size}x{size}/{word}/{leaf}"


def karras() -> Naming:
    """Return the naming of the authors' code."""
    return leaves(
        {"kernel": "weight"},
        by_rules((r"first/(.*)", r"G_paper_1/4x4/Dense/\1"), (r"(level|colour)/(\d)/(.*)", lod)),
    )


def reversed_flow(found: Any) -> str:
    """Count the flows from the other end, as code that generates does."""
    flow, part, index, leaf = found.groups()
    words = {"mix": "inv_conv", "start": "wn/start", "end": "wn/end"}
    words |= {"in": "wn/dilated", "cond": "wn/mel", "res": "wn/skip"}
    number = f"_{index[1:]}" if index else ""
    return f"vocoder/step_{5 - int(flow)}/{words[part]}{number}/{leaf}"


WIRED = (
    Wired(
        "w_progan_lods",
        "progressive-gan",
        "numbers-against",
        "graph",
        growing_gan,
        karras,
        lambda: by_rules(
            (r"first/(.*)", r"generator/project/\1"),
            (r"level/(\d)/(\d)/(.*)", r"generator/block_\1/conv_\2/\3"),
            (r"colour/(\d)/(.*)", r"generator/to_rgb_\1/\2"),
        ),
        ema=True,
        expected_net=OtherOps,
        notes="lod counts from the finest level, to_rgb from the coarsest; all of one shape",
    ),
    Wired(
        "w_siamrpn_branches",
        "siamrpn",
        "parallel-branches",
        "graph",
        tracker,
        lambda: leaves(
            SLIM,
            by_rules(
                (r"trunk/(\d)/norm/(.*)", r"siamese_alexnet/conv\1/bn/\2"),
                (r"trunk/(\d)/(.*)", r"siamese_alexnet/conv\1/\2"),
                (r"class/search/(.*)", r"rpn/conv_cls1/\1"),
                (r"class/template/(.*)", r"rpn/conv_cls2/\1"),
                (r"box/search/(.*)", r"rpn/conv_r1/\1"),
                (r"box/template/(.*)", r"rpn/conv_r2/\1"),
                (r"class/adjust/(.*)", r"rpn/cls_adjust/\1"),
                (r"box/adjust/(.*)", r"rpn/regress_adjust/\1"),
            ),
        ),
        lambda: by_default("tracker/"),
        optimizer="Momentum",
        shuffle_expected=3,
        notes="default names in no order: inputs and wiring tell the halves of a head",
    ),
    Wired(
        "w_waveglow_reversed",
        "waveglow",
        "reversed-index",
        "graph",
        wave_flow,
        lambda: leaves(
            TORCH,
            by_rules(
                (r"flow/(\d)/mix/(.*)", r"convinv/\1/conv/\2"),
                (r"flow/(\d)/(start|end)/(.*)", r"WN/\1/\2/\3"),
                (r"flow/(\d)/in/(\d)/(.*)", r"WN/\1/in_layers/\2/\3"),
                (r"flow/(\d)/cond/(\d)/(.*)", r"WN/\1/cond_layers/\2/\3"),
                (r"flow/(\d)/res/(\d)/(.*)", r"WN/\1/res_skip_layers/\2/\3"),
            ),
            ".",
        ),
        lambda: by_rules((r"flow/(\d)/([a-z]+)(/\d)?/(.*)", reversed_flow)),
        notes="one side counts the flows from the audio, the other from the noise",
    ),
)
TREES = ("larch", "aspen", "holly", "rowan")
PORTED = (
    Ported(
        "w_node_unknowable",
        "node-trees",
        "ambiguous",
        "graph",
        lambda: tf_side(
            soft_trees,
            by_rules(
                (r"tree/(\d)/(.*)", lambda m: f"forest/{TREES[int(m[1])]}/{m[2]}"),
                (r"(\w+)/(.*)", r"forest/\1/\2"),
            ),
            train=True,
            optimizer="Adam",
            ema=True,
        ),
        lambda: tf_side(
            soft_trees,
            by_rules(
                (
                    r"tree/(\d)/(.*)",
                    lambda m: (
                        f"ensemble/{('saturn', 'ceres', 'titan', 'pallas')[int(m[1])]}/{m[2]}"
                    ),
                ),
                (r"mix/(.*)", r"ensemble/hidden/\1"),
                (r"head/(.*)", r"ensemble/logits/\1"),
            ),
        ),
        orbit=(r"tree/(\d)/.*", ("0", "1", "2", "3")),
        notes="the trees' answers are summed: any permutation of them computes the same",
    ),
)

"""Enformer: DeepMind's Sonnet names, and the PyTorch port that the package enformer-pytorch is."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from cases.nets import Net
from cases.packages_k import alone
from cases.sides import Ported, tf_side, torch_side
from cases.wirings_a import holder

DEPTH, DIM, HEADS, KEY, LENGTH, TOWER = 3, 48, 4, 8, 64, 2
WIDTHS = (24, 48)  # of the tower


def library() -> Any:
    """Import the port's module; its package asks for readers of genomes."""
    return alone("enformer_pytorch.modeling_enformer", enformer_pytorch__data=mock.MagicMock())


def gelu(x: Any) -> Any:
    """Return what both programs take for a Gaussian error linear unit."""
    return tf.sigmoid(1.702 * x) * x


def genome(net: Net, train: bool) -> Any:
    """Convolutions that halve the sequence, attentions with relative places, two heads."""
    import torch

    count = LENGTH // 2 ** (TOWER + 1)
    places = library().get_positional_embed(count, DIM // HEADS, torch.device("cpu"), False)

    def block(role: str, x: Any, wide: int, size: int) -> Any:
        return net.conv(role, gelu(net.batch_norm(f"{role}/norm", x, train)), wide, size)

    def pool(role: str, x: Any) -> Any:
        wide = int(x.shape[-1])
        x = tf.reshape(x, (1, -1, 2, wide))
        weights = tf.nn.softmax(net.dense(role, x, wide, bias=False), 2)
        return tf.reduce_sum(x * weights, 2)

    def heads(x: Any, rows: int) -> Any:
        return tf.transpose(tf.reshape(x, (rows, -1, HEADS, x.shape[-1] // HEADS)), (0, 2, 1, 3))

    def attend(at: str, x: Any) -> Any:
        q, k = (heads(net.dense(f"{at}/{one}", x, HEADS * KEY, bias=False), 1) for one in "qk")
        v = heads(net.dense(f"{at}/v", x, DIM, bias=False), 1)
        known = tf.constant(places.numpy()[None])
        far = heads(net.dense(f"{at}/r", known, HEADS * KEY, bias=False), 1)
        shape = (1, HEADS, 1, KEY)
        content, place = (net.var(f"{at}/{one}/offset", shape) for one in ("content", "place"))
        q = q * KEY**-0.5
        near = tf.matmul(q + content, k, transpose_b=True)
        moved = tf.matmul(q + place, far, transpose_b=True)
        moved = tf.concat([tf.zeros((1, HEADS, count, 1)), moved], -1)
        moved = tf.reshape(moved, (1, HEADS, 2 * count, count))[:, :, 1:]
        moved = tf.reshape(moved, (1, HEADS, count, 2 * count - 1))[..., :count]
        y = tf.transpose(tf.matmul(tf.nn.softmax(near + moved), v), (0, 2, 1, 3))
        return net.dense(f"{at}/out", tf.reshape(y, (1, count, DIM)), DIM)

    x = net.conv("stem/conv", holder("bases", 1, LENGTH, 4), DIM // 2, 15)
    x = pool("stem/pool", x + block("stem/point", x, DIM // 2, 1))
    for i, wide in enumerate(WIDTHS):
        x = block(f"tower/{i}/conv", x, wide, 5)
        x = pool(f"tower/{i}/pool", x + block(f"tower/{i}/point", x, wide, 1))
    for i in range(DEPTH):
        x = x + attend(f"layer/{i}/att", net.layer_norm(f"layer/{i}/att/norm", x))
        y = net.layer_norm(f"layer/{i}/mlp/norm", x)
        y = net.dense(f"layer/{i}/mlp/in", y, 2 * DIM, tf.nn.relu)
        x = x + net.dense(f"layer/{i}/mlp/out", y, DIM)
    x = gelu(block("last", x, 2 * DIM, 1))
    return [
        tf.nn.softplus(net.dense(f"head/{one}", x, n)) for one, n in (("human", 7), ("mouse", 5))
    ]


LEAVES = {"kernel": "w", "bias": "b", "gamma": "scale", "beta": "offset"}
MOVING = {"moving_mean": "moving_mean/average", "moving_variance": "moving_variance/average"}
CONVS = {"conv": "conv_block/conv_block", "point": "pointwise_conv_block/pointwise_conv_block"}


def sonnet(role: str, kind: str) -> str:
    """Name a variable as Sonnet does in DeepMind's program."""
    head, _, leaf = role.rpartition("/")
    leaf = {**LEAVES, **MOVING}.get(leaf, leaf)
    first, *rest = head.split("/")
    trunk = "enformer/trunk"
    if first == "head":
        return f"enformer/heads/head_{rest[0]}/head_{rest[0]}/linear/{leaf}"
    if first == "last":
        at = f"{trunk}/final_pointwise/final_pointwise/{CONVS['conv']}"
        return f"{at}/{'batch_norm' if rest else 'conv1_d'}/{leaf}"
    if first in ("stem", "tower"):
        at = f"{trunk}/stem/stem"
        if first == "tower":
            name = f"conv_tower_block_{rest.pop(0)}"
            at = f"{trunk}/conv_tower/conv_tower/{name}/{name}"
        if rest == ["pool"]:
            return f"{at}/softmax_pooling/linear/{leaf}"
        if first == "stem" and rest == ["conv"]:
            return f"{at}/conv1_d/{leaf}"
        return f"{at}/{CONVS[rest[0]]}/{'batch_norm' if rest[1:] else 'conv1_d'}/{leaf}"
    i, part, word = rest[0], rest[1], rest[2] if len(rest) > 2 else ""
    name = f"transformer_block_{i}"
    at = f"{trunk}/transformer/transformer/{name}/{name}"
    at += {"att": "/mha/mha", "mlp": "/mlp/mlp"}[part]
    if word == "norm":
        return f"{at}/layer_norm/{leaf}"
    if part == "mlp":
        return f"{at}/project_{word}/{leaf}"
    if word in ("content", "place"):
        return f"{at}/attention_{i}/{'r_w_bias' if word == 'content' else 'r_r_bias'}"
    layers = {"q": "q", "k": "k", "v": "v", "r": "r_k", "out": "embedding"}
    return f"{at}/attention_{i}/{layers.get(word, word)}_layer/{leaf}"


PLACES = (
    (r"stem\.0", "stem/conv"),
    (r"stem\.1\.fn\.0", "stem/point/norm"),
    (r"stem\.1\.fn\.2", "stem/point"),
    (r"stem\.2\.to_attn_logits", "stem/pool"),
    (r"conv_tower\.(\d)\.0\.0", r"tower/\1/conv/norm"),
    (r"conv_tower\.(\d)\.0\.2", r"tower/\1/conv"),
    (r"conv_tower\.(\d)\.1\.fn\.0", r"tower/\1/point/norm"),
    (r"conv_tower\.(\d)\.1\.fn\.2", r"tower/\1/point"),
    (r"conv_tower\.(\d)\.2\.to_attn_logits", r"tower/\1/pool"),
    (r"transformer\.(\d)\.0\.fn\.0", r"layer/\1/att/norm"),
    (r"transformer\.(\d)\.0\.fn\.1\.to_rel_k", r"layer/\1/att/r"),
    (r"transformer\.(\d)\.0\.fn\.1\.to_(\w+)", r"layer/\1/att/\2"),
    (r"transformer\.(\d)\.1\.fn\.0", r"layer/\1/mlp/norm"),
    (r"transformer\.(\d)\.1\.fn\.1", r"layer/\1/mlp/in"),
    (r"transformer\.(\d)\.1\.fn\.4", r"layer/\1/mlp/out"),
    (r"final_pointwise\.1\.0", "last/norm"),
    (r"final_pointwise\.1\.2", "last"),
    (r"_heads\.(\w+)\.0", r"head/\1"),
)
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}


def role_of(key: str, kind: str) -> str:
    """Return the role of one of the port's parameters."""
    head, _, leaf = key.rpartition(".")
    found = re.fullmatch(r"rel_(content|pos)_bias", leaf)
    if found:
        layer = head.split(".")[1]
        return f"layer/{layer}/att/{'content' if found[1] == 'content' else 'place'}/offset"
    for pattern, place in PLACES:
        if re.fullmatch(pattern, head):
            role = re.sub(f"^{pattern}$", place, head)
            if "Norm" in kind:
                return f"{role}/{NORM.get(leaf, 'moving_variance')}"
            return f"{role}/{'kernel' if leaf == 'weight' else leaf}"
    raise ValueError(key)


def port() -> Any:
    """Return the port; its second list of the same modules is put out of the state's sight."""
    import torch

    module = library()

    class Network(module.Enformer):  # type: ignore[misc, name-defined]
        def forward(self, bases: Any) -> Any:
            found = super().forward(bases)
            return [found["human"], found["mouse"]]

    model = Network(
        module.EnformerConfig(
            dim=DIM,
            depth=DEPTH,
            heads=HEADS,
            attn_dim_key=KEY,
            num_downsamples=TOWER + 1,
            dim_divisible_by=24,
            target_length=-1,
            output_heads={"human": 7, "mouse": 5},
        )
    )
    trunk = model._modules.pop("_trunk")
    object.__setattr__(model, "_trunk", trunk)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm1d | torch.nn.LayerNorm):
            part.eps = 1e-3 if isinstance(part, torch.nn.BatchNorm1d) else 1e-6
    return model


def convert(values: dict[str, np.ndarray]) -> dict[str, np.ndarray | None]:
    """Give the matrices of the poolings two axes of length one, as convolutions have."""
    return {role: v[None, None] for role, v in values.items() if role.endswith("/pool/kernel")}


PORTED = (
    Ported(
        "t_enformer_sonnet",
        "enformer",
        "tf1_to_pt",
        "names",
        lambda: tf_side(genome, sonnet, train=True, optimizer="Adam", graph=False),
        lambda: torch_side(port, role_of, {"bases": (1, LENGTH, 4)}),
        convert=convert,
        told=(r"layer/\d/att/(\w+)/offset", ("content", "place")),
        notes="DeepMind's names in Sonnet beside those of enformer-pytorch, whose lists of modules "
        "have numbers only",
    ),
)

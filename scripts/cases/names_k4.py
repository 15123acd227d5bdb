"""Cases of the eleventh batch that stand alone: Phi-3's fused projections, ERNIE's file, scale."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cases.case import Case, Codes, Row
from cases.converters_i import Shapes
from cases.hub_twins import AT, HEADS, HUB, SIZES, TABLE, Move, Twin, same, turned
from cases.names_k3 import ERNIE, PERFORMER
from cases.sides import ported_case


def rows(first: int, last: int, heads: int = 0) -> Move:
    """Take rows of a fused matrix, turned; heads get an axis of their own."""

    def move(value: np.ndarray) -> np.ndarray:
        part = value[first:last].T
        return part.reshape(part.shape[0], heads, -1) if heads else part

    return move


WIDE = 40
PHI3 = Twin(
    "p_phi3_split",
    "phi-3",
    "Phi3Config",
    "Phi3ForCausalLM",
    {
        **SIZES,
        "num_hidden_layers": 5,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 2,
        "intermediate_size": WIDE,
        "pad_token_id": 0,
    },
    "Phi3Backbone",
    {
        **HUB,
        "num_layers": 5,
        "num_query_heads": HEADS,
        "num_key_value_heads": 2,
        "intermediate_dim": WIDE,
        "layer_norm_epsilon": 1e-5,
    },
    (
        (TABLE, "model.embed_tokens.weight", same),
        ("token_embedding/reverse_embeddings", "lm_head.weight", turned),
        (f"{AT}pre_attention_layernorm/scale", r"model.layers.\1.input_layernorm.weight", same),
        (
            f"{AT}post_attention_layernorm/scale",
            r"model.layers.\1.post_attention_layernorm.weight",
            same,
        ),
        *(
            (
                f"{AT}attention/{word}/kernel",
                r"model.layers.\1.self_attn.qkv_proj.weight",
                rows(first, last, heads),
            )
            for word, first, last, heads in (
                ("query", 0, 24, HEADS),
                ("key", 24, 36, 2),
                ("value", 36, 48, 2),
            )
        ),
        (
            f"{AT}attention/attention_output/kernel",
            r"model.layers.\1.self_attn.o_proj.weight",
            lambda value: value.T.reshape(HEADS, -1, value.shape[0]),
        ),
        (
            f"{AT}feedforward_gate_dense/kernel",
            r"model.layers.\1.mlp.gate_up_proj.weight",
            rows(0, WIDE),
        ),
        (
            f"{AT}feedforward_intermediate_dense/kernel",
            r"model.layers.\1.mlp.gate_up_proj.weight",
            rows(WIDE, 2 * WIDE),
        ),
        (
            f"{AT}feedforward_output_dense/kernel",
            r"model.layers.\1.mlp.down_proj.weight",
            turned,
        ),
        ("sequence_output_layernorm/scale", "model.norm.weight", same),
    ),
    notes="queries, keys and values are parts of one tensor; so are the gate and what it gates",
)


def ernie() -> Case:
    """Baidu's file: each variable, its two moments, and how far they have decayed."""
    case = ported_case(ERNIE)
    held: list[Row] = list(case.actual)
    for name, shape, dtype in case.actual:
        held += [(f"{name}_moment{k}_0", shape, dtype) for k in (1, 2)]
        held += [(f"{name}_beta{k}_pow_acc_0", (1,), dtype) for k in (1, 2)]
    return replace(case, actual=[*held, ("@LR_DECAY_COUNTER@", (1,), "int64")])


def averages() -> Case:
    """A Performer's export of nothing but its moving averages."""
    case = ported_case(PERFORMER)
    end = "/ExponentialMovingAverage"
    return replace(
        case,
        actual=[(f"{name}{end}", shape, dtype) for name, shape, dtype in case.actual],
        truth={e: a and f"{a}{end}" for e, a in case.truth.items()},
    )


def crossmodal() -> Case:
    """A crossmodal encoder of many layers in three stacks, with averages and two slots."""
    n, wide = 16, 24
    stacks = (("txt", "text", 48), ("img", "image", 40), ("x", "fusion", 32))
    pairs: list[tuple[str, str, tuple[int, ...]]] = []

    def dense(old: str, new: str, shape: tuple[int, int]) -> None:
        pairs.append((f"{old}/w", f"{new}/kernel", shape))
        pairs.append((f"{old}/b", f"{new}/bias", shape[1:]))

    def norm_of(old: str, new: str) -> None:
        pairs.append((f"{old}/g", f"{new}/gamma", (n,)))
        pairs.append((f"{old}/b", f"{new}/beta", (n,)))

    for short, word, count in stacks:
        for i in range(count):
            old, new = f"net/{short}_stack/blk{i:03d}", f"{word}_encoder/layer_{i}"
            parts = [("att", "self_attention")] + [("xatt", "cross_attention")] * (short == "x")
            for part, name in parts:
                for one, role in (("q", "query"), ("k", "key"), ("v", "value"), ("o", "output")):
                    dense(f"{old}/{part}/{one}", f"{new}/{name}/{role}", (n, n))
                norm_of(f"{old}/{part}/ln", f"{new}/{name}_layer_norm")
            dense(f"{old}/ffn/in", f"{new}/intermediate", (n, wide))
            dense(f"{old}/ffn/out", f"{new}/output", (wide, n))
            norm_of(f"{old}/ffn/ln", f"{new}/output_layer_norm")
    for short, word, _ in stacks:
        norm_of(f"net/{short}_stack/ln_f", f"{word}_encoder/final_layer_norm")
    pairs.append(("net/txt_emb/w", "text_embeddings/embeddings", (97, n)))
    dense("net/img_patch", "patch_embeddings/projection", (48, n))
    order = np.random.RandomState(11).permutation(len(pairs))
    actual: list[Row] = [("global_step", (), "int64")]
    for at in order:
        name, _, shape = pairs[at]
        for suffix in ("", "/adam_m", "/adam_v", "/ExponentialMovingAverage"):
            actual.append((name + suffix, shape, "float32"))
    return Case(
        "d_scale_crossmodal_slots",
        "crossmodal-encoder",
        "scale",
        "names",
        actual,
        [(new, shape, "float32") for _, new, shape in pairs],
        {new: old for old, new, _ in pairs},
        "names of one generator under two namings; truth by construction",
        f"{len(pairs)} names, each with two slots and an average; the raw values are asked for",
    )


def hybrid_shapes(n: int, heads: int, counts: tuple[int, ...], wide: int) -> Shapes:
    """Names of Google's R+ViT in a .npz: a ResNet with group norms, then a ViT."""
    shapes: Shapes = {"conv_root/kernel": (7, 7, 3, 32), "cls": (1, 1, n)}

    def norm(at: str, width: int, image: bool = False) -> None:
        shape = (1, 1, 1, width) if image else (width,)
        shapes.update({f"{at}/scale": shape, f"{at}/bias": shape})

    def dense(at: str, *shape: int) -> None:
        shapes.update({f"{at}/kernel": shape, f"{at}/bias": shape[-1:]})

    norm("gn_root", 32)
    last = 32
    for i, count in enumerate(counts):
        for k in range(count):
            at = f"block{i + 1}/unit{k + 1}"
            for r, shape in enumerate(((1, 1, last, 32), (3, 3, 32, 32), (1, 1, 32, wide)), 1):
                shapes[f"{at}/conv{r}/kernel"] = shape
                norm(f"{at}/gn{r}", shape[-1], True)
            if not k:
                shapes[f"{at}/conv_proj/kernel"] = (1, 1, last, wide)
                norm(f"{at}/gn_proj", wide, True)
            last = wide
    dense("embedding", 1, 1, wide, n)
    shapes["Transformer/posembed_input/pos_embedding"] = (1, 5, n)
    for i in range(4):
        at = f"Transformer/encoderblock_{i}"
        norm(f"{at}/LayerNorm_0", n)
        norm(f"{at}/LayerNorm_2", n)
        for one in ("query", "key", "value"):
            shapes[f"{at}/MultiHeadDotProductAttention_1/{one}/kernel"] = (n, heads, n // heads)
            shapes[f"{at}/MultiHeadDotProductAttention_1/{one}/bias"] = (heads, n // heads)
        shapes[f"{at}/MultiHeadDotProductAttention_1/out/kernel"] = (heads, n // heads, n)
        shapes[f"{at}/MultiHeadDotProductAttention_1/out/bias"] = (n,)
        dense(f"{at}/MlpBlock_3/Dense_0", n, 2 * n)
        dense(f"{at}/MlpBlock_3/Dense_1", 2 * n, n)
    norm("Transformer/encoder_norm", n)
    dense("head", n, 7)
    return shapes


def hybrid() -> Case:
    """Google's .npz of an R+ViT, as timm's reader takes it."""
    import timm
    import torch
    from timm.layers import StdConv2dSame
    from timm.models import resnetv2, vision_transformer
    from timm.models.vision_transformer_hybrid import HybridEmbed

    n, heads, counts, wide = 48, 4, (1, 2, 1, 1), 128
    trunk = resnetv2.ResNetV2(
        layers=counts,
        channels=(wide,) * 4,
        num_classes=0,
        global_pool="",
        preact=False,
        stem_type="same",
        stem_chs=32,
        conv_layer=partial(StdConv2dSame, eps=1e-8),
    )
    model = vision_transformer.VisionTransformer(
        img_size=64,
        patch_size=1,
        num_classes=7,
        embed_dim=n,
        depth=4,
        num_heads=heads,
        mlp_ratio=2,
        embed_layer=partial(HybridEmbed, backbone=trunk),
    )
    codes, shapes = Codes(), hybrid_shapes(n, heads, counts, wide)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = str(Path(folder) / "R.npz")
        np.savez(path, **{name: codes.array(name, shape) for name, shape in shapes.items()})
        model.load_pretrained(path)
    state = model.state_dict()
    trace = codes.trace({name: value.double().numpy() for name, value in state.items()})
    return Case(
        "c_vit_hybrid_npz",
        "vit-hybrid",
        "flax_to_pt",
        "names",
        [(name, shape, "float32") for name, shape in shapes.items()],
        [(name, tuple(value.shape), "float32") for name, value in state.items()],
        trace.truth,
        f"timm {timm.__version__}: its reader of Google's .npz run on numbered values; truth and "
        "layouts read off them",
        "queries, keys and values are one tensor on the expected side only",
        trace.layout,
        {},
        trace.composite,
    )


def other_k_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "t_ernie_static_graph", ernie
    yield "performer_ema_only_export__classifier", averages
    yield "c_vit_hybrid_npz", hybrid
    yield "d_scale_crossmodal_slots", crossmodal

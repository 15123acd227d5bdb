"""Cases of the eleventh batch that stand alone: Phi-3's fused projections, ERNIE's file, scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from cases.case import Case, Row
from cases.hub_twins import AT, HEADS, HUB, SIZES, TABLE, Move, Twin, same, turned
from cases.names_k3 import ERNIE
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


def other_k_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "t_ernie_static_graph", ernie
    yield "d_scale_crossmodal_slots", crossmodal

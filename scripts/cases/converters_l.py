"""Transformers of the twelfth batch: converters of other programs' checkpoints, keras_hub ports."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

from cases.batch2 import LLM
from cases.case import Case, Codes, Row
from cases.converters_i import Shapes, read, script
from cases.converters_k import told
from cases.hub_twins import AT, HEADS, HUB, SIZES, TABLE, Twin, layer, norm, third, twin_case
from cases.pairs_i import newer_port

FALCON = Twin(
    "p_falcon_split",
    "falcon",
    "FalconConfig",
    "FalconModel",
    {
        **SIZES,
        "num_hidden_layers": 6,
        "num_attention_heads": HEADS,
        "ffn_hidden_size": 96,
        "alibi": True,
        "bias": True,
        "parallel_attn": False,
        "multi_query": False,
        "new_decoder_architecture": False,
    },
    "FalconBackbone",
    {**HUB, "num_layers": 6, "num_attention_heads": HEADS, "intermediate_dim": 96},
    (
        (TABLE, "word_embeddings.weight", lambda value: value),
        *norm(f"{AT}input_layernorm", r"h.\1.input_layernorm"),
        *norm(f"{AT}post_attention_layernorm", r"h.\1.post_attention_layernorm"),
        *(
            one
            for at, word in enumerate(("query", "key", "value"))
            for one in layer(
                f"{AT}attention/{word}_dense",
                r"h.\1.self_attention.query_key_value",
                third(at),
                third(at),
            )
        ),
        *layer(f"{AT}attention/output_dense", r"h.\1.self_attention.dense"),
        *layer(f"{AT}dense_h_to_4h", r"h.\1.mlp.dense_h_to_4h"),
        *layer(f"{AT}dense_4h_to_h", r"h.\1.mlp.dense_4h_to_h"),
        *norm("final_layernorm", "ln_f"),
    ),
    prefix="transformer.",
    notes="three expected projections are parts of one fused tensor",
)


def falcon() -> Case:
    """Falcon; transformers' plain attention would add its slopes to the mask a second time."""
    from transformers.models.falcon.modeling_falcon import FalconModel

    plain = FalconModel._update_causal_mask

    def once(model: Any, *inputs: Any) -> Any:
        return plain(model, *inputs[:-1], None)

    with mock.patch.object(FalconModel, "_update_causal_mask", once):
        return twin_case(FALCON)


def gemma3() -> Case:
    """Gemma 3's text model: norms on all sides, and of queries and keys."""
    sizes = {**LLM, "head_dim": 6, "num_hidden_layers": 6}
    names = ("Gemma3TextConfig", "Gemma3ForCausalLM")
    with mock.patch.dict(sys.modules, {"sentencepiece": mock.MagicMock()}):
        return told(newer_port("p_gemma3", "gemma3", "convert_gemma3", names, sizes))


def reformer_shapes(
    n: int, heads: int, wide: int, kinds: tuple[str, ...], places: tuple[tuple[int, ...], ...]
) -> Shapes:
    """Paths of Trax's nested tuples of a Reformer language model."""
    shapes: Shapes = {"weights/1": (97, n)}
    for i, shape in enumerate(places):
        shapes[f"weights/3/{i}/0"] = shape

    def pair(at: str, *shape: int) -> None:
        shapes[f"{at}/0"] = shape
        shapes[f"{at}/1"] = shape[-1:]

    for i, kind in enumerate(kinds):
        at = f"weights/5/{4 * i}"
        pair(f"{at}/0/0", n)
        inner = 2 if kind == "lsh" else 3
        for k in range(inner):
            shapes[f"{at}/1/{k}"] = (heads, n, n // heads)
        shapes[f"{at}/1/{inner}"] = (heads, n // heads, n)
        at = f"weights/5/{4 * i + 2}/0/1/2"
        pair(f"{at}/0", n)
        pair(f"{at}/1", n, wide)
        pair(f"{at}/4", wide, n)
    pair("weights/7", 2 * n)
    pair("weights/9", 2 * n, 97)
    return shapes


def tuples(values: dict[str, Any]) -> Any:
    """Return the nested tuples of paths of numbers; places that no path names are empty."""
    if "" in values:
        return values[""]
    tree: dict[int, dict[str, Any]] = {}
    for path, value in values.items():
        head, _, rest = path.partition("/")
        tree.setdefault(int(head), {})[rest] = value
    return tuple(tuples(tree[i]) if i in tree else () for i in range(max(tree) + 1))


def reformer() -> Case:
    """Trax's Reformer, whose file is tuples within tuples, as transformers' script reads it."""
    import transformers

    module = script("reformer.convert_reformer_trax_checkpoint_to_pytorch")
    n, heads, wide, kinds = 24, 4, 40, ("local", "lsh", "local", "lsh", "local")
    config = transformers.ReformerConfig(
        vocab_size=97,
        hidden_size=n,
        num_attention_heads=heads,
        attention_head_size=n // heads,
        feed_forward_size=wide,
        attn_layers=list(kinds),
        axial_pos_shape=(4, 8),
        axial_pos_embds_dim=(8, 16),
        max_position_embeddings=32,
        is_decoder=True,
    )
    model = transformers.ReformerModelWithLMHead(config)
    shapes = reformer_shapes(n, heads, wide, kinds, ((4, 1, 8), (1, 8, 16)))
    codes = Codes()
    values = {name.partition("/")[2]: codes.array(name, shape) for name, shape in shapes.items()}
    trax = list(tuples(values))
    trax[5] = (*trax[5], ())  # the last layer's part without weights
    module.set_model_weights_in_torch(trax, model, n)
    model.lm_head._tie_weights()  # as loading the saved model does
    what = "its script for Trax's Reformer"
    case = read("c_reformer_trax", "reformer", "trax_to_pt", shapes, model, codes, what)
    rows: list[Row] = list(case.actual)
    for at, (_, shape, dtype) in enumerate(case.actual):
        if shape is not None and len(shape) > 1:
            rows += [(f"slots/{at}/0", shape[:-1], dtype), (f"slots/{at}/1", shape[-1:], dtype)]
        else:
            rows.append((f"slots/{at}/0", shape, dtype))
    notes = "the file holds nested tuples; Adafactor's slots stand in a list of their own"
    return replace(case, needs="graph", actual=[*rows, ("step", (), "int32")], notes=notes)


def converter_l_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "p_falcon_split", falcon
    yield "p_gemma3", gemma3
    yield "c_reformer_trax", reformer

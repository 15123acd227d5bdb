"""Transformers of the eleventh batch: converters of other programs' checkpoints."""

from __future__ import annotations

import collections
import collections.abc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any
from unittest import mock

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


from cases.batch1 import TEXT
from cases.batch2 import LLM
from cases.case import Case, Codes, Row
from cases.converters_i import Shapes, nested, read
from cases.packages_k import alone
from cases.pairs_i import newer_port
from cases.tf1_checkpoints import Names, Original, _bert_layer, original_case

TWICE = "paths that two variables of the Keras model share are not asked for"


def told(case: Case) -> Case:
    """Drop the expected variables whose path another one has too, and buffers."""
    count = Counter(name for name, _, _ in case.expected)
    kept = [row for row in case.expected if count[row[0]] == 1]
    names = {name for name, _, _ in kept}
    return replace(
        case,
        expected=kept,
        truth={e: a for e, a in case.truth.items() if e in names},
        layout={e: word for e, word in case.layout.items() if e in names},
        composite=[e for e in case.composite if e in names],
        notes=TWICE,
    )


def smollm3() -> Case:
    """SmolLM 3: every fourth layer has no rotation; a student beside its teacher."""
    names = ("SmolLM3Config", "SmolLM3ForCausalLM")
    sizes = {**LLM, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    sizes |= {"num_hidden_layers": 6}
    case = told(newer_port("p_smollm3", "smollm3", "convert_smollm3", names, sizes))
    rows = [(f"{one}.{n}", *rest) for one in ("student", "teacher") for n, *rest in case.actual]
    return replace(
        case,
        kind="scope_prefix",
        actual=rows,
        truth={e: a and f"student.{a}" for e, a in case.truth.items()},
        notes=f"a distillation's file; the student is what the user wants; {TWICE}",
    )


def blip2() -> Case:
    """BLIP-2: a picture's encoder (fused projections), queries, and an OPT."""
    n = {"num_attention_heads": 4}
    vision = {**n, "hidden_size": 32, "num_hidden_layers": 3, "intermediate_size": 48}
    vision |= {"image_size": 32, "patch_size": 8}
    queries = {**n, "hidden_size": 24, "num_hidden_layers": 4, "intermediate_size": 40}
    queries |= {"encoder_hidden_size": 32, "vocab_size": 97}
    text = {**n, "model_type": "opt", "vocab_size": 97, "hidden_size": 24, "ffn_dim": 40}
    text |= {"num_hidden_layers": 3, "max_position_embeddings": 32, "word_embed_proj_dim": 24}
    sizes = {"vision_config": vision, "qformer_config": queries, "text_config": text}
    names = ("Blip2Config", "Blip2ForConditionalGeneration")
    sizes["num_query_tokens"] = 5  # type: ignore[assignment]
    return told(newer_port("p_blip2", "blip-2", "convert_blip2", names, sizes))


def roc_bert(config: Any, _: Any) -> Names:
    """Names of RoCBert: BERT's scopes under its own; tables of sounds and of shapes."""
    n, wide = config.hidden_size, config.intermediate_size
    at = "roc_bert/embeddings"
    names: Names = {
        f"{at}/word_embeddings": (config.vocab_size, n),
        f"{at}/position_embeddings": (config.max_position_embeddings, n),
        f"{at}/token_type_embeddings": (config.type_vocab_size, n),
    }
    both = n + config.pronunciation_embed_dim + config.shape_embed_dim
    names |= {f"{at}/map_inputs_layer/kernel": (both, n), f"{at}/map_inputs_layer/bias": (n,)}
    names |= {f"{at}/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    for i in range(config.num_hidden_layers):
        names |= _bert_layer(f"roc_bert/encoder/layer_{i}", n, wide)
    names |= {"roc_bert/pooler/dense/kernel": (n, n), "roc_bert/pooler/dense/bias": (n,)}
    at = "cls/predictions"
    names |= {f"{at}/transform/dense/kernel": (n, n), f"{at}/transform/dense/bias": (n,)}
    names |= {f"{at}/transform/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    return names | {f"{at}/output_bias": (config.vocab_size,)}


ROC_BERT = Original(
    "t_roc_bert_slots",
    "roc-bert",
    "RoCBertConfig",
    "RoCBertForPreTraining",
    {
        **TEXT,
        "num_hidden_layers": 12,
        "type_vocab_size": 2,
        "pronunciation_vocab_size": 31,
        "pronunciation_embed_dim": 16,
        "shape_vocab_size": 37,
        "shape_embed_dim": 12,
    },
    "roc_bert.modeling_roc_bert",
    roc_bert,
    "load_tf_weights_in_roc_bert",
    beside="adamw",
    notes="the reader knows no names for the tables of sounds and shapes: they are new",
)


def owlvit_shapes(n: int, heads: int, out: int, patch: int, layers: int) -> Shapes:
    """Names of Scenic's OWL-ViT: a CLIP in Flax, heads for classes and boxes."""
    shapes: Shapes = {}

    def norm(at: str, width: int = n) -> None:
        shapes.update({f"{at}/scale": (width,), f"{at}/bias": (width,)})

    def dense(at: str, *shape: int) -> None:
        shapes.update({f"{at}/kernel": shape, f"{at}/bias": shape[-1:]})

    def blocks(at: str) -> None:
        each = n // heads
        for i in range(layers):
            block = f"{at}/resblocks.{i}"
            for one in ("query", "key", "value"):
                shapes[f"{block}/attn/{one}/kernel"] = (n, heads, each)
                shapes[f"{block}/attn/{one}/bias"] = (heads, each)
            shapes[f"{block}/attn/out/kernel"] = (heads, each, n)
            shapes[f"{block}/attn/out/bias"] = (n,)
            norm(f"{block}/ln_1")
            norm(f"{block}/ln_2")
            dense(f"{block}/mlp/c_fc", n, 4 * n)
            dense(f"{block}/mlp/c_proj", 4 * n, n)

    clip = "backbone/clip"
    shapes[f"{clip}/visual/class_embedding"] = (n,)
    shapes[f"{clip}/visual/conv1/kernel"] = (patch, patch, 3, n)
    shapes[f"{clip}/visual/positional_embedding"] = (17, n)
    shapes[f"{clip}/visual/proj/kernel"] = (n, out)
    norm(f"{clip}/visual/ln_pre")
    norm(f"{clip}/visual/ln_post")
    blocks(f"{clip}/visual/transformer")
    shapes[f"{clip}/text/token_embedding/embedding"] = (97, n)
    shapes[f"{clip}/text/positional_embedding"] = (16, n)
    norm(f"{clip}/text/ln_final")
    blocks(f"{clip}/text/transformer")
    shapes[f"{clip}/text/text_projection/kernel"] = (n, out)
    shapes[f"{clip}/logit_scale"] = ()
    norm("backbone/merged_class_token")
    dense("class_head/Dense_0", n, n)
    dense("class_head/logit_shift", n, 1)
    dense("class_head/logit_scale", n, 1)
    for i, width in enumerate((n, n, 4)):
        dense(f"obj_box_head/Dense_{i}", n, width)
    return shapes


def owlvit() -> Case:
    """Scenic's OWL-ViT in Flax, read by transformers' script."""
    import torch
    import transformers

    n, heads, layers, patch, out = 128, 2, 3, 8, 24
    tree = owlvit_shapes(n, heads, out, patch, layers)
    shared = {"hidden_size": n, "intermediate_size": 4 * n, "num_hidden_layers": layers}
    shared["num_attention_heads"] = heads
    config = transformers.OwlViTConfig(
        text_config={**shared, "vocab_size": 97, "max_position_embeddings": 16},
        vision_config={**shared, "image_size": 32, "patch_size": patch},
        projection_dim=out,
    )
    sizes = {
        "embed_dim": out,
        "image_resolution": 32,
        "context_length": 16,
        "vocab_size": 97,
        "vision_layers": layers,
        "vision_width": n,
        "vision_patch_size": patch,
        "transformer_width": n,
        "transformer_heads": heads,
        "transformer_layers": layers,
    }
    stubs = {one: mock.MagicMock() for one in ("jax", "jax.numpy", "flax", "flax.training")}
    clip = alone("clip.model")
    collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]
    with (
        mock.patch.dict(sys.modules, {**stubs, "clip": mock.MagicMock(), "clip.model": clip}),
        mock.patch("huggingface_hub.Repository", mock.MagicMock(), create=True),
    ):
        module = import_module("transformers.models.owlvit.convert_owlvit_original_flax_to_hf")
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in tree.items()}
    kept: list[Any] = []
    with (
        mock.patch.object(module, "OwlViTConfig", lambda: config),
        mock.patch.object(module, "OwlViTProcessor"),
        mock.patch.object(module, "OwlViTImageProcessor"),
        mock.patch.object(module, "CLIPTokenizer"),
        mock.patch.object(
            transformers.OwlViTForObjectDetection,
            "save_pretrained",
            lambda model, _: kept.append(model),
        ),
        torch.no_grad(),
    ):
        parts = module.convert_clip_backbone(nested(values), sizes)
        module.convert_owlvit_checkpoint(parts[1], nested(values), parts[2], "owlvit")
    what = "its script for Scenic's OWL-ViT"
    case = read("c_owlvit_scenic", "owl-vit", "flax_to_pt", tree, kept[0], codes, what)
    return adam_tree(case)


def adam_tree(case: Case) -> Case:
    """Put Flax's former optimizer around the weights: target, and Adam's two moments."""
    rows: list[Row] = [("optimizer/state/step", (), "int32"), ("global_step", (), "int32")]
    for name, shape, dtype in case.actual:
        rows.append((f"optimizer/target/{name}", shape, dtype))
        at = f"optimizer/state/param_states/{name}"
        rows += [(f"{at}/grad_ema", shape, dtype), (f"{at}/grad_sq_ema", shape, dtype)]
    truth = {e: None if a is None else f"optimizer/target/{a}" for e, a in case.truth.items()}
    return replace(case, actual=rows, truth=truth)


def converter_k_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "p_smollm3", smollm3
    yield "p_blip2", blip2
    yield "t_roc_bert_slots", lambda: original_case(ROC_BERT)
    yield "c_owlvit_scenic", owlvit

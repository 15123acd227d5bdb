"""Cases of the ninth batch from converters of checkpoints that other programs wrote.

Each converter is run on numbered values; truth and layouts are read off the numbers. What a
converter only needs to open files (flax, t5x) is stubbed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest import mock

from cases.case import Case, Codes

Shapes = dict[str, tuple[int, ...]]


def flatten(tree: dict[str, Any], at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return {path: leaf} as flax.traverse_util.flatten_dict does."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flatten(value, (*at, key))
        else:
            found[(*at, key)] = value
    return found


def nested(values: dict[str, Any], split: str = "/") -> dict[str, Any]:
    """Return the tree of {"a/b/c": leaf}."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, leaf = name.split(split)
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = value
    return tree


def script(name: str) -> ModuleType:
    """Import a conversion script of transformers."""
    import transformers  # noqa: F401  (it looks for flax itself, before there are stubs)

    for one in ("flax", "t5x", "gdown", "unilm", "unilm.wavlm", "unilm.wavlm.WavLM"):
        sys.modules.setdefault(one, mock.MagicMock())
    tools = ModuleType("flax.traverse_util")
    tools.flatten_dict = flatten  # type: ignore[attr-defined]
    sys.modules["flax"].traverse_util = tools  # type: ignore[attr-defined]
    sys.modules["flax.traverse_util"] = tools
    return import_module(f"transformers.models.{name}")


def read(
    case_id: str,
    family: str,
    kind: str,
    shapes: Shapes,
    model: Any,
    codes: Codes,
    what: str,
    notes: str = "",
) -> Case:
    """Return the case of a torch model that holds what a converter made of numbered values."""
    import transformers

    state = {k: v for k, v in model.state_dict().items() if not k.endswith("position_ids")}
    trace = codes.trace({k: v.detach().double().numpy() for k, v in state.items()})
    seen: dict[int, str] = {}
    shared = {k for k, v in state.items() if seen.setdefault(v.data_ptr(), k) != k}
    for name in shared:
        trace.layout.setdefault(name, "tied")
    return Case(
        case_id,
        family,
        kind,
        "names",
        [(name, tuple(shape), "float32") for name, shape in shapes.items()],
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        trace.truth,
        f"transformers {transformers.__version__}: {what} run on numbered values; truth and "
        "layouts read off them",
        notes,
        trace.layout,
        {},
        trace.composite,
    )


def under(key: str, case: Case) -> Case:
    """Put the actual side under a key of a torch file."""
    rows = [(f"{key}.{name}", shape, dtype) for name, shape, dtype in case.actual]
    truth = {e: None if a is None else f"{key}.{a}" for e, a in case.truth.items()}
    return replace(case, actual=rows, truth=truth)


def t5x_slots(case: Case) -> Case:
    """Put Adafactor's slots beside the weights as T5X keeps them."""
    rows = list(case.actual)
    for name, shape, dtype in case.actual:
        at = name.replace("target/", "state/param_states/", 1)
        if shape is not None and len(shape) > 1:
            rows += [(f"{at}/v_row", shape[:-1], dtype), (f"{at}/v_col", shape[1:], dtype)]
        else:
            rows.append((f"{at}/v", shape, dtype))
    return replace(case, actual=[*rows, ("state/step", (), "int32")])


def pix2struct() -> Case:
    """Google's T5X checkpoint of Pix2Struct."""
    import transformers

    module = script("pix2struct.convert_pix2struct_original_pytorch_to_hf")
    n, wide, heads, layers = 24, 40, 4, 4
    vision = transformers.Pix2StructVisionConfig(
        hidden_size=n,
        patch_embed_hidden_size=27,
        d_ff=wide,
        d_kv=n // heads,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        seq_len=20,
    )
    text = transformers.Pix2StructTextConfig(
        vocab_size=97, hidden_size=n, d_kv=n // heads, d_ff=wide, num_layers=3, num_heads=heads
    )
    config = transformers.Pix2StructConfig(
        vision_config=vision.to_dict(), text_config=text.to_dict()
    )
    model = transformers.Pix2StructForConditionalGeneration(config)
    at = "target/encoder"
    shapes: Shapes = {
        f"{at}/token_embedder/patch_projection/kernel": (27, n),
        f"{at}/token_embedder/patch_projection/bias": (n,),
        f"{at}/token_embedder/embedders_0/pos_embedding": (20, n),
        f"{at}/token_embedder/embedders_1/pos_embedding": (20, n),
    }
    for side, count in (("encoder", layers), ("decoder", 3)):
        kinds = (
            ("attention",) if side == "encoder" else ("self_attention", "encoder_decoder_attention")
        )
        norms = ("pre_attention", "pre_mlp")
        norms = (
            norms if side == "encoder" else ("pre_self_attention", "pre_cross_attention", "pre_mlp")
        )
        for i in range(count):
            at = f"target/{side}/layers_{i}"
            shapes |= {f"{at}/{one}_layer_norm/scale": (n,) for one in norms}
            for kind in kinds:
                for one in ("query", "key", "value", "out"):
                    shapes[f"{at}/{kind}/{one}/kernel"] = (n, n)
            shapes |= {f"{at}/mlp/wi_{k}/kernel": (n, wide) for k in (0, 1)}
            shapes[f"{at}/mlp/wo/kernel"] = (wide, n)
        shapes[f"target/{side}/{side}_norm/scale"] = (n,)
    shapes["target/decoder/token_embedder/embedding"] = (97, n)
    shapes["target/decoder/relpos_bias/rel_embedding"] = (heads, 32)
    shapes["target/decoder/logits_dense/kernel"] = (n, 97)
    codes = Codes()
    tree = nested({name: codes.array(name, shape) for name, shape in shapes.items()})
    model.load_state_dict(module.rename_and_convert_flax_params(flatten(tree)))
    what = "its converter of the T5X checkpoint"
    return t5x_slots(
        read("c_pix2struct_t5x", "pix2struct", "flax_to_pt", shapes, model, codes, what)
    )


def umt5() -> Case:
    """Google's T5X checkpoint of umT5: the layers of a stack are one tensor each."""
    import torch
    import transformers

    module = script("umt5.convert_umt5_checkpoint_to_pytorch")
    n, wide, heads, layers = 24, 40, 4, 4
    config = transformers.UMT5Config(
        vocab_size=97,
        d_model=n,
        d_kv=n // heads,
        d_ff=wide,
        num_layers=layers,
        num_decoder_layers=layers,
        num_heads=heads,
        tie_word_embeddings=False,
    )
    model = transformers.UMT5ForConditionalGeneration(config)
    shapes: Shapes = {"target/token_embedder/embedding": (97, n)}
    for side in ("encoder", "decoder"):
        at = f"target/{side}/{side}"
        kinds = (
            ("attention",) if side == "encoder" else ("self_attention", "encoder_decoder_attention")
        )
        norms = ("pre_attention", "pre_mlp")
        norms = (
            norms if side == "encoder" else ("pre_self_attention", "pre_cross_attention", "pre_mlp")
        )
        for kind in kinds:
            for one in ("query", "key", "value"):
                shapes[f"{at}/{kind}/{one}/kernel"] = (n, layers, heads, n // heads)
            shapes[f"{at}/{kind}/out/kernel"] = (heads, layers, n // heads, n)
        shapes |= {f"{at}/{one}_layer_norm/scale": (n, layers) for one in norms}
        shapes |= {f"{at}/mlp/wi_{k}/kernel": (n, layers, wide) for k in (0, 1)}
        shapes[f"{at}/mlp/wo/kernel"] = (wide, layers, n)
        shapes[f"{at}/relpos_bias/rel_embedding"] = (heads, layers, 32)
        shapes[f"target/{side}/{side}_norm/scale"] = (n,)
    shapes["target/decoder/logits_dense/kernel"] = (n, 97)
    codes = Codes()
    tree = nested({name: codes.array(name, shape) for name, shape in shapes.items()})
    new = module.convert_t5x_to_pytorch(
        tree, num_layers=layers, is_encoder_only=False, scalable_attention=True
    )
    state = module.make_state_dict(new, False)
    model.load_state_dict({k: torch.as_tensor(v) for k, v in state.items()})
    return read(
        "c_umt5_scanned",
        "umt5",
        "flax_to_pt",
        shapes,
        model,
        codes,
        "its converter of the T5X checkpoint",
        "all layers of a stack share one tensor: each expected weight is a slice of it",
    )


def siglip() -> Case:
    """big_vision's npz of SigLIP: heads have an axis of their own; the probe's head is fused."""
    import transformers

    module = script("siglip.convert_siglip_to_hf")
    n, wide, heads = 24, 40, 4
    text = {
        "hidden_size": n,
        "intermediate_size": wide,
        "num_hidden_layers": 4,
        "num_attention_heads": heads,
    }
    config = transformers.SiglipConfig(
        text_config={**text, "vocab_size": 97, "max_position_embeddings": 16},
        vision_config={**text, "image_size": 32, "patch_size": 8},
    )
    model = transformers.SiglipModel(config)
    each = (heads, n // heads)
    ends = {
        "scale": (n,),
        "LayerNorm_0/bias": (n,),
        "LayerNorm_1/bias": (n,),
        "norm/bias": (n,),
        "Dense_0/kernel": (n, wide),
        "Dense_0/bias": (wide,),
        "Dense_1/kernel": (wide, n),
        "Dense_1/bias": (n,),
        "out/kernel": (*each, n),
        "out/bias": (n,),
        **{f"{one}/kernel": (n, *each) for one in ("query", "key", "value")},
        **{f"{one}/bias": each for one in ("query", "key", "value")},
        "params/img/embedding/kernel": (8, 8, 3, n),
        "params/img/embedding/bias": (n,),
        "params/img/pos_embedding": (1, 16, n),
        "params/txt/pos_embedding": (1, 16, n),
        "probe": (1, 1, n),
        "Embed_0/embedding": (97, n),
        "head/kernel": (n, n),
        "head/bias": (n,),
        "params/t": (1,),
        "params/b": (1,),
    }
    pairs = module.create_rename_keys(config)
    at = "params/img/MAPHead_0/MultiHeadDotProductAttention_0"
    names = [old for old, _ in pairs]
    names += [
        f"{at}/{one}/{leaf}" for one in ("query", "key", "value") for leaf in ("kernel", "bias")
    ]
    shapes = {
        name: next(shape for end, shape in ends.items() if name.endswith(end)) for name in names
    }
    codes = Codes()
    state = {name: codes.array(name, shape) for name, shape in shapes.items()}
    module.read_in_q_k_v_head(state, config)
    for old, new in pairs:
        module.rename_key(state, old, new, config)
    model.load_state_dict(state)
    what = "its converter of big_vision's checkpoint"
    return read("c_siglip_flax", "siglip", "flax_to_pt", shapes, model, codes, what)


def converter_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "c_pix2struct_t5x", pix2struct
    yield "c_umt5_scanned", umt5
    yield "c_siglip_flax", siglip

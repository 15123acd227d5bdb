"""Transformers of the tenth batch: originals of T5X and mesh TensorFlow, newer ports."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np

from cases.batch1 import TEXT
from cases.beside import beside
from cases.case import Case, Codes
from cases.converters_i import Shapes, read, script, t5x_slots
from cases.huggingface import Pair
from cases.pairs_i import newer_port
from cases.tf1_checkpoints import _write

BERT = {**TEXT, "model_type": "bert", "num_hidden_layers": 5}
VIT = {
    "model_type": "vit",
    "hidden_size": 24,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "image_size": 32,
    "patch_size": 8,
}
SEQ2SEQ = Pair(
    "h_encoder_decoder",
    "encoder-decoder",
    "EncoderDecoderConfig",
    "EncoderDecoderModel",
    {
        "encoder": {**BERT},
        "decoder": {**BERT, "is_decoder": True, "add_cross_attention": True},
    },
    beside="adamw",
    notes="encoder and decoder are BERTs of one size; the decoder has a second attention",
)
DUAL = Pair(
    "h_vision_text_dual_student",
    "vision-text-dual-encoder",
    "VisionTextDualEncoderConfig",
    "VisionTextDualEncoderModel",
    {
        "vision_config": VIT,
        "text_config": {**BERT, "model_type": "roberta"},
        "projection_dim": 16,
    },
    kind="scope_prefix",
    notes="a distillation's file: only the student was trained and has slots; it is the one that "
    "is asked for",
)


def renamed(pair: Pair) -> Case:
    """Run transformers' converter of names with the renaming that composite models have.

    Its loader of whole files takes that renaming only in the other direction.
    """
    import transformers
    from transformers.modeling_tf_pytorch_utils import (
        apply_transpose,
        convert_tf_weight_name_to_pt_weight_name,
    )

    config = getattr(transformers, pair.config_class)(**pair.config)
    keras_model = getattr(transformers, f"TF{pair.model_class}")(config)
    keras_model.build_in_name_scope()
    state = getattr(transformers, pair.model_class)(config).state_dict()
    state = {k: v for k, v in state.items() if not k.endswith("position_ids")}
    codes, values, actual = Codes(), {}, []
    for weight in keras_model.weights:
        name = weight.name.removesuffix(":0")
        actual.append((name, tuple(weight.shape), weight.dtype.name))
        wanted, turn = convert_tf_weight_name_to_pt_weight_name(
            weight.name, tf_weight_shape=weight.shape
        )
        value = codes.array(name, weight.shape)
        for other in keras_model.tf_to_pt_weight_rename(wanted):
            if other in state:
                values[other] = apply_transpose(turn, value, state[other].shape, False)
    seen: dict[int, str] = {}
    for name, tensor in state.items():  # what is tied is loaded once
        first = seen.setdefault(tensor.data_ptr(), name)
        if name not in values and first in values:
            values[name] = values[first]
    for name, tensor in state.items():
        first = seen[tensor.data_ptr()]
        if first not in values and name in values:
            values[first] = values[name]
    lost = set(state) - set(values)
    if lost:
        raise ValueError(f"{pair.id}: nothing for {sorted(lost)[:3]}")
    trace = codes.trace({name: values[name] for name in state})
    case = Case(
        pair.id,
        pair.family,
        pair.kind or "keras_to_pt",
        pair.needs,
        actual,
        [(k, tuple(v.shape), str(v.dtype).removeprefix("torch.")) for k, v in state.items()],
        trace.truth,
        f"transformers {transformers.__version__}: {pair.model_class} in both frameworks, its own "
        "converter of names run on values that are numbered; truth and layouts read off the "
        "numbers",
        pair.notes,
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, pair.beside)


def student() -> Case:
    """A dual encoder in the file of its distillation."""
    case = renamed(DUAL)
    teacher = [(f"teacher/{name}", shape, dtype) for name, shape, dtype in case.actual]
    case = beside(case, "wrap:student+adam")
    return replace(case, actual=[*case.actual, *teacher])


def switch() -> Case:
    """Google's T5X checkpoint of Switch: the experts of a layer are one tensor."""
    import torch
    import transformers

    script("umt5.convert_umt5_checkpoint_to_pytorch")  # puts stubs in flax's place
    sys.modules["flax.traverse_util"].unflatten_dict = None  # type: ignore[attr-defined]
    name = "convert_switch_transformers_original_flax_checkpoint_to_pytorch"
    jax = {one: mock.MagicMock() for one in ("jax", "jax.numpy", "flax.serialization")}
    with mock.patch.dict(sys.modules, jax):
        module = import_module(f"transformers.models.switch_transformers.{name}")
    n, wide, heads, experts, layers = 24, 40, 4, 4, 4
    config = transformers.SwitchTransformersConfig(
        vocab_size=97,
        d_model=n,
        d_kv=n // heads,
        d_ff=wide,
        num_layers=layers,
        num_decoder_layers=layers,
        num_sparse_encoder_layers=2,
        num_sparse_decoder_layers=2,
        num_heads=heads,
        num_experts=experts,
    )
    model = transformers.SwitchTransformersForConditionalGeneration(config)
    shapes: Shapes = {"target/token_embedder/embedding": (97, n)}
    for side in ("encoder", "decoder"):
        kinds = (
            ["attention"] if side == "encoder" else ["self_attention", "encoder_decoder_attention"]
        )
        norms = ["attention"] if side == "encoder" else ["self_attention", "cross_attention"]
        shapes[f"target/{side}/relpos_bias/rel_embedding"] = (heads, 32)
        shapes[f"target/{side}/{side}_norm/scale"] = (n,)
        for i in range(layers):
            at = f"target/{side}/layers_{i}"
            for norm in (*norms, "mlp"):
                shapes[f"{at}/pre_{norm}_layer_norm/scale"] = (n,)
            for kind in kinds:
                for one in ("query", "key", "value", "out"):
                    shapes[f"{at}/{kind}/{one}/kernel"] = (n, n)
            if i % 2:
                shapes[f"{at}/mlp/router/router_weights/w/kernel"] = (n, experts)
                shapes[f"{at}/mlp/expert/wi/kernel"] = (experts, n, wide)
                shapes[f"{at}/mlp/expert/wo/kernel"] = (experts, wide, n)
            else:
                shapes[f"{at}/mlp/wi/kernel"] = (n, wide)
                shapes[f"{at}/mlp/wo/kernel"] = (wide, n)
    codes = Codes()
    tree = {name.removeprefix("target/"): codes.array(name, s) for name, s in shapes.items()}
    with mock.patch("builtins.print"):
        new = module.rename_keys(tree)
    state = {}
    for name, value in new.items():  # as load_flax_weights_in_pytorch_model does
        *path, leaf = name.split("/")
        word = {"kernel": "weight", "scale": "weight", "embedding": "weight"}.get(leaf, leaf)
        value = value.T if leaf == "kernel" else value
        state[".".join((*path, word))] = torch.from_numpy(np.ascontiguousarray(value))
    lost = model.load_state_dict(state, strict=False)
    tied = {f"{at}.weight" for at in ("encoder.embed_tokens", "decoder.embed_tokens", "lm_head")}
    if set(lost.missing_keys) - tied or lost.unexpected_keys:
        raise ValueError(f"{lost.missing_keys} {lost.unexpected_keys}")
    what = "its converter of the T5X checkpoint"
    note = "every second layer has experts: one tensor on one side, a module each on the other"
    case = read(
        "c_switch_t5x", "switch-transformers", "flax_to_pt", shapes, model, codes, what, note
    )
    return t5x_slots(case)


def gptsan() -> Case:
    """Tanreinama's GPTSAN on mesh TensorFlow: fused projections, stacked experts, bare names."""
    import torch
    import transformers

    at = "transformers.models.deprecated.gptsan_japanese"
    module = import_module(f"{at}.convert_gptsan_tf_checkpoint_to_pytorch")
    n, heads, wide, plain, switches, experts, vocab = 24, 4, 32, 2, 3, 16, 97
    config = transformers.GPTSanJapaneseConfig(
        vocab_size=vocab,
        max_position_embeddings=32,
        d_model=n,
        d_ff=wide,
        d_ext=40,
        d_spout=16,
        num_switch_layers=switches,
        num_ext_layers=plain,
        num_heads=heads,
        num_experts=experts,
    )
    model = transformers.GPTSanJapaneseForConditionalGeneration(config)
    shapes: Shapes = {
        f"model/{one}": tuple(v.shape)
        for one, v in (
            ("wte", model.model.embed_tokens.weight),
            ("wpe", model.model.position_embeddings.weight),
            ("ete", model.model.extra_position_embeddings.weight),
        )
    }
    shapes |= {"model/wob": (vocab,), "model/dense/kernel": (n, n), "model/dense_1/bias": (n,)}
    for i in range(switches + plain):
        for norm in ("an", "ln"):
            shapes |= {f"model/{norm}{i}/{leaf}": (n,) for leaf in "bg"}
        shapes[f"model/att{i}/qkv/kernel"] = (n, 3, heads, n // heads)
        shapes[f"model/att{i}/o/kernel"] = (heads, n // heads, n)
        if i < switches:
            shapes[f"model/moe{i}/switch_gating/kernel"] = (n, experts)
            shapes[f"model/moe{i}/softmlp/kernel"] = (n, n)
            shapes[f"model/moe{i}/moe/wi/kernel"] = (experts, n, wide)
            shapes[f"model/moe{i}/moe/wo/kernel"] = (experts, wide, n)
        else:
            for part, shape in (("p1", (n, 40)), ("p2", (40, n))):
                shapes[f"model/mlp{i}/{part}/kernel"] = shape
                shapes[f"model/mlp{i}/{part}/bias"] = shape[1:]
    past = [part for part in model.model.spout if hasattr(part, "weight")]
    for i, part in enumerate(past):
        name = "out" if i == len(past) - 1 else f"mlp{i}"
        shapes[f"pasts/{name}/kernel"] = tuple(part.weight.shape[::-1])
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in shapes.items()}
    kept: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        _write(values, str(Path(folder) / "model.ckpt"))
        (Path(folder) / "parameters.json").write_text(json.dumps({"model": "gptsan"}))
        wider = SimpleNamespace(float16=np.float64)  # halves cannot hold the numbers
        args = SimpleNamespace(tf_model_dir=folder, output="model.pt")
        with (
            mock.patch.object(module, "np", wider),
            mock.patch.object(torch, "save", lambda state, _: kept.append(state)),
        ):
            module.convert_tf_gptsan_to_pt(args)
    # The converter was written when the module was called sqout.
    state = {name.replace("sqout", "spout"): value.double() for name, value in kept[0].items()}
    lost = model.double().load_state_dict(state, strict=False)
    if lost.missing_keys or lost.unexpected_keys:
        raise ValueError(f"{lost.missing_keys} {lost.unexpected_keys}")
    what = "its converter of the mesh TensorFlow checkpoint"
    note = "qkv is one tensor, the experts of a layer are one tensor; an and ln are the norms"
    case = read("t_gptsan_mesh", "gptsan", "tf1_to_pt", shapes, model, codes, what, note)
    return beside(case, "adamw")


def dinov3() -> Case:
    """DINOv3: register tokens, layer scales, a gated MLP."""
    sizes = {**VIT, "num_register_tokens": 3, "use_gated_mlp": True}
    sizes.pop("model_type", None)
    names = ("DINOv3ViTConfig", "DINOv3ViTModel")
    return newer_port("p_dinov3", "dinov3", "convert_dinov3", names, sizes)


def converter_j_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "h_encoder_decoder", lambda: renamed(SEQ2SEQ)
    yield "h_vision_text_dual_student", student
    yield "c_switch_t5x", switch
    yield "t_gptsan_mesh", gptsan
    yield "p_dinov3", dinov3

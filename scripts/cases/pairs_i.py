"""Transformers of the ninth batch: RAG, NEZHA, a captioner, newer keras_hub ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np

from cases.batch1 import TEXT
from cases.batch2 import LLM
from cases.beside import beside
from cases.case import Case, Codes
from cases.huggingface import Pair
from cases.keras_hub_ports import CodedLoader
from cases.tf1_checkpoints import Names, Original, _bert_layer, _write, original_case

VISION = {
    "model_type": "vit",
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "image_size": 32,
    "patch_size": 8,
}
PAIRS = (
    Pair(
        "h_rag_sequence",
        "rag",
        "RagConfig",
        "RagSequenceForGeneration",
        {
            "question_encoder": {**TEXT, "model_type": "dpr", "num_hidden_layers": 3},
            "generator": {
                "model_type": "bart",
                "vocab_size": 97,
                "d_model": 24,
                "encoder_layers": 3,
                "decoder_layers": 2,
                "encoder_attention_heads": 4,
                "decoder_attention_heads": 4,
                "encoder_ffn_dim": 40,
                "decoder_ffn_dim": 40,
                "max_position_embeddings": 32,
            },
        },
        beside="adam",
    ),
)


def nezha(config: Any, _: Any) -> Names:
    """Names of Huawei's NEZHA: BERT's scopes, no table of positions."""
    n, wide = config.hidden_size, config.intermediate_size
    names: Names = {"bert/embeddings/word_embeddings": (config.vocab_size, n)}
    names["bert/embeddings/token_type_embeddings"] = (config.type_vocab_size, n)
    names |= {f"bert/embeddings/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    for i in range(config.num_hidden_layers):
        names |= _bert_layer(f"bert/encoder/layer_{i}", n, wide)
    names |= {"bert/pooler/dense/kernel": (n, n), "bert/pooler/dense/bias": (n,)}
    at = "cls/predictions"
    names |= {f"{at}/transform/dense/kernel": (n, n), f"{at}/transform/dense/bias": (n,)}
    names |= {f"{at}/transform/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    names[f"{at}/output_bias"] = (config.vocab_size,)
    names |= {"cls/seq_relationship/output_weights": (2, n)}
    return names | {"cls/seq_relationship/output_bias": (2,)}


NEZHA = {**TEXT, "num_hidden_layers": 12, "type_vocab_size": 2}
TF1 = (
    Original(
        "t_nezha_slots",
        "nezha",
        "NezhaConfig",
        "NezhaForPreTraining",
        NEZHA,
        "deprecated.nezha.modeling_nezha",
        lambda config, model: {_own(k): v for k, v in nezha(config, model).items()},
        "load_tf_weights_in_nezha",
    ),
)


def _own(name: str) -> str:
    return name.replace("bert/", "nezha/", 1)


def nezha_in_torch() -> Case:
    """Huawei's checkpoint for PyTorch: transformers' reader expects its first scope renamed."""
    case = original_case(TF1[0])
    rows = [(name.replace("nezha/", "bert/", 1), *rest) for name, *rest in case.actual]
    case.actual = rows  # type: ignore[assignment]
    case.provenance += (
        "; the reader knows the checkpoint's first scope as nezha, its authors as bert"
    )
    case.truth = {e: a and a.replace("nezha/", "bert/", 1) for e, a in case.truth.items()}
    return beside(case, "adamw")


def _is_keras(name: str) -> bool:
    return name == "keras" or name.startswith("keras.")


def nezha_in_bert4keras() -> Case:
    """The same checkpoint as bert4keras reads it, by the table of its own model."""
    import tensorflow as tf

    held = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_keras(name)}
    os.environ["TF_KERAS"] = "1"
    try:  # bert4keras puts tf.keras in the place of keras
        models = import_module("bert4keras.models")
    finally:
        for name in list(sys.modules):
            if _is_keras(name):
                del sys.modules[name]
        sys.modules.update(held)
    settings = {
        **NEZHA,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }
    names = nezha(type("Config", (), NEZHA), None)
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in names.items()}
    with tempfile.TemporaryDirectory() as folder:
        path, config = str(Path(folder) / "model.ckpt"), Path(folder) / "config.json"
        _write(values, path)
        config.write_text(json.dumps(settings))
        with tf.Graph().as_default():
            session = tf.compat.v1.Session()
            tf.compat.v1.keras.backend.set_session(session)
            model = models.build_transformer_model(
                str(config), path, model="nezha", with_mlm="linear", with_nsp=True
            )
            found = dict(
                zip((w.op.name for w in model.weights), session.run(model.weights), strict=True)
            )
    # The positions are a fixed sinusoid that bert4keras keeps as a weight: no counterpart.
    trace = codes.trace(found)
    case = Case(
        "b_nezha_bert4keras",
        "nezha",
        "tf1_to_keras",
        "names",
        [(name, shape, "float32") for name, shape in names.items()],
        [(name, value.shape, "float32") for name, value in found.items()],
        trace.truth,
        "bert4keras: its table of the original checkpoint run on numbered values; truth and "
        "layouts read off them",
        "",
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, "adam")


NEWER = """
import json, sys, transformers
made = getattr(transformers, sys.argv[1])(**json.loads(sys.argv[3]))
model = getattr(transformers, sys.argv[2])(made)
seen, rows = {}, []
for name, value in model.state_dict().items():
    if seen.setdefault(value.data_ptr(), name) == name:
        rows.append((name, list(value.shape)))
print(json.dumps([rows, made.to_dict()], default=str))
"""


def newer_port(
    case_id: str, family: str, converter: str, names: tuple[str, str], sizes: Any, drop: str = ""
) -> Case:
    """Run keras_hub's converter for a model that only newer releases of transformers have."""
    path = f"{os.environ['NEWER_TRANSFORMERS']}:{os.environ.get('PYTHONPATH', '')}"
    command = [sys.executable, "-c", NEWER, *names, json.dumps(sizes)]
    text = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, check=True, stdout=subprocess.PIPE
    ).stdout
    rows, config = json.loads(text.decode().splitlines()[-1])
    rows = [(name, tuple(shape)) for name, shape in rows]
    module = import_module(f"keras_hub.src.utils.transformers.{converter}")
    codes = Codes()
    own = {name.removeprefix(drop): name for name, _ in rows}
    loader = CodedLoader({name.removeprefix(drop): shape for name, shape in rows}, codes)
    settings = module.convert_backbone_config(config)
    backbone = module.backbone_cls(**settings)
    module.convert_weights(backbone, loader, config)
    made = [v for v in backbone.variables if "seed_generator" not in v.path]
    trace = codes.trace({v.path: np.asarray(v.value).astype(np.float64) for v in made})
    truth = {e: None if a is None else own[a] for e, a in trace.truth.items()}
    return Case(
        case_id,
        family,
        "pt_to_keras",
        "names",
        [(name, shape, "float32") for name, shape in rows],
        [(v.path, tuple(v.shape), str(v.dtype)) for v in made],
        truth,
        "keras_hub: its converter run on a tiny model whose values are numbered; truth and "
        "layouts read off the numbers",
        "",
        trace.layout,
        {},
        trace.composite,
    )


def qwen3() -> Case:
    """Qwen 3: norms of queries and keys."""
    names = ("Qwen3Config", "Qwen3ForCausalLM")
    return newer_port("p_qwen3", "qwen3", "convert_qwen3", names, {**LLM, "head_dim": 6}, "model.")


def t5gemma() -> Case:
    """T5Gemma: an encoder and a decoder of one shape."""
    part = {**LLM, "head_dim": 6, "num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}
    sizes = {"encoder": part, "decoder": part, "vocab_size": 97}
    names = ("T5GemmaConfig", "T5GemmaForConditionalGeneration")
    return newer_port("p_t5gemma", "t5gemma", "convert_t5gemma", names, sizes, "model.")


def objects() -> Case:
    """A captioning model of transformers, and the keys that tf.train.Checkpoint writes for it."""
    import tensorflow as tf
    import tf_keras
    import transformers

    decoder = {"model_type": "gpt2", "vocab_size": 97, "n_embd": 24, "n_layer": 4, "n_head": 4}
    decoder |= {"n_positions": 32, "add_cross_attention": True, "is_decoder": True}
    config = transformers.VisionEncoderDecoderConfig(encoder={**VISION}, decoder=decoder)
    model = transformers.TFVisionEncoderDecoderModel(config)
    model.build_in_name_scope()
    optimizer = tf_keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    codes = Codes()
    for weight in model.weights:
        if weight.dtype.is_floating:
            weight.assign(codes.array(weight.name.removesuffix(":0"), weight.shape))
    key_of: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        holder = tf.train.Checkpoint(model=model, optimizer=optimizer)
        reader = tf.train.load_checkpoint(holder.save(str(Path(folder) / "ckpt")))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        objects_key = "_CHECKPOINTABLE_OBJECT_GRAPH"
        graph = bytes(reader.get_tensor(objects_key))
        keys = sorted(key for key in shapes if key != objects_key)
        trace = codes.trace(
            {key: reader.get_tensor(key) for key in keys if dtypes[key].is_floating}
        )
    for key, found in trace.truth.items():
        if found is not None:
            if found in key_of:
                raise ValueError(f"{found} stands twice")
            key_of[found] = key
    expected = [
        (w.name.removesuffix(":0"), tuple(w.shape), w.dtype.name)
        for w in model.weights
        if w.dtype.is_floating
    ]
    return Case(
        "o_captioner_objects",
        "vision-encoder-decoder",
        "object_graph",
        "names",
        [(key, tuple(shapes[key]), dtypes[key].name) for key in keys],
        expected,
        {name: key_of.get(name) for name, _, _ in expected},
        f"transformers {transformers.__version__}: TFVisionEncoderDecoderModel, every weight "
        "numbered, written by tf.train.Checkpoint and read back: truth by identity",
        actual_object_graph=graph,
    )


def other_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "t_nezha_slots", nezha_in_torch
    yield "p_qwen3", qwen3
    yield "p_t5gemma", t5gemma
    yield "o_captioner_objects", objects
    yield "b_nezha_bert4keras", nezha_in_bert4keras

"""Original TF1, Keras and JAX files of the eighth batch, and the readers that libraries have."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from unittest import mock

import numpy as np

from cases.batch1 import TEXT
from cases.beside import beside
from cases.case import Case, Codes
from cases.flax_h import beit_case, longt5_case
from cases.tf1_checkpoints import Names, Original, _bert_layer, original_case


def bert_generation(config: Any, _: Any) -> Names:
    """Names of the TF Hub module of a BERT-to-BERT summarizer: encoder and decoder in one file."""
    n, wide = config.hidden_size, config.intermediate_size
    names: Names = {
        "module/bert/embeddings/word_embeddings": (config.vocab_size, n),
        "module/bert/embeddings/position_embeddings": (config.max_position_embeddings, n),
    }
    names |= {f"module/bert/embeddings/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    for side in ("encoder", "decoder"):
        for i in range(config.num_hidden_layers):
            at = f"module/bert/{side}/layer_{i}"
            names |= _bert_layer(at, n, wide)
            if side == "decoder":
                for one in ("encdec/query", "encdec/key", "encdec/value", "encdec_output/dense"):
                    names[f"{at}/attention/{one}/kernel"] = (n, n)
                    names[f"{at}/attention/{one}/bias"] = (n,)
                for leaf in ("gamma", "beta"):
                    names[f"{at}/attention/encdec_output/LayerNorm/{leaf}"] = (n,)
    return names


def read_hub_module(module: Any, values: dict[str, np.ndarray], config: Any) -> Any:
    """Run the reader of a TF Hub module; the module is a session of variables with these values."""
    import tensorflow as tf
    import transformers

    model = transformers.BertGenerationDecoder(config)
    tf1 = tf.compat.v1
    with tf.Graph().as_default():

        class Module:
            def __init__(self, _: str) -> None:
                self.variable_map = {
                    name: tf1.get_variable(name, initializer=value)
                    for name, value in values.items()
                }

        with (
            mock.patch.dict(sys.modules, {"tensorflow_hub": mock.MagicMock(Module=Module)}),
            mock.patch.dict(sys.modules, {"tensorflow_text": mock.MagicMock()}),
            mock.patch.object(tf1, "disable_eager_execution"),
        ):
            module.load_tf_weights_in_bert_generation(
                model, "", "bert", is_encoder_named_decoder=True
            )
    return model


def bigbird_pegasus(config: Any, _: Any) -> Names:
    """Names of google-research's BigBird summarizer; its file has offsets that are all zero."""
    n = config.d_model
    names: Names = {
        "pegasus/embeddings/word_embeddings": (config.vocab_size, n),
        "pegasus/embeddings/position_embeddings": (config.max_position_embeddings, n),
    }
    for side, count, wide in (
        ("encoder", config.encoder_layers, config.encoder_ffn_dim),
        ("decoder", config.decoder_layers, config.decoder_ffn_dim),
    ):
        for i in range(count):
            at = f"pegasus/{side}/layer_{i}"
            attentions = [("self", "output")]
            if side == "decoder":
                attentions.append(("encdec", "encdec_output"))
            for one, out in attentions:
                for part in (f"{one}/query", f"{one}/key", f"{one}/value", f"{out}/dense"):
                    names[f"{at}/attention/{part}/kernel"] = (n, n)
                    names[f"{at}/attention/{part}/bias"] = (n,)
                for leaf in ("gamma", "beta"):
                    names[f"{at}/attention/{one}/LayerNorm/{leaf}"] = (n,)
            for part, shape in (("intermediate", (n, wide)), ("output", (wide, n))):
                names[f"{at}/{part}/dense/kernel"] = shape
                names[f"{at}/{part}/dense/bias"] = shape[1:]
            names |= {f"{at}/intermediate/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
        names |= {f"pegasus/{side}/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    return names


ORIGINALS = (
    Original(
        "t_bert_generation_decoder",
        "bert-generation",
        "BertGenerationConfig",
        "BertGenerationDecoder",
        {**TEXT, "is_decoder": True, "add_cross_attention": True},
        "bert_generation.modeling_bert_generation",
        bert_generation,
        convert=read_hub_module,
        notes="the file's encoder has the words of the decoder that is asked for; the language "
        "model's offset has no counterpart",
    ),
    Original(
        "t_bigbird_pegasus",
        "bigbird-pegasus",
        "BigBirdPegasusConfig",
        "BigBirdPegasusForConditionalGeneration",
        {
            "vocab_size": 97,
            "d_model": 24,
            "encoder_layers": 4,
            "decoder_layers": 3,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 40,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": 32,
            "pad_token_id": 0,
            "bos_token_id": 2,
            "eos_token_id": 1,
        },
        "bigbird_pegasus.convert_bigbird_pegasus_tf_to_pytorch",
        bigbird_pegasus,
        convert=lambda module, values, config: module.convert_bigbird_pegasus(
            values, config.to_dict()
        ),
        beside="adafactor",
        notes="attention offsets of the file are not asked for",
    ),
)


def align_case() -> Case:
    """ALIGN of Keras layers: an EfficientNet beside a BERT, read by transformers' converter."""
    import torch
    import transformers

    stubs = {name: mock.MagicMock() for name in ("align", "tokenizer", "requests")}
    with mock.patch.dict(sys.modules, stubs):
        module = import_module("transformers.models.align.convert_align_tf_to_hf")
    text = {**TEXT, "num_hidden_layers": 12}
    vision = {
        "width_coefficient": 0.25,
        "depth_coefficient": 1.0,
        "hidden_dim": 320,
        "depthwise_padding": [],
        "num_block_repeats": [1, 2, 2, 3, 3, 2, 1],
    }
    config = transformers.AlignConfig(text, vision, projection_dim=20)
    model = transformers.AlignModel(config)
    state = model.state_dict()
    blocks = [
        f"{stage + 1}{letter}"
        for stage, count in enumerate(vision["num_block_repeats"])
        for letter in "abc"[:count]
    ]
    leaves = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
    parts = (
        *(f"_{one}_{kind}" for one in ("expand", "project") for kind in ("conv", "bn")),
        *("_se_reduce", "_se_expand", "_bn"),
    )
    guesses = [f"block{b}{part}/{leaf}:0" for b in blocks for part in parts for leaf in leaves]
    guesses += [f"block{b}_dwconv/depthwise_kernel:0" for b in blocks]
    guesses += [f"stem_{kind}/{leaf}:0" for kind in ("conv", "bn") for leaf in leaves]
    at = "tf_bert_model/bert"
    guesses += [f"{at}/embeddings/word_embeddings/weight:0", "temperature:0"]
    guesses += [
        f"{at}/embeddings/{one}_embeddings/embeddings:0" for one in ("position", "token_type")
    ]
    dense = [f"{at}/pooler/dense", "dense", f"{at}/embeddings/LayerNorm"]
    for i in range(12):
        for one in _bert_layer("", 1, 1):
            dense.append(f"{at}/encoder/layer_._{i}{one.rpartition('/')[0]}")
    guesses += [f"{one}/{leaf}:0" for one in dense for leaf in leaves[:4]]
    mapping = module.rename_keys(dict.fromkeys(guesses))
    codes, values, rows = Codes(), {}, []
    for name, target in mapping.items():
        if target not in state:
            continue  # the first stage has no expansion
        shape = tuple(state[target].shape)
        if name.endswith("depthwise_kernel:0"):
            shape = tuple(shape[axis] for axis in (2, 3, 0, 1))
        elif len(shape) == 4:
            shape = tuple(shape[axis] for axis in (2, 3, 1, 0))
        elif name.endswith("kernel:0"):
            shape = shape[::-1]
        shown = name.removesuffix(":0")
        value = codes.array(shown, shape)
        values[name] = torch.tensor(value) if name == "temperature:0" else value
        rows.append((shown, shape, "float32"))
    with torch.no_grad():
        module.replace_params(state, values, {name: mapping[name] for name in values})
    untold = {name for name, _ in model.named_buffers()}
    trace = codes.trace({k: v.detach().double().numpy() for k, v in state.items()})
    kept = [k for k in state if not (k in untold and trace.truth[k] is None)]
    case = Case(
        "c_align_keras_to_pt",
        "align",
        "keras_to_pt",
        "names",
        rows,
        [(k, tuple(state[k].shape), "float32") for k in kept],
        {k: trace.truth[k] for k in kept},
        f"transformers {transformers.__version__}: its reader of kakaobrain's Keras ALIGN run on "
        "numbered values; truth and layouts read off them",
        "blocks by stage and letter on one side, counted through on the other",
        {k: word for k, word in trace.layout.items() if k in kept},
    )
    return beside(case, "adam")


def bit_case() -> Case:
    """BiT's TensorFlow names in timm's own reader of its npz files."""
    import timm
    import torch
    from timm.models import resnetv2

    model = resnetv2.ResNetV2(
        [2, 3, 3, 2],
        (32, 64, 96, 128),
        num_classes=7,
        stem_chs=16,
        stem_type="fixed",
        norm_layer=lambda width, **o: timm.layers.GroupNormAct(width, num_groups=8, **o),
    )
    names: Names = {"root_block/standardized_conv2d/kernel": (7, 7, 3, 16)}
    for i, stage in enumerate(model.stages):
        for j, block in enumerate(stage.blocks):
            at = f"block{i + 1}/unit{j + 1:02d}"
            plan = zip("abc", (block.conv1, block.conv2, block.conv3), strict=True)
            for k, (letter, conv) in enumerate(plan):
                out, inner, *size = conv.weight.shape
                names[f"{at}/{letter}/standardized_conv2d/kernel"] = (*size, inner, out)
                width = getattr(block, f"norm{k + 1}").weight.shape[0]
                names |= {f"{at}/{letter}/group_norm/{one}": (width,) for one in ("gamma", "beta")}
            if block.downsample is not None:
                out, inner, *size = block.downsample.conv.weight.shape
                names[f"{at}/a/proj/standardized_conv2d/kernel"] = (*size, inner, out)
    names |= {f"group_norm/{one}": (128,) for one in ("gamma", "beta")}
    names |= {"head/conv2d/kernel": (1, 1, 128, 7), "head/conv2d/bias": (7,)}
    names = {f"resnet/{name}": shape for name, shape in names.items()}
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in names.items()}
    with (
        mock.patch.object(resnetv2, "_load_npz_checkpoint", lambda *_, **__: values),
        torch.no_grad(),
    ):
        resnetv2._load_weights(model, "", "resnet/")
    state = model.state_dict()
    trace = codes.trace({k: v.double().numpy() for k, v in state.items()})
    case = Case(
        "t_bit_units",
        "bit",
        "tf1_to_pt",
        "names",
        [(name, shape, "float32") for name, shape in names.items()],
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        trace.truth,
        f"timm {timm.__version__}: its reader of Google's BiT files run on numbered values; truth "
        "and layouts read off them",
        "",
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, "momentum")


def gpt2_ml_case() -> Case:
    """Grover's TF1 names in bert4keras' reader."""
    import tf_keras

    aliases = {
        f"keras{name.removeprefix('tf_keras')}": module
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "tf_keras"
    }
    with (
        mock.patch.dict(sys.modules, aliases),
        mock.patch.dict(os.environ, {"TF_KERAS": "1"}),
    ):
        for name in list(sys.modules):
            if name.startswith("keras.") and name not in aliases:
                del sys.modules[name]
        models = import_module("bert4keras.models")
        tf_keras.backend.clear_session()
        net = models.GPT2_ML(
            vocab_size=97,
            hidden_size=24,
            num_hidden_layers=6,
            num_attention_heads=4,
            intermediate_size=40,
            hidden_act="gelu",
            max_position=32,
        )
        net.build()
        mapping = net.variable_mapping()
        codes, values, rows = Codes(), {}, []
        for layer, names in mapping.items():
            for weight, name in zip(net.layers[layer].trainable_weights, names, strict=True):
                shape = tuple(weight.shape.as_list())
                values[name] = codes.array(name, shape)
                rows.append((name, shape, "float32"))
        net.load_weights_from_checkpoint(values)
        weights = {w.name.removesuffix(":0"): w.numpy() for w in net.model.weights}
    trace = codes.trace(weights)
    case = Case(
        "t_gpt2_ml_bert4keras",
        "gpt2-ml",
        "tf1_to_keras",
        "names",
        rows,
        [(name, value.shape, "float32") for name, value in weights.items()],
        trace.truth,
        "bert4keras 0.11.5: its reader of gpt2-ml's checkpoint (Grover's names) run on numbered "
        "values; truth read off them",
        "",
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, "adafactor")


def original_h_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "c_longt5_t5x", longt5_case
    yield "c_beit_flax", beit_case
    for spec in ORIGINALS:
        yield spec.id, lambda spec=spec: original_case(spec)  # type: ignore[misc]
    yield "c_align_keras_to_pt", align_case
    yield "t_bit_units", bit_case
    yield "t_gpt2_ml_bert4keras", gpt2_ml_case

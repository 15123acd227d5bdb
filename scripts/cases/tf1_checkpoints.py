"""Cases from transformers' readers of original TF1 checkpoints, run on coded checkpoints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes

Names = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Original:
    """A TF1 checkpoint as its authors' code writes it, and the reader that transformers has.

    reader: module and function; names: (config, torch model) -> names and shapes of the
    checkpoint. convert: instead of a reader, (module, values, config) -> torch model.
    """

    id: str
    family: str
    config_class: str
    model_class: str
    sizes: dict[str, Any]
    module: str
    names: Callable[[Any, Any], Names]
    reader: str = ""
    convert: Callable[[Any, dict[str, np.ndarray], Any], Any] | None = None
    beside: str = ""
    needs: str = "names"
    notes: str = ""
    untold: tuple[str, ...] = field(default_factory=tuple)


def original_case(spec: Original) -> Case:
    """Write the coded checkpoint, let the reader load it, read the truth off the numbers."""
    import transformers

    module = import_module(f"transformers.models.{spec.module}")
    source = module if hasattr(module, spec.config_class) else transformers
    config = getattr(source, spec.config_class)(**spec.sizes)
    model = getattr(source, spec.model_class)(config)
    names = spec.names(config, model)
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in names.items()}
    if spec.convert:
        model = spec.convert(module, values, config)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.ckpt")
            _write(values, path)
            getattr(module, spec.reader)(model, config, path)
    state = model.state_dict()
    untold = {name for name, _ in model.named_buffers()} | set(spec.untold)
    traced = codes.trace({k: v.detach().double().numpy() for k, v in state.items()})
    kept = [k for k in state if not (k in untold and traced.truth[k] is None)]
    case = Case(
        spec.id,
        spec.family,
        "tf1_to_pt",
        spec.needs,
        [(name, shape, "float32") for name, shape in names.items()],
        [(k, tuple(state[k].shape), str(state[k].dtype).removeprefix("torch.")) for k in kept],
        {k: traced.truth[k] for k in kept},
        f"transformers {transformers.__version__}: its reader of the original TF1 checkpoint run "
        "on a checkpoint whose values are numbered; truth and layouts read off the numbers",
        spec.notes,
        {k: word for k, word in traced.layout.items() if k in kept},
        {},
        [k for k in traced.composite if k in kept],
    )
    return beside(case, spec.beside)


def _write(values: dict[str, np.ndarray], path: str) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        made = {name: tf1.get_variable(name, value.shape) for name, value in values.items()}
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            for name, value in values.items():
                made[name].load(value, session)
            tf1.train.Saver().save(session, path, write_meta_graph=False)


def transfo_xl(config: Any, model: Any) -> Names:
    """Names of kimiyoung's transformer-xl, from the reader's own table."""
    from transformers.models.deprecated.transfo_xl import modeling_transfo_xl

    names: Names = {}
    table = modeling_transfo_xl.build_tf_to_pytorch_map(model, config)
    for name, pointer in table.items():
        if isinstance(pointer, list):
            names[name] = (len(pointer), *pointer[0].shape)
            continue
        shape = tuple(pointer.shape)
        names[name] = shape[::-1] if "kernel" in name or "proj" in name else shape
    return names


def gpt_neo(config: Any, _: Any) -> Names:
    """Names of EleutherAI's gpt-neo on mesh TensorFlow."""
    n = config.hidden_size
    names: Names = {"gpt2/wte": (config.vocab_size, n)}
    names["gpt2/wpe"] = (config.max_position_embeddings, n)
    for i in range(config.num_layers):
        at = f"gpt2/h{i}"
        for norm in ("norm_1", "norm_2"):
            names |= {f"{at}/{norm}/{leaf}": (n,) for leaf in "gb"}
        names |= {f"{at}/attn/{leaf}": (n, n) for leaf in "qkvo"}
        names[f"{at}/attn/compute_output_bias/o_b"] = (n,)
        for part, shape in (("c_fc", (n, 4 * n)), ("c_proj", (4 * n, n))):
            names[f"{at}/mlp/conv1d_main/{part}/kernel"] = shape
            names[f"{at}/mlp/conv1d_main/{part}/bias"] = shape[1:]
    return names | {f"gpt2/ln_f/{leaf}": (n,) for leaf in "gb"}


def _bert_layer(at: str, n: int, wide: int) -> Names:
    names: Names = {}
    for part, shape in (
        *((f"attention/self/{one}", (n, n)) for one in ("query", "key", "value")),
        ("attention/output/dense", (n, n)),
        ("intermediate/dense", (n, wide)),
        ("output/dense", (wide, n)),
    ):
        names[f"{at}/{part}/kernel"], names[f"{at}/{part}/bias"] = shape, shape[1:]
        if part.count("output"):
            norm = part.replace("dense", "LayerNorm")
            names |= {f"{at}/{norm}/{leaf}": (n,) for leaf in ("gamma", "beta")}
    return names


def canine(config: Any, _: Any) -> Names:
    """Names of Google's CANINE: hashed characters, a shallow, a deep and a last stack."""
    n, wide = config.hidden_size, config.intermediate_size
    share = n // config.num_hash_functions
    names: Names = {}
    for i in range(config.num_hash_functions):
        name = f"char_embeddings/embeddings/HashBucketCodepointEmbedder_{i}"
        names[name] = (config.num_hash_buckets, share)
    names["char_embeddings/char_position_embeddings"] = (config.num_hash_buckets, n)
    names["char_embeddings/segment_embeddings"] = (config.type_vocab_size, n)
    names |= {f"char_embeddings/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    names |= _bert_layer("initial_char_encoder/layer_0", n, wide)
    rate, width = config.downsampling_rate, config.upsampling_kernel_size
    for at, shape in (
        ("bert/initial_char_encoder", (rate, n, n)),
        ("final_char_encoder", (width, 2 * n, n)),
    ):
        at = at.replace("bert/", "char_downsampler/")
        names[f"{at}/conv/kernel"], names[f"{at}/conv/bias"] = shape, (n,)
        names |= {f"{at}/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    for i in range(config.num_hidden_layers):
        names |= _bert_layer(f"bert/layer_{i}", n, wide)
    names |= _bert_layer("final_char_encoder/layer_0", n, wide)
    return names | {"pooler/dense/kernel": (n, n), "pooler/dense/bias": (n,)}


def imagegpt(config: Any, _: Any) -> Names:
    """Names of OpenAI's image-gpt: separate projections, a start token of its own."""
    n, heads = config.n_embd, config.n_head
    names: Names = {"model/wte": (config.vocab_size - 1, n), "model/sos": (n,)}
    names["model/wpe"] = (config.n_positions, n)
    names["model/wtet"] = (config.vocab_size - 1, n)
    for i in range(config.n_layer):
        at = f"model/h{i}"
        names |= {f"{at}/ln_{k}/g": (n,) for k in (1, 2)}
        names |= {f"{at}/attn/{one}_proj": (heads, n // heads, n) for one in "qkv"}
        names[f"{at}/attn/c_proj"] = (heads, n // heads, n)
        names[f"{at}/mlp/c_fc/w"], names[f"{at}/mlp/c_proj/w"] = (n, 4 * n), (4 * n, n)
    return names | {"model/ln_f/g": (n,)}


def pegasus(config: Any, _: Any) -> Names:
    """Names of google-research's pegasus: memory attention, norms inside of their blocks."""
    n = config.d_model
    names: Names = {"embeddings/weights": (config.vocab_size, n)}
    for side, count, wide in (
        ("encoder", config.encoder_layers, config.encoder_ffn_dim),
        ("decoder", config.decoder_layers, config.decoder_ffn_dim),
    ):
        for i in range(count):
            at = f"{side}/layer_{i}"
            parts = ["self_attention"] + (["memory_attention"] if side == "decoder" else [])
            for part in parts:
                for one in ("q_proj", "k_proj", "v_proj", "output_proj"):
                    names[f"{at}/{part}/{one}/kernel"] = (n, n)
            names[f"{at}/ffn/dense/kernel"], names[f"{at}/ffn/dense/bias"] = (n, wide), (wide,)
            names[f"{at}/ffn/dense_1/kernel"], names[f"{at}/ffn/dense_1/bias"] = (wide, n), (n,)
            for part in (*parts, "ffn"):
                names |= {f"{at}/{part}/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
        names |= {f"{side}/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
    return names


def convert_pegasus(_: Any, values: dict[str, np.ndarray], config: Any) -> Any:
    """Run transformers' conversion; it zeroes the padding row, which is put back.

    Its module asks for two tables of settings that later releases dropped: empty ones will do.
    """
    import torch
    from transformers.models.pegasus import configuration_pegasus as settings

    for table in ("DEFAULTS", "task_specific_params"):
        setattr(settings, table, {})
    module = import_module("transformers.models.pegasus.convert_pegasus_tf_to_pytorch")
    model = module.convert_pegasus(values, config.to_dict())
    table = torch.from_numpy(values["embeddings/weights"])
    with torch.no_grad():
        model.model.shared.weight.copy_(table)
        for tied in (model.model.encoder.embed_tokens, model.model.decoder.embed_tokens):
            tied.weight.copy_(table)
        model.lm_head.weight.copy_(table)
    return model


def original_cases(specs: tuple[Original, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: original_case(spec)  # type: ignore[misc]

"""Cases of text models in transformers' PyTorch and in keras_hub, which has no reader for them.

A table of patterns carries the values over; with numbered values truth and layout are read off, and
with random ones both sides must compute the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes

Move = Callable[[np.ndarray], np.ndarray]
HEADS = 4
NORM = (("gamma", "weight"), ("beta", "bias"))


def same(value: np.ndarray) -> np.ndarray:
    """Leave a value as it is."""
    return value


def turned(value: np.ndarray) -> np.ndarray:
    """Turn a matrix."""
    return value.T


def by_head(value: np.ndarray) -> np.ndarray:
    """Give the outputs of a fused projection an axis of heads; the inputs come first."""
    return (
        np.moveaxis(value.reshape(HEADS, -1, *value.shape[1:]), -1, 0)
        if value.ndim > 1
        else (value.reshape(HEADS, -1))
    )


def third(which: int) -> Move:
    """Take queries, keys or values (0, 1, 2) from a projection fused within each head."""

    def move(value: np.ndarray) -> np.ndarray:
        part = value.reshape(HEADS, 3, -1, *value.shape[1:])[:, which]
        return np.moveaxis(part, -1, 0) if value.ndim > 1 else part

    return move


@dataclass(frozen=True)
class Twin:
    """A class of each library with its settings, and the moves.

    moves: (pattern of the expected path, template of the actual name, how the value moves); the
    first that fits. run: (torch model, ids) -> hidden states.
    """

    id: str
    family: str
    config_class: str
    torch_class: str
    torch_sizes: dict[str, Any]
    hub_class: str
    hub_sizes: dict[str, Any]
    moves: tuple[tuple[str, str, Move], ...]
    prefix: str = ""
    beside: str = ""
    needs: str = "names"
    notes: str = ""
    inputs: dict[str, str] = field(default_factory=dict)


def layer(path: str, stem: str, kernel: Move = turned, bias: Move = same) -> tuple[Any, ...]:
    """Return the moves of a layer with kernel and bias."""
    return ((f"{path}/kernel", f"{stem}.weight", kernel), (f"{path}/bias", f"{stem}.bias", bias))


def norm(path: str, stem: str) -> tuple[Any, ...]:
    """Return the moves of a norm."""
    return tuple((f"{path}/{leaf}", f"{stem}.{word}", same) for leaf, word in NORM)


def twin_case(spec: Twin) -> Case:
    """Build both, carry numbered and random values over, and compare."""
    import keras_hub
    import torch
    import transformers

    config = getattr(transformers, spec.config_class)(**spec.torch_sizes)
    config._attn_implementation = "eager"
    model = getattr(transformers, spec.torch_class)(config).eval()
    backbone = getattr(keras_hub.models, spec.hub_class)(**spec.hub_sizes)
    wanted = [v for v in backbone.variables if "seed_generator" not in v.path]
    codes, stored = Codes(), {}
    actual = []
    for name, value in model.named_parameters():
        shown = f"{spec.prefix}{name}"
        stored[shown] = codes.array(shown, tuple(value.shape))
        actual.append((shown, tuple(value.shape), "float32"))
    trace = codes.trace({v.path: _moved(spec, stored, v) for v in wanted})
    random = np.random.RandomState(0)
    values = {name: 0.3 * random.standard_normal(array.shape) for name, array in stored.items()}
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.from_numpy(values[f"{spec.prefix}{name}"]))
    for variable in wanted:
        variable.assign(_moved(spec, values, variable))
    ids = random.randint(1, 90, (2, 9))
    with torch.no_grad():
        first = model.base_model(input_ids=torch.from_numpy(ids)).last_hidden_state.numpy()
    second = backbone(_inputs(backbone, ids))
    second = np.asarray(second["sequence_output"] if isinstance(second, dict) else second)
    if not np.allclose(first, second, atol=2e-3 * np.std(first)):
        raise ValueError(f"{spec.id}: not the same: {np.abs(first - second).max()}")
    case = Case(
        spec.id,
        spec.family,
        "pt_to_keras",
        spec.needs,
        actual,
        [(v.path, tuple(v.shape), str(v.dtype)) for v in wanted],
        trace.truth,
        f"transformers {transformers.__version__} and keras_hub {keras_hub.__version__}; values "
        "carried over by a table, truth and layouts read off numbered ones; with random ones both "
        "compute the same",
        spec.notes,
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, spec.beside)


def _inputs(backbone: Any, ids: np.ndarray) -> dict[str, np.ndarray]:
    known = {
        "token_ids": ids,
        "padding_mask": np.ones_like(ids),
        "segment_ids": np.zeros_like(ids),
    }
    return {name: known[name] for name in backbone.input}


def _moved(spec: Twin, values: dict[str, np.ndarray], variable: Any) -> np.ndarray:
    for pattern, template, move in spec.moves:
        found = re.fullmatch(pattern, variable.path)
        if found:
            value = move(values[spec.prefix + found.expand(template)])
            if value.shape != tuple(variable.shape):
                raise ValueError(f"{variable.path}: {variable.shape}, not {value.shape}")
            return value
    raise ValueError(f"{spec.id}: no move for {variable.path}")


AT = r"transformer_layer_(\d+)/"
SIZES = {"vocab_size": 97, "hidden_size": 24}
HUB = {"vocabulary_size": 97, "hidden_dim": 24}
TABLE = "token_embedding/embeddings"
TWINS = (
    Twin(
        "p_gpt_neox",
        "gpt-neox",
        "GPTNeoXConfig",
        "GPTNeoXModel",
        {
            **SIZES,
            "num_hidden_layers": 5,
            "num_attention_heads": HEADS,
            "intermediate_size": 40,
            "max_position_embeddings": 32,
            "rotary_pct": 1.0,
            "hidden_act": "gelu_new",
        },
        "GPTNeoXBackbone",
        {
            **HUB,
            "num_layers": 5,
            "num_heads": HEADS,
            "intermediate_dim": 40,
            "max_sequence_length": 32,
            "rotary_percentage": 1.0,
        },
        (
            (TABLE, "embed_in.weight", same),
            *layer(
                f"{AT}self_attention/query_key_value",
                r"layers.\1.attention.query_key_value",
                by_head,
                by_head,
            ),
            *layer(f"{AT}self_attention/attention_output", r"layers.\1.attention.dense"),
            *norm(f"{AT}self_attention_layer_norm", r"layers.\1.input_layernorm"),
            *norm(f"{AT}feedforward_layer_norm", r"layers.\1.post_attention_layernorm"),
            *layer(f"{AT}feedforward_intermediate_dense", r"layers.\1.mlp.dense_h_to_4h"),
            *layer(f"{AT}feedforward_output_dense", r"layers.\1.mlp.dense_4h_to_h"),
            *norm("layer_norm", "final_layer_norm"),
        ),
        prefix="gpt_neox.",
    ),
    Twin(
        "p_bloom_split",
        "bloom",
        "BloomConfig",
        "BloomModel",
        {**SIZES, "n_layer": 6, "n_head": HEADS},
        "BloomBackbone",
        {
            **HUB,
            "num_layers": 6,
            "num_heads": HEADS,
            "intermediate_dim": 96,
            "max_sequence_length": 32,
        },
        (
            (TABLE, "word_embeddings.weight", same),
            *norm("embedding_layernorm", "word_embeddings_layernorm"),
            *norm(f"{AT}pre_attention_layernorm", r"h.\1.input_layernorm"),
            *norm(f"{AT}post_attention_layernorm", r"h.\1.post_attention_layernorm"),
            *(
                one
                for at, word in enumerate(("query", "key", "value"))
                for one in layer(
                    f"{AT}self_attention/{word}_dense",
                    r"h.\1.self_attention.query_key_value",
                    third(at),
                    third(at),
                )
            ),
            *layer(f"{AT}self_attention/output_dense", r"h.\1.self_attention.dense"),
            *layer(f"{AT}mlp_intermediate_dense", r"h.\1.mlp.dense_h_to_4h"),
            *layer(f"{AT}mlp_output_dense", r"h.\1.mlp.dense_4h_to_h"),
            *norm("final_layernorm", "ln_f"),
        ),
        notes="three expected projections are parts of one fused tensor",
    ),
    Twin(
        "p_fnet",
        "fnet",
        "FNetConfig",
        "FNetModel",
        {
            **SIZES,
            "num_hidden_layers": 6,
            "intermediate_size": 40,
            "max_position_embeddings": 32,
        },
        "FNetBackbone",
        {
            **HUB,
            "num_layers": 6,
            "intermediate_dim": 40,
            "max_sequence_length": 32,
            "num_segments": 4,
        },
        (
            (TABLE, "embeddings.word_embeddings.weight", same),
            ("position_embedding/embeddings", "embeddings.position_embeddings.weight", same),
            ("segment_embedding/embeddings", "embeddings.token_type_embeddings.weight", same),
            *norm("embeddings_layer_norm", "embeddings.LayerNorm"),
            *layer("embedding_projection", "embeddings.projection"),
            *norm(
                r"f_net_layer_(\d+)/mixing_layer_norm", r"encoder.layer.\1.fourier.output.LayerNorm"
            ),
            *norm(r"f_net_layer_(\d+)/output_layer_norm", r"encoder.layer.\1.output.LayerNorm"),
            *layer(r"f_net_layer_(\d+)/(intermediate|output)_dense", r"encoder.layer.\1.\2.dense"),
            *layer("pooled_dense", "pooler.dense"),
        ),
        prefix="fnet.",
        beside="adamw",
    ),
)


def twin_cases(specs: tuple[Twin, ...] = TWINS) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: twin_case(spec)  # type: ignore[misc]

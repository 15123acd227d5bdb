"""Cases of the sixth batch from transformers: text models, and REALM's reader."""

from __future__ import annotations

from typing import Any

from cases.batch1 import TEXT
from cases.huggingface import Pair
from cases.tf1_checkpoints import Names, Original, _bert_layer

BLENDER = {
    "vocab_size": 97,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 4,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
PAIRS = (
    Pair(
        "h_blenderbot_adafactor",
        "blenderbot",
        "BlenderbotConfig",
        "BlenderbotForConditionalGeneration",
        BLENDER,
        beside="wrap:chat+adafactor",
    ),
    Pair(
        "h_blenderbot_small_pt_to_keras",
        "blenderbot-small",
        "BlenderbotSmallConfig",
        "BlenderbotSmallForConditionalGeneration",
        {**BLENDER, "encoder_layers": 3, "decoder_layers": 3},
        to_torch=False,
    ),
    Pair(
        "h_camembert_new_head",
        "camembert",
        "CamembertConfig",
        "CamembertForMaskedLM",
        {**TEXT, "max_position_embeddings": 34, "num_labels": 5},
        torch_class="CamembertForTokenClassification",
        kind="abstain",
        beside="adamw",
        notes="the masked language model's head is no counterpart of the classifier",
    ),
    Pair(
        "h_dpr_reader",
        "dpr",
        "DPRConfig",
        "DPRReader",
        {**TEXT, "projection_dim": 0},
        beside="wrap:open_qa/reader+adam",
    ),
    Pair(
        "h_mt5_pt_to_keras",
        "mt5",
        "MT5Config",
        "MT5ForConditionalGeneration",
        {
            "vocab_size": 97,
            "d_model": 24,
            "d_kv": 6,
            "d_ff": 40,
            "num_layers": 3,
            "num_decoder_layers": 4,
            "num_heads": 4,
        },
        to_torch=False,
    ),
)


def realm(config: Any, _: Any) -> Names:
    """Names of REALM fine-tuned for open questions: a reader, and the embedder beside it."""
    n, wide, span = config.hidden_size, config.intermediate_size, config.span_hidden_size
    names: Names = {}
    for root in ("reader/module/bert", "module/module/module/module/bert"):
        for table, rows in (
            ("word_embeddings", config.vocab_size),
            ("position_embeddings", config.max_position_embeddings),
            ("token_type_embeddings", config.type_vocab_size),
        ):
            names[f"{root}/embeddings/{table}"] = (rows, n)
        names |= {f"{root}/embeddings/LayerNorm/{leaf}": (n,) for leaf in ("gamma", "beta")}
        for i in range(config.num_hidden_layers):
            names |= _bert_layer(f"{root}/encoder/layer_{i}", n, wide)
        names |= {f"{root}/pooler/dense/kernel": (n, n), f"{root}/pooler/dense/bias": (n,)}
    names |= {"reader/dense/kernel": (n, 2 * span), "reader/dense/bias": (2 * span,)}
    names |= {"reader/dense_1/kernel": (span, 1), "reader/dense_1/bias": (1,)}
    names |= {f"reader/layer_normalization/{leaf}": (span,) for leaf in ("gamma", "beta")}
    width = config.retriever_proj_size
    names |= {"module/module/module/dense/kernel": (n, width)}
    names |= {"module/module/module/dense/bias": (width,)}
    names |= {f"module/module/module/LayerNorm/{leaf}": (width,) for leaf in ("gamma", "beta")}
    return names


ORIGINALS = (
    Original(
        "t_realm_reader",
        "realm",
        "RealmConfig",
        "RealmReader",
        {**TEXT, "span_hidden_size": 12, "retriever_proj_size": 8},
        "deprecated.realm.modeling_realm",
        realm,
        "load_tf_weights_in_realm",
        beside="adam",
        notes="the retriever's encoder of one shape stands beside the reader's",
    ),
)

"""Batch 3: other families than batches 1 and 2."""

from __future__ import annotations

from cases.batch1 import TEXT
from cases.batch2 import LLM
from cases.huggingface import Pair, huggingface_cases
from cases.keras_graphs import App, app, keras_cases
from cases.keras_hub_ports import Port, port_cases
from cases.names_c import WIRED
from cases.wired import wired_cases

CLIPPED = {"image_size": 32, "patch_size": 8}
PAIRS = (
    Pair(
        "h_longformer",
        "longformer",
        "LongformerConfig",
        "LongformerForMaskedLM",
        {**TEXT, "attention_window": 4, "max_position_embeddings": 34},
        beside="adamw",
    ),
    Pair(
        "h_deberta_v2_pt_to_keras",
        "deberta-v2",
        "DebertaV2Config",
        "DebertaV2ForTokenClassification",
        {**TEXT, "relative_attention": True, "position_buckets": 8, "conv_kernel_size": 3},
        to_torch=False,
    ),
    Pair(
        "h_cvt",
        "cvt",
        "CvtConfig",
        "CvtForImageClassification",
        {"image_size": 64, "embed_dim": [8, 12, 16], "num_heads": [1, 2, 2], "depth": [1, 2, 3]},
        beside="momentum",
    ),
    Pair(
        "h_mobilevit",
        "mobilevit",
        "MobileViTConfig",
        "MobileViTForImageClassification",
        {
            "image_size": 64,
            "hidden_sizes": [12, 16, 20],
            "neck_hidden_sizes": [8, 8, 12, 12, 16, 16, 24],
            "num_attention_heads": 4,
        },
    ),
    Pair(
        "h_hubert",
        "hubert",
        "HubertConfig",
        "HubertModel",
        {
            **TEXT,
            "conv_dim": (8, 8, 8),
            "conv_stride": (2, 2, 2),
            "conv_kernel": (3, 3, 3),
            "num_feat_extract_layers": 3,
            "num_conv_pos_embeddings": 4,
            "num_conv_pos_embedding_groups": 2,
            "do_stable_layer_norm": True,
        },
        beside="wrap:speech+adam",
    ),
    Pair(
        "h_data2vec_vision",
        "data2vec-vision",
        "Data2VecVisionConfig",
        "Data2VecVisionForImageClassification",
        {**TEXT, **CLIPPED, "use_relative_position_bias": True},
        beside="ema",
    ),
    Pair(
        "h_sam_pt_to_keras",
        "sam",
        "SamConfig",
        "SamModel",
        {
            "vision_config": {
                "hidden_size": 16,
                "num_hidden_layers": 3,
                "num_attention_heads": 2,
                "image_size": 64,
                "patch_size": 16,
                "output_channels": 16,
                "mlp_dim": 32,
                "num_pos_feats": 8,
                "window_size": 2,
                "global_attn_indexes": [1],
            },
            "prompt_encoder_config": {
                "hidden_size": 16,
                "image_size": 64,
                "patch_size": 16,
                "image_embedding_size": 4,
                "mask_input_channels": 8,
            },
            "mask_decoder_config": {
                "hidden_size": 16,
                "mlp_dim": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "iou_head_hidden_dim": 16,
            },
        },
        to_torch=False,
    ),
)
PORTS = (
    Port(
        "p_llama",
        "llama",
        "transformers.convert_llama3",
        "LlamaConfig",
        "LlamaForCausalLM",
        LLM,
        needs="shapes",
    ),
    Port(
        "p_mixtral",
        "mixtral",
        "transformers.convert_mixtral",
        "MixtralConfig",
        "MixtralForCausalLM",
        {**LLM, "num_local_experts": 4},
    ),
    Port(
        "p_esm",
        "esm",
        "transformers.convert_esm",
        "EsmConfig",
        "EsmModel",
        {
            **TEXT,
            "vocab_size": 33,
            "position_embedding_type": "rotary",
            "pad_token_id": 1,
            "mask_token_id": 2,
        },
    ),
    Port(
        "p_xlm_roberta",
        "xlm-roberta",
        "transformers.convert_xlm_roberta",
        "XLMRobertaConfig",
        "XLMRobertaModel",
        {**TEXT, "max_position_embeddings": 34},
    ),
)
APPS = (
    App("k_obj_nasnet", "tfk-nasnet", app("NASNetMobile", 64), "object", "graph"),
    App(
        "k_wrap_resnetrs",
        "tfk-resnetrs",
        app("ResNetRS50", 64),
        "wrap:teacher/backbone",
        "names",
        "Momentum",
    ),
    App("k_ren_resnetrs", "tfk-resnetrs", app("ResNetRS50", 64), "rename", "graph"),
)


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED)
    yield from huggingface_cases(PAIRS)
    yield from port_cases(PORTS)
    yield from keras_cases(APPS)

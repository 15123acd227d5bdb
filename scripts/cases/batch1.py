"""The wired cases of batch 1."""

from __future__ import annotations

from cases.huggingface import Pair, huggingface_cases
from cases.keras_graphs import (
    App,
    app,
    keras_cases,
    unnamed_separable,
    unnamed_small,
)
from cases.names_a import WIRED
from cases.wired import wired_cases

TEXT = {
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
}
PAIRS = (
    Pair(
        "h_electra_slots",
        "electra",
        "ElectraConfig",
        "ElectraForPreTraining",
        {**TEXT, "embedding_size": 16},
        beside="strip:tf_electra_for_pre_training/+adamw",
    ),
    Pair(
        "h_gpt2_pt_to_keras",
        "gpt2",
        "GPT2Config",
        "GPT2LMHeadModel",
        {"vocab_size": 97, "n_embd": 24, "n_layer": 4, "n_head": 4, "n_positions": 32},
        to_torch=False,
    ),
    Pair(
        "h_xlnet_adam",
        "xlnet",
        "XLNetConfig",
        "XLNetLMHeadModel",
        {"vocab_size": 97, "d_model": 24, "n_layer": 4, "n_head": 4, "d_inner": 40},
        beside="wrap:model+adam",
    ),
    Pair(
        "h_swin",
        "swin",
        "SwinConfig",
        "SwinForImageClassification",
        {
            "image_size": 64,
            "embed_dim": 12,
            "depths": (2, 2, 2),
            "num_heads": (2, 2, 4),
            "window_size": 2,
        },
    ),
    Pair(
        "h_mobilebert_pt_to_keras",
        "mobilebert",
        "MobileBertConfig",
        "MobileBertForPreTraining",
        {
            **TEXT,
            "embedding_size": 16,
            "intra_bottleneck_size": 16,
            "true_hidden_size": 16,
            "hidden_size": 32,
            "num_feedforward_networks": 2,
        },
        to_torch=False,
    ),
    Pair(
        "h_lxmert",
        "lxmert",
        "LxmertConfig",
        "LxmertModel",
        {
            "vocab_size": 97,
            "hidden_size": 24,
            "num_attention_heads": 4,
            "intermediate_size": 40,
            "l_layers": 3,
            "x_layers": 2,
            "r_layers": 2,
            "visual_feat_dim": 20,
        },
        beside="ema",
    ),
    Pair(
        "h_deit_new_head",
        "deit",
        "DeiTConfig",
        "DeiTModel",
        {**TEXT, "image_size": 32, "patch_size": 8, "num_hidden_layers": 3},
        torch_class="DeiTForImageClassification",
        kind="abstain",
        beside="momentum",
    ),
)
APPS = (
    App(
        "k_wrap_mobilenetv2",
        "tfk-mobilenetv2",
        app("MobileNetV2", 64, alpha=0.35),
        "wrap:tower_0/features",
        "names",
        "Momentum",
    ),
    App("k_obj_mobilenetv3", "tfk-mobilenetv3", app("MobileNetV3Small", 64), "object", "graph"),
    App("k_ren_efficientnetb0", "tfk-efficientnetb0", app("EfficientNetB0", 64), "rename", "graph"),
    App(
        "k_2nd_unnamed_separable",
        "keras-unnamed-separable",
        unnamed_separable,
        "second",
        "shapes",
        "Momentum",
        first=unnamed_small,
    ),
)


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED)
    yield from huggingface_cases(PAIRS)
    yield from keras_cases(APPS)

"""Batch 2: other families than batch 1."""

from __future__ import annotations

from cases.batch1 import TEXT
from cases.huggingface import Pair, huggingface_cases
from cases.keras_graphs import App, app, keras_cases
from cases.keras_hub_ports import Port, port_cases
from cases.names_b import WIRED
from cases.wired import wired_cases

PAIRS = (
    Pair(
        "h_ctrl",
        "ctrl",
        "CTRLConfig",
        "CTRLLMHeadModel",
        {"vocab_size": 97, "n_embd": 24, "dff": 40, "n_layer": 4, "n_head": 4, "n_positions": 32},
        beside="adam",
    ),
    Pair(
        "h_openai_gpt_pt_to_keras",
        "openai-gpt",
        "OpenAIGPTConfig",
        "OpenAIGPTLMHeadModel",
        {"vocab_size": 97, "n_embd": 24, "n_layer": 4, "n_head": 4, "n_positions": 32},
        to_torch=False,
    ),
    Pair(
        "h_layoutlm_wrapped",
        "layoutlm",
        "LayoutLMConfig",
        "LayoutLMForTokenClassification",
        {**TEXT, "max_2d_position_embeddings": 40},
        beside="wrap:train_model+adamw",
    ),
    Pair(
        "h_groupvit",
        "groupvit",
        "GroupViTConfig",
        "GroupViTModel",
        {
            "text_config": {**TEXT, "max_position_embeddings": 16},
            "vision_config": {
                "hidden_size": 24,
                "intermediate_size": 40,
                "depths": [2, 2, 2],
                "num_attention_heads": 4,
                "image_size": 32,
                "patch_size": 8,
                "num_group_tokens": [8, 4, 0],
                "num_output_groups": [8, 4, 0],
            },
            "projection_dim": 16,
            "projection_intermediate_dim": 20,
        },
    ),
    Pair(
        "h_whisper",
        "whisper",
        "WhisperConfig",
        "WhisperModel",
        {
            "vocab_size": 97,
            "d_model": 24,
            "encoder_layers": 3,
            "decoder_layers": 3,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 40,
            "decoder_ffn_dim": 40,
            "num_mel_bins": 8,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
            "suppress_tokens": None,
            "begin_suppress_tokens": None,
            "max_source_positions": 20,
            "max_target_positions": 24,
        },
        beside="ema",
    ),
    Pair(
        "h_mpnet_twin",
        "mpnet",
        "MPNetConfig",
        "MPNetModel",
        dict(TEXT),
        beside="adam",
        kind="keras_to_pt",
    ),
)
LLM = {
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
}
PORTS = (
    Port(
        "p_gemma",
        "gemma",
        "transformers.convert_gemma",
        "GemmaConfig",
        "GemmaForCausalLM",
        {**LLM, "head_dim": 6},
    ),
    Port(
        "p_dinov2",
        "dinov2",
        "transformers.convert_dinov2",
        "Dinov2Config",
        "Dinov2Model",
        {
            "hidden_size": 24,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": 28,
            "patch_size": 7,
        },
    ),
    Port(
        "p_bart",
        "bart",
        "transformers.convert_bart",
        "BartConfig",
        "BartModel",
        {
            "vocab_size": 97,
            "d_model": 24,
            "encoder_layers": 3,
            "decoder_layers": 3,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 40,
            "decoder_ffn_dim": 40,
            "max_position_embeddings": 32,
        },
    ),
    Port(
        "p_qwen2",
        "qwen2",
        "transformers.convert_qwen",
        "Qwen2Config",
        "Qwen2ForCausalLM",
        LLM,
        needs="shapes",
    ),
)
APPS = (
    App(
        "k_ren_vgg16",
        "tfk-vgg16",
        app("VGG16", 32),
        "rename",
        "graph",
        "Momentum",
        notes="names that say nothing, one chain",
    ),
    App(
        "k_wrap_efficientnetv2",
        "tfk-efficientnetv2",
        app("EfficientNetV2B0", 64),
        "wrap:student/encoder",
        "names",
        "Momentum",
    ),
    App(
        "k_obj_mobilenetv2",
        "tfk-mobilenetv2",
        app("MobileNetV2", 64, alpha=0.35),
        "object",
        "graph",
    ),
)


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED)
    yield from huggingface_cases(PAIRS)
    yield from port_cases(PORTS)
    yield from keras_cases(APPS)

"""Cases of the fifth batch: series, points, diffusion, and ports of transformers."""

from __future__ import annotations

from typing import Any

from cases import wirings_e3 as e
from cases.batch1 import TEXT
from cases.batch2 import LLM
from cases.huggingface import Pair
from cases.keras_hub_ports import Port
from cases.names_a import plus
from cases.names_e3 import ema_moments
from cases.nets import by_rules
from cases.sides import Ported, tf_side

GRN = r"((?:static|past|future)/\w+(?:/\d)?|enrich|feed)"
ATTEND = {"query": "q", "key": "k", "value": "v", "out": "proj_out"}
DIFFUSERS = {"query": "to_q", "key": "to_k", "value": "to_v", "out": "to_out"}


def unet_old(found: Any) -> str:
    """Write a part of a block of the diffusion U-Net as its first code in TensorFlow does."""
    way, level, block, part, leaf = found.groups()
    leaf = {"kernel": "W", "bias": "b"}.get(leaf, leaf)
    return f"model/{way}_{level}/block_{block}/{OLD[part]}/{leaf}"


def unet_new(found: Any) -> str:
    """Write the same as its port: upper blocks are counted from below."""
    way, level, block, part, leaf = found.groups()
    at = 2 - int(level) if way == "up" else int(level)
    return f"unet/{way}_blocks_{at}/resnets_{block}/{NEW[part]}/{leaf}"


def unet_attend_new(found: Any) -> str:
    """Write an attention of the port."""
    way, level, block, part, leaf = found.groups()
    at = 2 - int(level) if way == "up" else int(level)
    return f"unet/{way}_blocks_{at}/attentions_{block}/{DIFFUSERS.get(part, 'group_norm')}/{leaf}"


def unet_sample_new(found: Any) -> str:
    """Write a change of size of the port."""
    way, level, leaf = found.groups()
    at = 2 - int(level) if way == "up" else int(level)
    return f"unet/{way}_blocks_{at}/{way}samplers_0/conv/{leaf}"


OLD = {
    "norm/0": "norm1",
    "norm/1": "norm2",
    "conv/0": "conv1",
    "conv/1": "conv2",
    "time": "temb_proj",
    "skip": "nin_shortcut",
}
NEW = {**OLD, "time": "time_emb_proj", "skip": "conv_shortcut"}
PART_OF = r"(norm/\d|conv/\d|time|skip)"
E4 = (
    Ported(
        "v_tft_gates",
        "temporal-fusion",
        "token-rename",
        "names",
        lambda: tf_side(
            e.fusion_transformer,
            by_rules(
                (rf"{GRN}/(in|hidden|context|skip)/(.*)", r"tft/\1/grn_\2/\3"),
                (rf"{GRN}/gate/(.*)", r"tft/\1/glu_activation/\2"),
                (rf"{GRN}/value/(.*)", r"tft/\1/glu_linear/\2"),
                (rf"{GRN}/norm/(.*)", r"tft/\1/add_and_norm/\2"),
                (r"quantile/(\d+)/(.*)", r"tft/output_p\1/\2"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.fusion_transformer,
            by_rules(
                (r"static/embed/(.*)", r"static_embedding/\1"),
                (r"static/choose/(.*)", r"static_context_variable_selection/\1"),
                (r"static/enrich/(.*)", r"static_context_enrichment/\1"),
                (r"static/state_h/(.*)", r"static_context_initial_hidden/\1"),
                (r"static/state_c/(.*)", r"static_context_initial_cell/\1"),
                (r"(past|future)/embed/(.*)", r"\1_embeddings/\2"),
                (r"past/(weights|variable/\d)/(.*)", r"encoder_variable_selection/\1/\2"),
                (r"future/(weights|variable/\d)/(.*)", r"decoder_variable_selection/\1/\2"),
                (r"past/rnn/(.*)", r"rnn_encoder/\1"),
                (r"future/rnn/(.*)", r"rnn_decoder/\1"),
                (r"past/after/(.*)", r"post_rnn_gate_encoder/\1"),
                (r"future/after/(.*)", r"post_rnn_gate_decoder/\1"),
                (r"enrich/(.*)", r"static_enrichment/\1"),
                (r"attention/after/(.*)", r"post_attention_gate/\1"),
                (r"attention/(\w+)/(.*)", r"multihead_attn/\1_proj/\2"),
                (r"feed/(.*)", r"positionwise_grn/\1"),
                (r"quantile/(\d+)/(.*)", r"output_layer/q\1/\2"),
            ),
        ),
        notes="eleven gated residual networks of one shape",
    ),
    Ported(
        "v_dgcnn_moments",
        "dgcnn",
        "scope-nesting",
        "names",
        lambda: tf_side(
            e.edge_graph,
            by_rules(
                (r"edge/(\d)/norm/(.*)", lambda m: ema_moments(f"dgcnn{int(m[1]) + 1}")(m)),
                (r"edge/(\d)/kernel", plus(1, "dgcnn{}/weights")),
                (r"(join)/norm/(.*)", ema_moments("agg")),
                (r"join/kernel", "agg/weights"),
                (r"head/(\d)/norm/(.*)", lambda m: ema_moments(f"fc{int(m[1]) + 1}")(m)),
                (r"head/(\d)/kernel", plus(1, "fc{}/weights")),
                (r"head/(\d)/bias", plus(1, "fc{}/biases")),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.edge_graph,
            by_rules(
                (r"edge/(\d)/norm/(.*)", r"edge_conv_\1/batch_norm/\2"),
                (r"edge/(\d)/(.*)", r"edge_conv_\1/conv/\2"),
                (r"join/norm/(.*)", r"global_features/batch_norm/\1"),
                (r"join/(.*)", r"global_features/conv/\1"),
                (r"head/2/(.*)", r"classifier/logits/\1"),
                (r"head/(\d)/norm/(.*)", r"classifier/fc_\1/batch_norm/\2"),
                (r"head/(\d)/(.*)", r"classifier/fc_\1/dense/\2"),
            ),
        ),
        notes="moving moments are named after the ops they average, as averages of weights are",
    ),
    Ported(
        "v_ddpm_ema",
        "ddpm-unet",
        "ema-intent",
        "names",
        lambda: tf_side(
            e.diffusion,
            by_rules(
                (rf"(down|up)/(\d)/(\d)/{PART_OF}/(\w+)", unet_old),
                (
                    r"(down|up)/(\d)/(\d)/attend/(\w+)/(kernel|bias|gamma|beta)",
                    lambda m: (
                        f"model/{m[1]}_{m[2]}/attn_{m[3]}/{ATTEND.get(m[4], m[4])}"
                        f"/{SHORT.get(m[5], m[5])}"
                    ),
                ),
                (
                    r"(down|up)/(\d)/sample/(kernel|bias)",
                    lambda m: f"model/{m[1]}_{m[2]}/{m[1]}sample/conv/{SHORT[m[3]]}",
                ),
                (
                    rf"middle/(\d)/{PART_OF}/(\w+)",
                    lambda m: (
                        f"model/mid/block_{int(m[1]) + 1}/{OLD[m[2]]}/{SHORT.get(m[3], m[3])}"
                    ),
                ),
                (
                    r"middle/attend/(\w+)/(\w+)",
                    lambda m: f"model/mid/attn_1/{ATTEND.get(m[1], m[1])}/{SHORT.get(m[2], m[2])}",
                ),
                (r"time/(\d)/(\w+)", lambda m: f"model/temb/dense{m[1]}/{SHORT[m[2]]}"),
                (r"in/(\w+)", lambda m: f"model/conv_in/{SHORT[m[1]]}"),
                (r"out/norm/(\w+)", r"model/norm_out/\1"),
                (r"out/(\w+)", lambda m: f"model/conv_out/{SHORT[m[1]]}"),
            ),
            train=True,
            optimizer="Adam",
            ema=True,
        ),
        lambda: tf_side(
            e.diffusion,
            by_rules(
                (rf"(down|up)/(\d)/(\d)/{PART_OF}/(\w+)", unet_new),
                (r"(down|up)/(\d)/(\d)/attend/(\w+)/(\w+)", unet_attend_new),
                (r"(down|up)/(\d)/sample/(\w+)", unet_sample_new),
                (
                    rf"middle/(\d)/{PART_OF}/(\w+)",
                    lambda m: f"unet/mid_block/resnets_{m[1]}/{NEW[m[2]]}/{m[3]}",
                ),
                (
                    r"middle/attend/(\w+)/(\w+)",
                    lambda m: (
                        f"unet/mid_block/attentions_0/{DIFFUSERS.get(m[1], 'group_norm')}/{m[2]}"
                    ),
                ),
                (r"time/(\d)/(\w+)", plus(1, "unet/time_embedding/linear_{}/{}")),
                (r"in/(\w+)", r"unet/conv_in/\1"),
                (r"out/norm/(\w+)", r"unet/conv_norm_out/\1"),
                (r"out/(\w+)", r"unet/conv_out/\1"),
            ),
        ),
        intent="ema",
        notes="levels of the way up are counted from the other end; averages are asked for",
    ),
)
SHORT = {"kernel": "W", "bias": "b"}
SEQ2SEQ = {
    "d_model": 16,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "vocab_size": 30,
    "max_position_embeddings": 34,
    "pad_token_id": 1,
}
LAYERS = {"vocab_size": 30, "max_position_embeddings": 34}
PAIRS = (
    Pair(
        "h_xglm_ema",
        "xglm",
        "XGLMConfig",
        "XGLMForCausalLM",
        {**LAYERS, "d_model": 16, "ffn_dim": 24, "num_layers": 4, "attention_heads": 2},
        beside="ema",
    ),
    Pair(
        "h_marian",
        "marian",
        "MarianConfig",
        "MarianMTModel",
        {**SEQ2SEQ, "decoder_start_token_id": 1},
        beside="wrap:translator+adam",
    ),
    Pair(
        "h_mbart_pt_to_keras",
        "mbart",
        "MBartConfig",
        "MBartForConditionalGeneration",
        SEQ2SEQ,
        to_torch=False,
    ),
    Pair(
        "h_flaubert_twin",
        "flaubert",
        "FlaubertConfig",
        "FlaubertWithLMHeadModel",
        {**LAYERS, "emb_dim": 16, "n_layers": 4, "n_heads": 2},
        beside="twin:student,teacher+adam",
    ),
    Pair(
        "h_roberta_prenorm",
        "roberta-prelayernorm",
        "RobertaPreLayerNormConfig",
        "RobertaPreLayerNormForMaskedLM",
        TEXT,
        beside="adamw",
    ),
    Pair(
        "h_efficientformer",
        "efficientformer",
        "EfficientFormerConfig",
        "EfficientFormerForImageClassification",
        {
            "image_size": 64,
            "depths": [2, 1, 2, 2],
            "hidden_sizes": [8, 12, 16, 20],
            "downsamples": [True, True, True, True],
            "dim": 20,
            "key_dim": 4,
            "num_attention_heads": 2,
            "attention_ratio": 2,
            "resolution": 2,
            "num_meta3d_blocks": 1,
        },
        beside="momentum",
    ),
    Pair(
        "h_convnextv2_pt_to_keras",
        "convnextv2",
        "ConvNextV2Config",
        "ConvNextV2ForImageClassification",
        {"image_size": 64, "hidden_sizes": [8, 12, 16, 20], "depths": [1, 2, 2, 1]},
        to_torch=False,
    ),
)
PORTS = (
    Port(
        "p_mistral",
        "mistral",
        "transformers.convert_mistral",
        "MistralConfig",
        "MistralForCausalLM",
        LLM,
        beside="strip:model.",
    ),
)

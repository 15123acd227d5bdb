"""Cases of the fifth batch: speech, text, memories."""

from __future__ import annotations

from typing import Any

import numpy as np

from cases import wirings_e2 as e
from cases.nets import by_default, by_rules
from cases.sides import Ported, Values, tf_side, torch_side

ENDS = (("letters", 4), ("words", 7))


def kim(values: Values) -> Values:
    """Drop the channel of the 2-D convolutions."""
    return {
        **{f"filter/{n}/kernel": values[f"filter/{n}/kernel"][:, :, 0] for n in (3, 4, 5)},
        "words/embeddings": values["words/table"],
    }


def tagger(values: Values) -> Values:
    """Split the fused kernels of four LSTMs."""
    found = {f"{r}/embeddings": values[f"{r}/table"] for r, _ in ENDS}
    for role, units in ENDS:
        for way in ("fw", "bw"):
            found |= e.split_lstm(values, f"{role}/{way}", units)
    return found


def allen(values: Values) -> Values:
    """Split the kernels of ELMo and stack its highways, as its port to torch does."""
    found = {}
    for way in ("forward", "backward"):
        for i in range(2):
            parts = e.split_lstm(values, f"{way}/{i}", 6)
            found[f"{way}/{i}/input/kernel"] = parts[f"{way}/{i}/kernel"]
            found[f"{way}/{i}/state/kernel"] = parts[f"{way}/{i}/recurrent_kernel"]
            found[f"{way}/{i}/state/bias"] = parts[f"{way}/{i}/bias"]
    for i in range(2):
        for leaf in ("kernel", "bias"):
            pair = (values[f"highway/{i}/{part}/{leaf}"] for part in ("transform", "carry"))
            found[f"highway/{i}/{leaf}"] = np.concatenate(list(pair), -1)
    return found


def torch_model(name: str) -> Any:
    """Return a maker of a module of cases.torch_models."""

    def make() -> Any:
        from cases import torch_models

        return getattr(torch_models, name)()

    return make


def jasper_unit(found: Any) -> str:
    """Turn a place in a list of convolutions, norms and activations into a role."""
    block, at, leaf = int(found[1]), int(found[2]), found[3]
    role = {0: "prologue", 4: "epilogue"}.get(block) or f"block/{block - 1}/{at // 4}"
    return f"{role}/{'norm/' if at % 4 else ''}{NORM[leaf] if at % 4 else 'kernel'}"


NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
E2 = (
    Ported(
        "v_textcnn_filters",
        "text-cnn",
        "tf1_to_keras",
        "shapes",
        lambda: tf_side(
            e.text_cnn,
            by_rules(
                (r"words/table", "embedding/W"),
                (r"filter/(\d)/kernel", r"conv-maxpool-\1/W"),
                (r"filter/(\d)/bias", r"conv-maxpool-\1/b"),
                (r"scores/kernel", "output/W"),
                (r"scores/bias", "output/b"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(e.keras_text_cnn, by_default()),
        kim,
        notes="2-D filters with one channel beside 1-D filters, listed from the largest on",
    ),
    Ported(
        "v_bilstm_crf_fused",
        "bilstm-crf",
        "tf1_to_keras",
        "names",
        lambda: tf_side(
            e.bilstm_crf,
            by_rules(
                (r"words/table", "words/_word_embeddings"),
                (r"letters/table", "chars/_char_embeddings"),
                (r"letters/(fw|bw)/(.*)", r"chars/bidirectional_rnn/\1/lstm_cell/\2"),
                (r"words/(fw|bw)/(.*)", r"bi-lstm/bidirectional_rnn/\1/lstm_cell/\2"),
                (r"project/kernel", "proj/W"),
                (r"project/bias", "proj/b"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(e.keras_bilstm_crf, by_rules((r"transitions", "crf/chain_kernel"))),
        tagger,
    ),
    Ported(
        "v_elmo_torch",
        "elmo",
        "tf1_to_pt",
        "names",
        lambda: tf_side(
            e.language_model,
            by_rules(
                (r"characters/table", "lm/char_embed"),
                (r"filter/(\d)/kernel", r"lm/CNN/W_cnn_\1"),
                (r"filter/(\d)/bias", r"lm/CNN/b_cnn_\1"),
                (r"highway/(\d)/(carry|transform)/kernel", r"lm/CNN_high_\1/W_\2"),
                (r"highway/(\d)/(carry|transform)/bias", r"lm/CNN_high_\1/b_\2"),
                (r"project/kernel", "lm/CNN_proj/W_proj"),
                (r"project/bias", "lm/CNN_proj/b_proj"),
                (
                    r"(forward|backward)/(\d)/project/kernel",
                    lambda m: (
                        f"lm/RNN_{int(m[1] == 'backward')}/RNN/MultiRNNCell/Cell{m[2]}"
                        "/rnn/lstm_cell/projection/kernel"
                    ),
                ),
                (
                    r"(forward|backward)/(\d)/(.*)",
                    lambda m: (
                        f"lm/RNN_{int(m[1] == 'backward')}/RNN/MultiRNNCell/Cell{m[2]}"
                        f"/rnn/lstm_cell/{m[3]}"
                    ),
                ),
            ),
            train=True,
            optimizer="Adagrad",
        ),
        lambda: torch_side(
            torch_model("Elmo"),
            by_rules(
                (r".*_char_embedding_weights", "characters/table"),
                (r".*char_conv_(\d)\.weight", r"filter/\1/kernel"),
                (r".*char_conv_(\d)\.bias", r"filter/\1/bias"),
                (r".*_highways\._layers\.(\d)\.weight", r"highway/\1/kernel"),
                (r".*_highways\._layers\.(\d)\.bias", r"highway/\1/bias"),
                (r"_token_embedder\._projection\.weight", "project/kernel"),
                (r"_token_embedder\._projection\.bias", "project/bias"),
                (r".*\.(forward|backward)_layer_(\d)\.input.*", r"\1/\2/input/kernel"),
                (r".*\.(forward|backward)_layer_(\d)\.state_l.*weight", r"\1/\2/state/kernel"),
                (r".*\.(forward|backward)_layer_(\d)\.state_l.*bias", r"\1/\2/state/bias"),
                (r".*\.(forward|backward)_layer_(\d)\.state_p.*", r"\1/\2/project/kernel"),
            ),
            {"characters": ((2, 4, 6), int)},
        ),
        allen,
        notes="kernels split into input and state; highways stacked into one matrix (composite)",
    ),
    Ported(
        "v_conformer_halves",
        "conformer",
        "twin-structure",
        "graph",
        lambda: tf_side(
            e.conformer,
            by_rules(
                (r"sampling/(\d)/(.*)", r"conformer_encoder/subsampling/conv_\1/\2"),
                (
                    r"block/(\d)/(first|second)/(.*)",
                    lambda m: (
                        f"conformer_encoder/block_{m[1]}/ff_module_{1 + (m[2] == 'second')}/{m[3]}"
                    ),
                ),
                (r"block/(\d)/attention/(.*)", r"conformer_encoder/block_\1/mhsa_module/\2"),
                (
                    r"block/(\d)/conv/depth/norm/(.*)",
                    r"conformer_encoder/block_\1/conv_module/bn/\2",
                ),
                (
                    r"block/(\d)/conv/depth/(.*)",
                    r"conformer_encoder/block_\1/conv_module/dw_conv/\2",
                ),
                (
                    r"block/(\d)/conv/in/(.*)",
                    r"conformer_encoder/block_\1/conv_module/pw_conv_1/\2",
                ),
                (
                    r"block/(\d)/conv/out/(.*)",
                    r"conformer_encoder/block_\1/conv_module/pw_conv_2/\2",
                ),
                (r"block/(\d)/conv/norm/(.*)", r"conformer_encoder/block_\1/conv_module/ln/\2"),
                (r"block/(\d)/norm/(.*)", r"conformer_encoder/block_\1/ln/\2"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.conformer,
            by_rules(
                (r"sampling/(\d)/(.*)", r"embed/conv\1/\2"),
                (r"block/(\d)/second/norm/(.*)", r"encoders/\1/norm_ff/\2"),
                (r"block/(\d)/first/norm/(.*)", r"encoders/\1/norm_ff_macaron/\2"),
                (r"block/(\d)/second/in/(.*)", r"encoders/\1/feed_forward/w_1/\2"),
                (r"block/(\d)/second/out/(.*)", r"encoders/\1/feed_forward/w_2/\2"),
                (r"block/(\d)/first/in/(.*)", r"encoders/\1/feed_forward_macaron/w_1/\2"),
                (r"block/(\d)/first/out/(.*)", r"encoders/\1/feed_forward_macaron/w_2/\2"),
                (r"block/(\d)/attention/norm/(.*)", r"encoders/\1/norm_mha/\2"),
                (r"block/(\d)/attention/(\w)\w+/(.*)", r"encoders/\1/self_attn/linear_\2/\3"),
                (r"block/(\d)/conv/norm/(.*)", r"encoders/\1/norm_conv/\2"),
                (r"block/(\d)/conv/in/(.*)", r"encoders/\1/conv_module/pointwise_conv1/\2"),
                (r"block/(\d)/conv/out/(.*)", r"encoders/\1/conv_module/pointwise_conv2/\2"),
                (r"block/(\d)/conv/depth/norm/(.*)", r"encoders/\1/conv_module/norm/\2"),
                (r"block/(\d)/conv/depth/(.*)", r"encoders/\1/conv_module/depthwise_conv/\2"),
                (r"block/(\d)/norm/(.*)", r"encoders/\1/norm_final/\2"),
                (r"ctc/(.*)", r"ctc_lo/\1"),
            ),
            shuffle=21,
        ),
        told=(r"block/\d/(first|second)/.*", ("first", "second")),
        notes="macaron is the first of two feed-forward modules of one shape",
    ),
    Ported(
        "v_melgan_scales",
        "melgan",
        "twin-structure",
        "graph",
        lambda: tf_side(
            e.scale_critics,
            by_rules(
                (r"scale/(\d)/(\d)/(.*)", r"netD/model/disc_\1/layer_\2/\3"),
                (r"scale/(\d)/out/(.*)", r"netD/model/disc_\1/layer_4/\2"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.scale_critics,
            by_rules(
                (
                    r"scale/(\d)/(.*)",
                    lambda m: f"msd/discriminators_{2 - int(m[1])}/{m[2].replace('out', 'post')}",
                ),
            ),
            shuffle=3,
        ),
        told=(r"scale/([0-2])/.*", ("0", "1", "2")),
        notes="discriminators counted from the full wave on, and from the coarsest on",
    ),
    Ported(
        "v_ntm_heads",
        "neural-turing-machine",
        "role-words",
        "names",
        lambda: tf_side(
            e.turing_machine,
            by_rules(
                (r"controller/kernel", "ntm/controller/lstm/w_gates"),
                (r"controller/bias", "ntm/controller/lstm/b_gates"),
                (r"(reader|writer)/strength/kernel", r"ntm/\1_head/beta/w"),
                (r"(reader|writer)/gate/kernel", r"ntm/\1_head/g/w"),
                (r"(reader|writer)/power/kernel", r"ntm/\1_head/gamma/w"),
                (r"(reader|writer)/strength/bias", r"ntm/\1_head/beta/b"),
                (r"(reader|writer)/gate/bias", r"ntm/\1_head/g/b"),
                (r"(reader|writer)/power/bias", r"ntm/\1_head/gamma/b"),
                (r"(reader|writer)/(\w+)/kernel", r"ntm/\1_head/\2/w"),
                (r"(reader|writer)/(\w+)/bias", r"ntm/\1_head/\2/b"),
                (r"output/kernel", "ntm/output/w"),
                (r"output/bias", "ntm/output/b"),
                (r"memory/start", "ntm/init_memory"),
                (r"read/start", "ntm/init_read_vector"),
            ),
            train=True,
            optimizer="RMSProp",
        ),
        lambda: tf_side(
            e.turing_machine,
            by_rules(
                (r"controller/(.*)", r"cell/ctrl_rnn/\1"),
                (r"reader/strength/(.*)", r"cell/read/key_strength_dense/\1"),
                (r"writer/strength/(.*)", r"cell/write/key_strength_dense/\1"),
                (r"reader/gate/(.*)", r"cell/read/interpolation_gate_dense/\1"),
                (r"writer/gate/(.*)", r"cell/write/interpolation_gate_dense/\1"),
                (r"reader/power/(.*)", r"cell/read/sharpening_gamma_dense/\1"),
                (r"writer/power/(.*)", r"cell/write/sharpening_gamma_dense/\1"),
                (r"reader/(\w+)/(.*)", r"cell/read/\1_dense/\2"),
                (r"writer/erase/(.*)", r"cell/write/erase_vector_dense/\1"),
                (r"writer/(\w+)/(.*)", r"cell/write/\1_dense/\2"),
                (r"output/(.*)", r"cell/out_dense/\1"),
                (r"memory/start", "cell/memory_bias"),
                (r"read/start", "cell/read_vector_bias"),
            ),
        ),
        notes="Greek letters of the paper beside words; strength, gate and power have one shape",
    ),
    Ported(
        "v_jasper_torch",
        "jasper",
        "tf1_to_pt",
        "shapes",
        lambda: tf_side(
            e.jasper,
            by_rules(
                (r"prologue/(norm/)?(.*)", lambda m: f"w2l_encoder/conv11/{_bn(m[1])}{m[2]}"),
                (r"epilogue/(norm/)?(.*)", lambda m: f"w2l_encoder/conv51/{_bn(m[1])}{m[2]}"),
                (
                    r"block/(\d)/residual/(norm/)?(.*)",
                    lambda m: (
                        f"w2l_encoder/conv{int(m[1]) + 2}3/res_{'bn_' if m[2] else ''}0/{m[3]}"
                    ),
                ),
                (
                    r"block/(\d)/(\d)/(norm/)?(.*)",
                    lambda m: f"w2l_encoder/conv{int(m[1]) + 2}{int(m[2]) + 1}/{_bn(m[3])}{m[4]}",
                ),
                (r"decoder/(.*)", r"fully_connected_ctc_decoder/fully_connected/\1"),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: torch_side(
            torch_model("Jasper"),
            by_rules(
                (r"encoder\.(\d)\.mconv\.(\d+)\.(.*)", jasper_unit),
                (
                    r"encoder\.(\d)\.res\.0\.0\.weight",
                    lambda m: f"block/{int(m[1]) - 1}/residual/kernel",
                ),
                (
                    r"encoder\.(\d)\.res\.0\.1\.(.*)",
                    lambda m: f"block/{int(m[1]) - 1}/residual/norm/{NORM[m[2]]}",
                ),
                (r"decoder_layers\.0\.weight", "decoder/kernel"),
                (r"decoder_layers\.0\.bias", "decoder/bias"),
            ),
            {"features": (2, 8, 6)},
        ),
        notes="places in a list that holds activations beside two numbers run together",
    ),
)


def _bn(norm: str | None) -> str:
    return "bn/" if norm else ""

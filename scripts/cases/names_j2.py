"""The namings of the tenth batch's wirings of attention and sequences."""

from __future__ import annotations

from typing import Any

from cases import wirings_j1 as j
from cases.names_a import plus
from cases.names_d import TORCH, leaves
from cases.nets import Naming, by_rules
from cases.nets_keras import OtherOps
from cases.wired import Wired

PROJECTIONS = {"query": "q", "key": "k", "value": "v", "out": "output_transform"}
SCALES = {"gamma": "layer_norm_scale", "beta": "layer_norm_bias"}


def t2t(found: Any) -> str:
    """Write a part of a layer as tensor2tensor does."""
    side, layer, part, word, leaf = found.groups()
    scope = {"self": "self_attention", "cross": "encdec_attention", "ffn": "ffn"}[part]
    at = f"transformer/body/{side}/layer_{layer}/{scope}"
    if word == "norm":
        return f"{at}/layer_prepostprocess/layer_norm/{SCALES.get(leaf, leaf)}"
    if part == "ffn":
        return f"{at}/conv{int(word) + 1}/{leaf}"
    return f"{at}/multihead_attention/{PROJECTIONS[word]}/{leaf}"


def official(found: Any) -> str:
    """Write the same as tensorflow/models' first Transformer does, its misspelling too."""
    side, layer, part, word, leaf = found.groups()
    scope = {"self": "self_attention", "cross": "encdec_attention", "ffn": "ffn"}[part]
    at = f"model/Transformer/{side}_stack/layer_{layer}/{scope}"
    if word == "norm":
        return f"{at}/layer_normalization/{SCALES.get(leaf, leaf)}"
    if part == "ffn":
        return f"{at}/feed_foward_network/{('filter', 'output')[int(word)]}_layer/{leaf}"
    return f"{at}/{scope}/{PROJECTIONS[word]}/{leaf}"


LAYER = r"(encoder|decoder)/(\d)/(self|cross|ffn)/(\w+)/(\w+)"


def kang(found: Any) -> str:
    """Write a norm as SASRec's authors do: two variables without a name, the offset first."""
    block, part, leaf = found.groups()
    scope = "ln" if part == "0" else "ln_1"
    at = f"SASRec/num_blocks_{block}/{scope}" if block else "SASRec/ln"
    return f"{at}/Variable{'_1' if leaf == 'gamma' else ''}"


def dense_of(found: Any) -> str:
    block, word, leaf = found.groups()
    number = {"query": "", "key": "_1", "value": "_2"}[word]
    return f"SASRec/num_blocks_{block}/self_attention/dense{number}/{leaf}"


BERT = {
    "self/query": "attention/self/query",
    "self/key": "attention/self/key",
    "self/value": "attention/self/value",
    "self/out": "attention/output/dense",
    "self/norm": "attention/output/LayerNorm",
    "ffn/0": "intermediate/conv1d_1",
    "ffn/1": "intermediate/conv1d_2",
    "ffn/norm": "output/LayerNorm",
}
FFT = {
    "self/query": "slf_attn.w_qs",
    "self/key": "slf_attn.w_ks",
    "self/value": "slf_attn.w_vs",
    "self/out": "slf_attn.fc",
    "self/norm": "slf_attn.layer_norm",
    "ffn/0": "pos_ffn.w_1",
    "ffn/1": "pos_ffn.w_2",
    "ffn/norm": "pos_ffn.layer_norm",
}


def tts() -> Naming:
    """Return the naming of TensorFlowTTS."""
    at = "tf_fast_speech2"
    words = {"length": "duration", "pitch": "f0", "energy": "energy"}
    return by_rules(
        (r"letters/table", f"{at}/embeddings/charactor_embeddings/weight"),
        (
            r"(encoder|decoder)/(\d)/(\w+/\w+)/(\w+)",
            lambda m: f"{at}/{m[1]}/layer_._{m[2]}/{BERT[m[3]]}/{m[4]}",
        ),
        (r"(pitch|energy)/embed/(.*)", lambda m: f"{at}/{words[m[1]]}_embeddings/{m[2]}"),
        (r"(\w+)/out/(.*)", lambda m: f"{at}/{words[m[1]]}_predictor/dense/{m[2]}"),
        (
            r"(length|pitch|energy)/(\d)/norm/(.*)",
            lambda m: f"{at}/{words[m[1]]}_predictor/LayerNorm_._{m[2]}/{m[3]}",
        ),
        (
            r"(length|pitch|energy)/(\d)/(.*)",
            lambda m: f"{at}/{words[m[1]]}_predictor/conv_._{m[2]}/{m[3]}",
        ),
        (r"mel/(.*)", rf"{at}/mel_before/\1"),
        (r"postnet/(\d)/norm/(.*)", rf"{at}/postnet/batch_norm_._\1/\2"),
        (r"postnet/(\d)/(.*)", rf"{at}/postnet/conv_._\1/\2"),
    )


def ming() -> Naming:
    """Return the naming of ming024's FastSpeech2 (PyTorch)."""
    at = "variance_adaptor."
    return leaves(
        TORCH,
        by_rules(
            (r"letters/(.*)", r"encoder.src_word_emb/\1"),
            (
                r"(encoder|decoder)/(\d)/(\w+/\w+)/(\w+)",
                lambda m: f"{m[1]}.layer_stack.{m[2]}.{FFT[m[3]]}/{m[4]}",
            ),
            (r"(\w+)/embed/(.*)", rf"{at}\1_embedding/\2"),
            (r"length/out/(.*)", rf"{at}duration_predictor.linear_layer/\1"),
            (r"(\w+)/out/(.*)", rf"{at}\1_predictor.linear_layer/\2"),
            (
                r"(length|pitch|energy)/(\d)/(norm/)?(.*)",
                lambda m: (
                    f"{at}{m[1].replace('length', 'duration')}_predictor.conv_layer."
                    f"{'layer_norm_' if m[3] else 'conv1d_'}{int(m[2]) + 1}/{m[4]}"
                ),
            ),
            (r"mel/(.*)", r"mel_linear/\1"),
            (r"postnet/(\d)/norm/(.*)", r"postnet.convolutions.\1.1/\2"),
            (r"postnet/(\d)/(.*)", r"postnet.convolutions.\1.0.conv/\2"),
        ),
        ".",
    )


GATES = {"i": "input", "g": "transform", "f": "forget", "o": "output", "c": "state"}
WIRED = (
    Wired(
        "w_t2t_translator",
        "tensor2tensor-transformer",
        "tf1_to_tf1",
        "names",
        j.translator,
        lambda: by_rules(
            (r"shared/table", "transformer/symbol_modality_41_16/shared/weights_0"),
            (LAYER, t2t),
            (
                r"(encoder|decoder)/norm/(\w+)",
                lambda m: (
                    f"transformer/body/{m[1]}/layer_prepostprocess/layer_norm/"
                    f"{SCALES.get(m[2], m[2])}"
                ),
            ),
        ),
        lambda: by_rules(
            (
                r"shared/table",
                "model/Transformer/embedding_shared_weights/embedding_and_softmax/weights",
            ),
            (LAYER, official),
            (
                r"(encoder|decoder)/norm/(\w+)",
                lambda m: (
                    f"model/Transformer/{m[1]}_stack/layer_normalization/{SCALES.get(m[2], m[2])}"
                ),
            ),
        ),
        ema=False,
        expected_net=OtherOps,
        notes="tensor2tensor's names beside those of tensorflow/models' Transformer",
    ),
    Wired(
        "w_sasrec_variables",
        "sasrec",
        "role-structure",
        "graph",
        j.next_item,
        lambda: by_rules(
            (r"items/table", "SASRec/input_embeddings/lookup_table"),
            (r"places/table", "SASRec/dec_pos/lookup_table"),
            (r"block/(\d)/(\d)/norm/(.*)", kang),
            (r"()(last)/norm/(\w+)", lambda m: f"SASRec/ln/Variable{'_1' * (m[3] == 'gamma')}"),
            (r"block/(\d)/0/(\w+)/(.*)", dense_of),
            (r"block/(\d)/1/a/(.*)", r"SASRec/num_blocks_\1/multihead_attention/conv1d/\2"),
            (r"block/(\d)/1/b/(.*)", r"SASRec/num_blocks_\1/multihead_attention/conv1d_1/\2"),
        ),
        lambda: by_rules(
            (r"items/table", "sasrec/item_embedding/embeddings"),
            (r"places/table", "sasrec/positional_embedding/embeddings"),
            (r"block/(\d)/0/norm/(.*)", r"sasrec/encoder_layer_\1/layer_norm1/\2"),
            (r"block/(\d)/1/norm/(.*)", r"sasrec/encoder_layer_\1/layer_norm2/\2"),
            (r"last/norm/(.*)", r"sasrec/layer_normalization/\1"),
            (r"block/(\d)/0/(q|k|v)\w+/(.*)", r"sasrec/encoder_layer_\1/mha/w\2/\3"),
            (r"block/(\d)/1/a/(.*)", r"sasrec/encoder_layer_\1/ffn/conv1/\2"),
            (r"block/(\d)/1/b/(.*)", r"sasrec/encoder_layer_\1/ffn/conv2/\2"),
        ),
        expected_net=OtherOps,
        notes="norms are Variable (offset) and Variable_1 (scale); the scope of the last part is "
        "called multihead_attention by its authors",
    ),
    Wired(
        "w_fastspeech2",
        "fastspeech-2",
        "token-rename",
        "names",
        j.speaker,
        tts,
        ming,
        optimizer="Adam",
        expected_net=OtherOps,
        notes="TensorFlowTTS' names beside ming024's; layouts are TensorFlow's on both sides; f0 "
        "is the pitch",
    ),
    Wired(
        "w_lnlstm_norms",
        "layernorm-lstm",
        "gate-roles",
        "graph",
        j.normed_lstm,
        lambda: by_rules(
            (r"words/table", "embedding"),
            (
                r"cell/(\d)/([igfoc])/(.*)",
                lambda m: (
                    f"rnn/multi_rnn_cell/cell_{m[1]}/layer_norm_basic_lstm_cell/"
                    f"{GATES[m[2]]}/{m[3]}"
                ),
            ),
            (r"cell/(\d)/(.*)", r"rnn/multi_rnn_cell/cell_\1/layer_norm_basic_lstm_cell/\2"),
            (r"logits/kernel", "softmax_w"),
            (r"logits/bias", "softmax_b"),
        ),
        lambda: by_rules(
            (r"words/table", "lm/tokens/embeddings"),
            (
                r"cell/(\d)/([igfoc])/(.*)",
                lambda m: f"lm/ln_lstm_{int(m[1]) + 1}/norm_{'ofcig'.index(m[2])}/{m[3]}",
            ),
            (r"cell/(\d)/(.*)", plus(1, "lm/ln_lstm_{}/fused/{}")),
            (r"logits/(.*)", r"lm/decoder/\1"),
        ),
        optimizer="RMSProp",
        expected_net=OtherOps,
        notes="norm_0..norm_4 are those of output, forget, state, input, transform",
    ),
    Wired(
        "w_set_transformer_scopes",
        "set-transformer",
        "scope-nesting",
        "names",
        j.sets,
        lambda: by_rules(
            (r"embed/(.*)", r"set_transformer/embed/\1"),
            (r"induced/(\d)/points", plus(1, "set_transformer/isab_{}/inducing_points")),
            (r"pool/points", "set_transformer/pma/seed_vectors"),
            (
                r"induced/(\d)/([01])/(\w+|norm/\d)/(\w+)",
                lambda m: (
                    f"set_transformer/isab_{int(m[1]) + 1}/"
                    f"{('points_to_set', 'set_to_points')[int(m[2])]}/{PARTS[m[3]]}/{m[4]}"
                ),
            ),
            (
                r"(pool|last)/(\w+|norm/\d)/(\w+)",
                lambda m: f"set_transformer/{BLOCKS[m[1]]}/{PARTS[m[2]]}/{m[3]}",
            ),
            (r"head/(.*)", r"set_transformer/prediction/\1"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"embed/(.*)", r"proj/\1"),
                (r"induced/(\d)/points", r"enc/\1/I"),
                (r"pool/points", "dec/0/S"),
                (
                    r"(induced/\d/\d|pool|last)/(query|key|value|out)/(.*)",
                    lambda m: f"{mab(m[1])}/fc_{m[2][0]}/{m[3]}",
                ),
                (
                    r"(induced/\d/\d|pool|last)/norm/(\d)/(.*)",
                    lambda m: f"{mab(m[1])}/ln{m[2]}/{m[3]}",
                ),
                (r"head/(.*)", r"dec/2/\1"),
            ),
            ".",
        ),
        optimizer="Momentum",
        shuffle_expected=10,
        expected_net=OtherOps,
        notes="words of a Keras port beside the authors' numbered modules",
    ),
)
PARTS = {
    **{one: f"attention/{one}" for one in ("query", "key", "value")},
    "out": "feed_forward",
    "norm/0": "attention_norm",
    "norm/1": "feed_forward_norm",
}
BLOCKS = {"pool": "pma/mab", "last": "sab/mab"}


def mab(at: str) -> str:
    """Write the scope of an attention block as the authors' modules do."""
    if at.startswith("induced"):
        _, layer, part = at.split("/")
        return f"enc/{layer}/mab{part}"
    return {"pool": "dec/0/mab", "last": "dec/1/mab"}[at]

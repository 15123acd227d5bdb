"""Namings of the sixth batch: text and speech."""

from __future__ import annotations

from typing import Any

from cases import wirings_f1 as f
from cases.names_a import plus
from cases.nets import by_default, by_rules
from cases.wired import Wired

SLIM = {"kernel": "weights", "bias": "biases"}
TORCH = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "g": "gamma"}
TORCH |= {"moving_mean": "running_mean", "moving_variance": "running_var", "b": "beta"}
WAY = {"ahead": "fw", "back": "bw"}


def torchlike(template: str) -> Any:
    """Write groups into a template; the last group is a leaf, named as torch does."""
    return lambda m: template.format(*m.groups()[:-1], TORCH.get(m[m.lastindex], m[m.lastindex]))


def tasnet_block(found: Any) -> str:
    """Write a part of a block as Asteroid's list of layers does."""
    number = 3 * int(found[1]) + int(found[2])
    part = {"in/kernel": "shared_block/0/weight", "in/bias": "shared_block/0/bias"}
    part |= {"0/alpha": "shared_block/1/weight", "1/alpha": "shared_block/4/weight"}
    part |= {"0/g": "shared_block/2/gamma", "0/b": "shared_block/2/beta"}
    part |= {"depth/kernel": "shared_block/3/weight", "depth/bias": "shared_block/3/bias"}
    part |= {"1/g": "shared_block/5/gamma", "1/b": "shared_block/5/beta"}
    part |= {f"{a}/{k}": f"{b}_conv/{TORCH[k]}" for a, b in RES for k in ("kernel", "bias")}
    return f"masker/TCN/{number}/{part[found[3]]}"


RES = (("residual", "res"), ("skip", "skip"))
VGG = {"00": 0, "10": 3, "20": 6, "21": 8, "30": 11, "31": 13}


def yamnet_new(found: Any) -> str:
    """Write a convolution of YAMNet with the dotted numbers of a torch port."""
    at, part, norm, leaf = int(found[1]), found[2], found[3], found[4]
    inner = f"{part}wise_conv" if part else "conv"
    return f"yamnet/features/{at}/{inner}/{'bn' if norm else 'weight'}/{TORCH.get(leaf, leaf)}"


def yamnet_old() -> Any:
    """Return the naming of the layers that the released code uses."""
    return by_rules(
        (r"layer/0/norm/(.*)", r"layer1/conv/bn/\1"),
        (r"layer/0/kernel", "layer1/conv/kernel"),
        (r"layer/(\d+)/depth/norm/(.*)", plus(1, "layer{}/depthwise_conv/bn/{}")),
        (r"layer/(\d+)/depth/kernel", plus(1, "layer{}/depthwise_conv/depthwise_kernel")),
        (r"layer/(\d+)/point/norm/(.*)", plus(1, "layer{}/pointwise_conv/bn/{}")),
        (r"layer/(\d+)/point/kernel", plus(1, "layer{}/pointwise_conv/kernel")),
        (r"logits/(.*)", r"logits/\1"),
    )


def spelled(swap: bool) -> Any:
    """Name the pyramid; swap: the directions' letters are exchanged."""
    letters = {"ahead": "a", "back": "b"} if not swap else {"ahead": "b", "back": "a"}
    return by_rules(
        (r"listen/(\d)/(ahead|back)/(.*)", lambda m: f"l{m[1]}/{letters[m[2]]}/{m[3]}"),
    )


WIRED = (
    Wired(
        "w_esim_tf1",
        "esim",
        "scope-nesting",
        "names",
        f.inference_model,
        lambda: by_rules(
            (r"embed/table", "emb/Embedding"),
            (
                r"encode/(ahead|back)/(.*)",
                lambda m: f"bidir/bidirectional_rnn/{WAY[m[1]]}/lstm_cell/{m[2]}",
            ),
            (
                r"compose/(ahead|back)/(.*)",
                lambda m: f"v2-bilstm/bidirectional_rnn/{WAY[m[1]]}/lstm_cell/{m[2]}",
            ),
            (r"project/(.*)", r"dense/\1"),
            (r"hidden/(.*)", r"dense_1/\1"),
            (r"logits/(.*)", r"dense_2/\1"),
        ),
        lambda: by_rules(
            (r"embed/table", "word_embedding/weight"),
            (
                r"encode/(ahead|back)/(.*)",
                lambda m: f"encoding/{'forward' if m[1] == 'ahead' else 'backward'}/{m[2]}",
            ),
            (
                r"compose/(ahead|back)/(.*)",
                lambda m: f"composition/{'forward' if m[1] == 'ahead' else 'backward'}/{m[2]}",
            ),
            (r"project/(.*)", r"projection/0/\1"),
            (r"hidden/(.*)", r"classification/1/\1"),
            (r"logits/(.*)", r"classification/4/\1"),
        ),
    ),
    Wired(
        "w_han_levels",
        "hierarchical-attention",
        "twin-structure",
        "names",
        f.hierarchy,
        lambda: by_rules(
            (r"words/table", "embedding_matrix"),
            (
                r"(word|sentence)/(ahead|back)/(gates|candidate)/(.*)",
                lambda m: (
                    f"{'word' if m[1] == 'word' else 'sent'}_encoder/bidirectional_rnn/"
                    f"{WAY[m[2]]}/gru_cell/{m[3]}/{m[4]}"
                ),
            ),
            (r"word/attend/hidden/(.*)", r"word_attention/fully_connected/\1"),
            (r"sentence/attend/hidden/(.*)", r"sent_attention/fully_connected/\1"),
            (r"word/attend/context", "word_attention/attention_context_vector"),
            (r"sentence/attend/context", "sent_attention/attention_context_vector"),
            (r"classify/(.*)", r"classifier/fully_connected/\1"),
        ),
        lambda: by_rules(
            (
                r"(word|sentence)/(ahead|back)/(.*)",
                lambda m: f"{m[1]}_bigru/{'forward' if m[2] == 'ahead' else 'backward'}_gru/{m[3]}",
            ),
            (r"(word|sentence)/attend/hidden/(.*)", r"\1_att/W/\2"),
            (r"(word|sentence)/attend/context", r"\1_att/u"),
            (r"classify/(.*)", r"doc_logits/\1"),
        ),
        ema=True,
        notes="both levels have equal shapes",
    ),
    Wired(
        "w_pointer_generator",
        "pointer-generator",
        "token-rename",
        "names",
        f.pointer,
        lambda: by_rules(
            (r"embed/table", "seq2seq/embedding/embedding"),
            (
                r"encode/(ahead|back)/(.*)",
                lambda m: f"seq2seq/encoder/bidirectional_rnn/{WAY[m[1]]}/lstm_cell/{m[2]}",
            ),
            (
                r"reduce/(cell|state)/kernel",
                lambda m: f"seq2seq/reduce_final_st/w_reduce_{ST[m[1]]}",
            ),
            (
                r"reduce/(cell|state)/bias",
                lambda m: f"seq2seq/reduce_final_st/bias_reduce_{ST[m[1]]}",
            ),
            (r"attend/memory/kernel", "seq2seq/decoder/attention_decoder/W_h"),
            (r"attend/score", "seq2seq/decoder/attention_decoder/v"),
            (
                r"attend/query/(kernel|bias)",
                lambda m: f"seq2seq/decoder/attention_decoder/Attention/Linear/{LIN[m[1]]}",
            ),
            (
                r"decode/input/(kernel|bias)",
                lambda m: f"seq2seq/decoder/attention_decoder/Linear/{LIN[m[1]]}",
            ),
            (r"decode/cell/(.*)", r"seq2seq/decoder/attention_decoder/lstm_cell/\1"),
            (
                r"copy/(kernel|bias)",
                lambda m: f"seq2seq/decoder/attention_decoder/calculate_pgen/Linear/{LIN[m[1]]}",
            ),
            (
                r"output/(kernel|bias)",
                lambda m: (
                    f"seq2seq/decoder/attention_decoder/AttnOutputProjection/Linear/{LIN[m[1]]}"
                ),
            ),
            (r"vocabulary/kernel", "seq2seq/output_projection/w"),
            (r"vocabulary/bias", "seq2seq/output_projection/v"),
        ),
        lambda: by_rules(
            (r"embed/table", "encoder/embedding/weight"),
            (r"encode/ahead/(.*)", r"encoder/lstm/forward/\1"),
            (r"encode/back/(.*)", r"encoder/lstm/reverse/\1"),
            (r"reduce/cell/(.*)", torchlike("reduce_state/reduce_c/{}")),
            (r"reduce/state/(.*)", torchlike("reduce_state/reduce_h/{}")),
            (r"attend/memory/(.*)", torchlike("encoder/W_h/{}")),
            (r"attend/score", "decoder/attention_network/v/weight"),
            (r"attend/query/(.*)", torchlike("decoder/attention_network/decode_proj/{}")),
            (r"decode/input/(.*)", torchlike("decoder/x_context/{}")),
            (r"decode/cell/(.*)", r"decoder/lstm/\1"),
            (r"copy/(.*)", torchlike("decoder/p_gen_linear/{}")),
            (r"output/(.*)", torchlike("decoder/out1/{}")),
            (r"vocabulary/(.*)", torchlike("decoder/out2/{}")),
        ),
        optimizer="Adagrad",
        notes="v is a score's vector in one scope and a bias in another",
    ),
    Wired(
        "w_listen_directions",
        "listen-attend-spell",
        "role-structure",
        "graph",
        f.listen_spell,
        lambda: spelled(False),
        lambda: spelled(True),
        shuffle_expected=5,
        notes="the letters of both directions are exchanged; only the order of steps tells",
    ),
    Wired(
        "w_tasnet_blocks",
        "conv-tasnet",
        "index-notation",
        "names",
        f.separation,
        lambda: by_rules(
            (r"coder/kernel", "encoder/conv1d/kernel"),
            (r"norm/g", "separator/gln/gamma"),
            (r"norm/b", "separator/gln/beta"),
            (r"bottleneck/(.*)", r"separator/bottleneck/\1"),
            (r"block/(\d)/(\d)/in/(.*)", r"separator/repeat_\1/block_\2/conv1x1_in/\3"),
            (r"block/(\d)/(\d)/depth/(.*)", r"separator/repeat_\1/block_\2/dconv/\3"),
            (r"block/(\d)/(\d)/residual/(.*)", r"separator/repeat_\1/block_\2/conv1x1_res/\3"),
            (r"block/(\d)/(\d)/skip/(.*)", r"separator/repeat_\1/block_\2/conv1x1_skip/\3"),
            (r"block/(\d)/(\d)/(\d)/alpha", r"separator/repeat_\1/block_\2/prelu_\3/alpha"),
            (r"block/(\d)/(\d)/(\d)/g", r"separator/repeat_\1/block_\2/gln_\3/gamma"),
            (r"block/(\d)/(\d)/(\d)/b", r"separator/repeat_\1/block_\2/gln_\3/beta"),
            (r"end/alpha", "separator/prelu/alpha"),
            (r"mask/(.*)", r"separator/mask_conv/\1"),
            (r"decoder/kernel", "decoder/basis/kernel"),
        ),
        lambda: by_rules(
            (r"coder/kernel", "encoder/filterbank/filters"),
            (r"decoder/kernel", "decoder/filterbank/filters"),
            (r"norm/(g|b)", torchlike("masker/bottleneck/0/{}")),
            (r"bottleneck/(kernel|bias)", torchlike("masker/bottleneck/1/{}")),
            (r"block/(\d)/(\d)/(.*)", tasnet_block),
            (r"end/alpha", "masker/mask_net/0/weight"),
            (r"mask/(kernel|bias)", torchlike("masker/mask_net/1/{}")),
        ),
        notes="two numbers against one, roles against places in a list",
    ),
    Wired(
        "w_xvector_frames",
        "x-vector",
        "index-shift",
        "names",
        f.time_delay,
        lambda: by_rules(
            (r"frame/(\d)/norm/(.*)", plus(1, "tdnn/tdnn{0}_bn/{1}")),
            (r"frame/(\d)/(.*)", plus(1, "tdnn/tdnn{0}_conv/{1}")),
            (r"segment/(\d)/norm/(.*)", plus(6, "tdnn/tdnn{0}_bn/{1}")),
            (r"segment/(\d)/(.*)", plus(6, "tdnn/tdnn{0}_dense/{1}")),
            (r"speaker/(.*)", r"softmax/output/\1"),
        ),
        lambda: by_rules(
            (
                r"frame/(\d)/norm/(.*)",
                lambda m: f"embedding_model/blocks/{3 * int(m[1]) + 2}/norm/{TORCH[m[2]]}",
            ),
            (
                r"frame/(\d)/(.*)",
                lambda m: f"embedding_model/blocks/{3 * int(m[1])}/conv/{TORCH[m[2]]}",
            ),
            (r"segment/0/norm/(.*)", torchlike("embedding_model/blocks/18/norm/{}")),
            (r"segment/0/(.*)", torchlike("embedding_model/blocks/16/w/{}")),
            (r"segment/1/norm/(.*)", torchlike("classifier/DNN/block_0/norm/{}")),
            (r"segment/1/(.*)", torchlike("classifier/DNN/block_0/linear/{}")),
            (r"speaker/(.*)", torchlike("classifier/out/{}")),
        ),
        optimizer="Momentum",
        notes="the last hidden layer stands in another module",
    ),
    Wired(
        "w_vggish_slim",
        "vggish",
        "index-notation",
        "names",
        f.sound_vgg,
        lambda: by_rules(
            (
                r"body/(\d)/(\d)/(.*)",
                lambda m: (
                    f"vggish/conv{int(m[1]) + 1}/"
                    + (f"conv{int(m[1]) + 1}_{int(m[2]) + 1}/" if int(m[1]) > 1 else "")
                    + SLIM[m[3]]
                ),
            ),
            (
                r"head/(\d)/(.*)",
                lambda m: (
                    f"vggish/fc2/{SLIM[m[2]]}"
                    if m[1] == "2"
                    else f"vggish/fc1/fc1_{int(m[1]) + 1}/{SLIM[m[2]]}"
                ),
            ),
        ),
        lambda: by_rules(
            (
                r"body/(\d)/(\d)/(.*)",
                lambda m: f"features/{VGG[m[1] + m[2]]}/{TORCH[m[3]]}",
            ),
            (r"head/(\d)/(.*)", lambda m: f"embeddings/{2 * int(m[1])}/{TORCH[m[2]]}"),
        ),
    ),
    Wired(
        "w_yamnet_layers",
        "yamnet",
        "index-shift",
        "names",
        f.sound_mobile,
        yamnet_old,
        lambda: by_rules(
            (r"layer/(\d+)/?(depth|point)?(/?norm)?/(\w+)", yamnet_new),
            (r"logits/(.*)", torchlike("yamnet/classifier/{}")),
        ),
        optimizer="Momentum",
        notes="layers are counted from one and from zero",
    ),
    Wired(
        "w_yamnet_default",
        "yamnet",
        "default-names-order",
        "shapes",
        f.sound_mobile,
        yamnet_old,
        lambda: by_default(),
        optimizer="RMSProp",
        notes="Keras' counters of three kinds",
    ),
    Wired(
        "w_transducer_words",
        "rnn-transducer",
        "role-words",
        "names",
        f.transducer,
        lambda: by_rules(
            (r"encode/(\d)/norm/(.*)", r"transcription/layer_\1/ln/\2"),
            (r"encode/(\d)/(.*)", r"transcription/layer_\1/lstm_cell/\2"),
            (r"predict/(\d)/norm/(.*)", r"prediction/layer_\1/ln/\2"),
            (r"predict/(\d)/(.*)", r"prediction/layer_\1/lstm_cell/\2"),
            (r"embed/table", "prediction/embedding_lookup/weights"),
            (r"joint/sound/(.*)", r"joint_network/f_proj/\1"),
            (r"joint/text/(.*)", r"joint_network/g_proj/\1"),
            (r"joint/out/(.*)", r"joint_network/h/\1"),
        ),
        lambda: by_rules(
            (r"encode/(\d)/norm/(.*)", plus(1, "rnnt/encoder_lstm{}_norm/{}")),
            (r"encode/(\d)/(.*)", plus(1, "rnnt/encoder_lstm{}/{}")),
            (r"predict/(\d)/norm/(.*)", plus(1, "rnnt/decoder_lstm{}_norm/{}")),
            (r"predict/(\d)/(.*)", plus(1, "rnnt/decoder_lstm{}/{}")),
            (r"embed/table", "rnnt/decoder_embedding/embeddings"),
            (r"joint/sound/(.*)", r"rnnt/joint_enc/\1"),
            (r"joint/text/(.*)", r"rnnt/joint_pred/\1"),
            (r"joint/out/(.*)", r"rnnt/joint_vocab/\1"),
        ),
        ema=True,
    ),
    Wired(
        "w_hops_unknowable",
        "self-attentive-embedding",
        "ambiguous",
        "graph",
        f.hops,
        lambda: by_rules(
            (r"hop/p/(\w+)/kernel", r"attention/hop_0/\1/W"),
            (r"hop/q/(\w+)/kernel", r"attention/hop_1/\1/W"),
        ),
        lambda: by_rules(
            (r"hop/p/first/kernel", "pool/upper/ws1"),
            (r"hop/p/second/kernel", "pool/upper/ws2"),
            (r"hop/q/first/kernel", "pool/lower/ws1"),
            (r"hop/q/second/kernel", "pool/lower/ws2"),
        ),
        shuffle_actual=3,
        shuffle_expected=8,
        unknowable=r"hop/.*",
        swaps=(("hop/p", "hop/q"), ("hop/q", "hop/p")),
        notes="the hops are averaged: nobody can tell them apart",
    ),
)
ST = {"cell": "c", "state": "h"}
LIN = {"kernel": "Matrix", "bias": "Bias"}

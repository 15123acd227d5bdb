"""The namings of the first batch's wirings."""

from __future__ import annotations

from cases import wirings_a as a
from cases.nets import by_default, by_rules
from cases.wired import Wired


def plus(offset: int, template: str):
    """Return a replacement that writes the first group plus an offset into a template."""
    return lambda found: template.format(int(found[1]) + offset, *found.groups()[1:])


WIRED = (
    Wired(
        "w_vae_heads",
        "vae",
        "role-words",
        "names",
        a.vae,
        lambda: by_rules(
            (r"enc/(\d)/(.*)", plus(1, r"inference_net/conv_{}/{}")),
            (r"mean/(.*)", r"inference_net/q_mu/\1"),
            (r"log_variance/(.*)", r"inference_net/q_logvar/\1"),
            (r"up/(.*)", r"generative_net/fc/\1"),
            (r"dec/(\d)/(.*)", plus(1, r"generative_net/deconv_{}/{}")),
            (r"out/(.*)", r"generative_net/x_mean/\1"),
        ),
        lambda: by_rules(
            (r"enc/(\d)/(.*)", r"encoder/conv2d_\1/\2"),
            (r"mean/(.*)", r"encoder/z_mean/\1"),
            (r"log_variance/(.*)", r"encoder/z_log_var/\1"),
            (r"up/(.*)", r"decoder/dense/\1"),
            (r"dec/(\d)/(.*)", r"decoder/conv2d_transpose_\1/\2"),
            (r"out/(.*)", r"decoder/reconstruction/\1"),
        ),
    ),
    Wired(
        "w_vae_lettered",
        "vae",
        "role-structure",
        "graph",
        a.vae,
        lambda: by_rules((r"mean/(.*)", r"head_b/\1"), (r"log_variance/(.*)", r"head_a/\1")),
        lambda: by_rules((r"mean/(.*)", r"head_1/\1"), (r"log_variance/(.*)", r"head_2/\1")),
        shuffle_expected=3,
        notes="the heads' letters and numbers are exchanged; only exp tells",
    ),
    Wired(
        "w_seq2seq_words",
        "seq2seq-attention",
        "token-rename",
        "names",
        a.attention_seq2seq,
        lambda: by_rules(
            (r"source/table", "encoder/embedding/weights"),
            (r"target/table", "decoder/embedding/weights"),
            (r"(encoder|decoder)/(gates|candidate)/(.*)", r"\1/rnn/gru_cell/\2/\3"),
            (r"attention/query/kernel", "decoder/attention/query_layer/kernel"),
            (r"attention/memory/kernel", "decoder/memory_layer/kernel"),
            (r"attention/score/kernel", "decoder/attention/attention_v"),
            (r"combine/(.*)", r"decoder/attention_layer/\1"),
            (r"logits/(.*)", r"decoder/output_projection/\1"),
        ),
        lambda: by_rules(
            (r"source/table", "model/src_emb"),
            (r"target/table", "model/tgt_emb"),
            (r"encoder/(gates|candidate)/(.*)", r"model/enc_gru/\1_\2"),
            (r"decoder/(gates|candidate)/(.*)", r"model/dec_gru/\1_\2"),
            (r"attention/query/kernel", "model/attn/W_q"),
            (r"attention/memory/kernel", "model/attn/W_mem"),
            (r"attention/score/kernel", "model/attn/v"),
            (r"combine/(.*)", r"model/attn_combine/\1"),
            (r"logits/(.*)", r"model/out_proj/\1"),
        ),
    ),
    Wired(
        "w_dqn_target",
        "dueling-dqn",
        "twin-intent",
        "names",
        a.dueling_dqn,
        lambda: by_rules(
            (r"online/(value|advantage)/(\d)/(.*)", r"q_online/\1_stream/fc\2/\3"),
            (r"target/(value|advantage)/(\d)/(.*)", r"q_target/\1_stream/fc\2/\3"),
            (r"online/(.*)", r"q_online/\1"),
            (r"target/(.*)", r"q_target/\1"),
        ),
        lambda: by_rules(
            (r"online/conv/(\d)/(.*)", plus(1, "policy_net/conv{}/{}")),
            (r"online/value/(\d)/(.*)", plus(1, "policy_net/V_{}/{}")),
            (r"online/advantage/(\d)/(.*)", plus(1, "policy_net/A_{}/{}")),
        ),
        optimizer="RMSProp",
        notes="only the online copy is trained; the target copy has equal shapes",
    ),
    Wired(
        "w_highway_default",
        "highway",
        "default-names-order",
        "graph",
        a.highway,
        lambda: by_default("net/"),
        lambda: by_default(),
        shuffle_actual=5,
        shuffle_expected=8,
        notes="dense_N in two orders of creation: gate and transform are told by the sigmoid",
    ),
    Wired(
        "w_highway_words",
        "highway",
        "token-rename",
        "names",
        a.highway,
        lambda: by_rules(
            (r"layer/(\d)/transform/kernel", r"hw\1/W_H"),
            (r"layer/(\d)/transform/bias", r"hw\1/b_H"),
            (r"layer/(\d)/gate/kernel", r"hw\1/W_T"),
            (r"layer/(\d)/gate/bias", r"hw\1/b_T"),
        ),
        lambda: by_rules(
            (r"layer/(\d)/(transform|gate)/(.*)", plus(1, r"highway_layer_{}/{}_dense/{}")),
            (r"inlet/(.*)", r"input_projection/\1"),
            (r"outlet/(.*)", r"output_projection/\1"),
        ),
        optimizer="Momentum",
        notes="H and T are the paper's letters",
    ),
    Wired(
        "w_dcn_fields",
        "deep-cross",
        "index-notation",
        "names",
        a.cross_network,
        lambda: by_rules(
            (r"field/(\w+)/table", r"input_layer/\1_id_embedding/embedding_weights"),
            (r"cross/(\d)/kernel", r"cross_part/w_\1"),
            (r"cross/(\d)/bias", r"cross_part/b_\1"),
            (r"deep/(\d)/(.*)", r"dnn/hiddenlayer_\1/\2"),
            (r"logit/(.*)", r"logits/\1"),
        ),
        lambda: by_rules(
            (r"field/(\w+)/table", r"emb.\1.weight"),
            (r"cross/(\d)/kernel", plus(1, "cross_layers.{}.weight")),
            (r"cross/(\d)/bias", plus(1, "cross_layers.{}.bias")),
            (r"deep/(\d)/kernel", plus(1, "deep.{}.weight")),
            (r"deep/(\d)/bias", plus(1, "deep.{}.bias")),
            (r"logit/kernel", "final.weight"),
            (r"logit/bias", "final.bias"),
        ),
        optimizer="Adagrad",
    ),
    Wired(
        "w_encdec_default",
        "transformer-encdec",
        "default-names-order",
        "graph",
        a.encoder_decoder,
        lambda: by_default("transformer/"),
        lambda: by_default("model/"),
        shuffle_expected=4,
        notes="dense_N, layer_normalization_N; expected made in another order",
    ),
    Wired(
        "w_encdec_words",
        "transformer-encdec",
        "scope-nesting",
        "names",
        a.encoder_decoder,
        lambda: by_rules(
            (
                r"(encoder|decoder)/(\d)/self/norm/(.*)",
                r"\1/num_blocks_\2/multihead_attention/ln/\3",
            ),
            (r"decoder/(\d)/cross/norm/(.*)", r"decoder/num_blocks_\1/vanilla_attention/ln/\2"),
            (
                r"(encoder|decoder)/(\d)/ffn/norm/(.*)",
                r"\1/num_blocks_\2/positionwise_feedforward/ln/\3",
            ),
            (
                r"(encoder|decoder)/(\d)/self/(query|key|value|output)/(.*)",
                r"\1/num_blocks_\2/multihead_attention/\3/\4",
            ),
            (
                r"decoder/(\d)/cross/(query|key|value|output)/(.*)",
                r"decoder/num_blocks_\1/vanilla_attention/\2/\3",
            ),
            (
                r"(encoder|decoder)/(\d)/ffn/(in|out)/(.*)",
                r"\1/num_blocks_\2/positionwise_feedforward/\3/\4",
            ),
        ),
        lambda: by_rules(
            (r"(enc|dec)oder/(\d)/self/norm/(.*)", r"\1/layer\2/norm1/\3"),
            (r"decoder/(\d)/cross/norm/(.*)", r"dec/layer\1/norm2/\2"),
            (r"encoder/(\d)/ffn/norm/(.*)", r"enc/layer\1/norm2/\2"),
            (r"decoder/(\d)/ffn/norm/(.*)", r"dec/layer\1/norm3/\2"),
            (r"(enc|dec)oder/(\d)/self/([qkvo])\w*/(.*)", r"\1/layer\2/self_attn/\3_proj/\4"),
            (r"decoder/(\d)/cross/([qkvo])\w*/(.*)", r"dec/layer\1/cross_attn/\2_proj/\3"),
            (r"(enc|dec)oder/(\d)/ffn/in/(.*)", r"\1/layer\2/linear1/\3"),
            (r"(enc|dec)oder/(\d)/ffn/out/(.*)", r"\1/layer\2/linear2/\3"),
            (r"source/table", "src_embed"),
            (r"target/table", "tgt_embed"),
        ),
    ),
    Wired(
        "w_twin_critics",
        "actor-twin-critic",
        "ambiguous",
        "graph",
        a.twin_critics,
        lambda: by_rules(
            (r"(critic|target)/a/(.*)", r"\1_fox/\2"), (r"(critic|target)/b/(.*)", r"\1_owl/\2")
        ),
        lambda: by_rules(
            (r"critic/a/(.*)", r"value_red/\1"),
            (r"critic/b/(.*)", r"value_tan/\1"),
            (r"actor/(.*)", r"policy/\1"),
        ),
        shuffle_expected=2,
        unknowable=r"critic/.*",
        swaps=((r"/a/", "/b/"), (r"/b/", "/a/")),
        notes="the critics are exchangeable; the actor can be known",
    ),
    Wired(
        "w_flow_default",
        "realnvp",
        "role-structure",
        "graph",
        a.coupling_flow,
        lambda: by_rules(
            (r"coupling/(\d)/scale/(.*)", r"bijector_\1/net_a/\2"),
            (r"coupling/(\d)/shift/(.*)", r"bijector_\1/net_b/\2"),
        ),
        lambda: by_rules(
            (r"coupling/(\d)/shift/(.*)", r"step_\1/f/\2"),
            (r"coupling/(\d)/scale/(.*)", r"step_\1/g/\2"),
        ),
        shuffle_expected=1,
        notes="scale and shift networks have one shape; exp tells",
    ),
    Wired(
        "w_tcn_ema",
        "tcn",
        "ema-intent",
        "names",
        a.temporal_convolutions,
        lambda: by_rules(
            (r"block/(\d)/(conv|norm)/(\d)/(.*)", r"tcn/residual_block_\1/\2_\3/\4"),
            (r"block/(\d)/short/(.*)", r"tcn/residual_block_\1/matching_conv1D/\2"),
        ),
        lambda: by_rules(
            (
                r"block/(\d)/conv/(\d)/(.*)",
                lambda m: f"level_{int(m[1]) + 1}/conv1d_{'ab'[int(m[2])]}/{m[3]}",
            ),
            (
                r"block/(\d)/norm/(\d)/(.*)",
                lambda m: f"level_{int(m[1]) + 1}/bn_{'ab'[int(m[2])]}/{m[3]}",
            ),
            (r"block/(\d)/short/(.*)", plus(1, "level_{}/downsample/{}")),
            (r"head/(.*)", r"classifier/\1"),
        ),
        ema=True,
        intent="ema",
    ),
    Wired(
        "w_senet_obfuscated",
        "se-resnet",
        "obfuscated",
        "graph",
        a.squeeze_excite,
        lambda: by_rules(
            (
                r"(.*)",
                lambda m: "m/" + hex(sum(ord(c) * 31**i for i, c in enumerate(m[1])) % 0xFFFFF)[2:],
            )
        ),
        lambda: by_rules((r"block/(\d)/(\w+)/(.*)", r"stage/unit_\1/\2/\3")),
        shuffle_expected=6,
        optimizer="Momentum",
        notes="actual names are hashes",
    ),
)

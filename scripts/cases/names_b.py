"""The namings of the second batch's wirings."""

from __future__ import annotations

from cases import wirings_b as b
from cases.names_a import plus
from cases.nets import by_default, by_rules
from cases.wired import Wired

NUMBERS = ("one", "two", "three", "four", "five", "six")
WIRED = (
    Wired(
        "w_gat_words",
        "gat",
        "index-notation",
        "names",
        b.graph_attention,
        lambda: by_rules(
            (r"layer/(\d)/head/(\d)/project/kernel", r"gat_layer_\1/W_\2"),
            (r"layer/(\d)/head/(\d)/self/kernel", r"gat_layer_\1/a_src_\2"),
            (r"layer/(\d)/head/(\d)/neighbour/kernel", r"gat_layer_\1/a_dst_\2"),
            (r"layer/(\d)/bias", r"gat_layer_\1/b"),
            (r"readout/(.*)", r"logits/\1"),
        ),
        lambda: by_rules(
            (r"layer/(\d)/head/(\d)/project/kernel", r"model/conv\1/heads/\2/lin/weight"),
            (r"layer/(\d)/head/(\d)/self/kernel", r"model/conv\1/heads/\2/att_src"),
            (r"layer/(\d)/head/(\d)/neighbour/kernel", r"model/conv\1/heads/\2/att_dst"),
            (r"layer/(\d)/bias", r"model/conv\1/bias"),
            (r"readout/(.*)", r"model/classifier/\1"),
        ),
    ),
    Wired(
        "w_gat_swapped",
        "gat",
        "role-structure",
        "graph",
        b.graph_attention,
        lambda: by_rules(
            (r"layer/(\d)/head/(\d)/self/kernel", r"layer/\1/head/\2/att_1"),
            (r"layer/(\d)/head/(\d)/neighbour/kernel", r"layer/\1/head/\2/att_2"),
        ),
        lambda: by_rules(
            (r"layer/(\d)/head/(\d)/self/kernel", r"layer/\1/head/\2/att_2"),
            (r"layer/(\d)/head/(\d)/neighbour/kernel", r"layer/\1/head/\2/att_1"),
        ),
        notes="names equal but for the two vectors, which are exchanged; the transpose tells",
    ),
    Wired(
        "w_hourglass_words",
        "hourglass",
        "index-shift",
        "names",
        b.hourglass,
        lambda: by_rules(
            (r"stack/(\d)/(skip|down|up)/(\d)/(.*)", r"hg_\1/\2_\3/\4"),
            (r"stack/(\d)/(\w+)/(.*)", r"hg_\1/\2/\3"),
        ),
        lambda: by_rules(
            (
                r"stack/(\d)/(skip|down|up)/(\d)/(.*)",
                lambda m: f"hourglass{int(m[1]) + 1}/{m[2]}{int(m[3]) + 1}/{m[4]}",
            ),
            (r"stack/(\d)/bottom/(.*)", plus(1, "hourglass{}/bottleneck/{}")),
            (r"stack/(\d)/merge/(.*)", plus(1, "hourglass{}/merge_features/{}")),
            (r"stem/(.*)", r"pre/\1"),
            (r"heatmap/(.*)", r"out_heatmaps/\1"),
        ),
        optimizer="RMSProp",
    ),
    Wired(
        "w_hourglass_default",
        "hourglass",
        "default-names-order",
        "graph",
        b.hourglass,
        lambda: by_default("net/"),
        lambda: by_default(),
        shuffle_expected=11,
        notes="conv2d_N, another order of creation",
    ),
    Wired(
        "w_retina_heads",
        "retinanet",
        "scope-nesting",
        "names",
        b.pyramid_heads,
        lambda: by_rules(
            (r"stage/(\d)/(.*)", plus(1, "resnet/block{}/{}")),
            (r"lateral/(\d)/(.*)", plus(3, "fpn/l{}/{}")),
            (r"smooth/(\d)/(.*)", plus(3, "fpn/post_hoc_d{}/{}")),
            (r"class/tower/(\d)/(.*)", r"class_net/class-\1/\2"),
            (r"box/tower/(\d)/(.*)", r"box_net/box-\1/\2"),
            (r"(class|box)/predict/(.*)", r"\1_net/\1-predict/\2"),
        ),
        lambda: by_rules(
            (r"stage/(\d)/(.*)", plus(3, "backbone/C{}/{}")),
            (r"lateral/(\d)/(.*)", plus(3, "neck/C{}_reduced/{}")),
            (r"smooth/(\d)/(.*)", plus(3, "neck/P{}/{}")),
            (r"class/tower/(\d)/(.*)", r"classification_submodel/pyramid_classification_\1/\2"),
            (r"box/tower/(\d)/(.*)", r"regression_submodel/pyramid_regression_\1/\2"),
            (r"class/predict/(.*)", r"classification_submodel/pyramid_classification/\1"),
            (r"box/predict/(.*)", r"regression_submodel/pyramid_regression/\1"),
        ),
        optimizer="Momentum",
    ),
    Wired(
        "w_deepspeech_fw_bw",
        "deep-speech",
        "rnn-cells",
        "names",
        b.deep_speech,
        lambda: by_rules(
            (r"rnn/(\d)/forward/(.*)", r"rnn_\1/bidirectional_rnn/fw/basic_lstm_cell/\2"),
            (r"rnn/(\d)/backward/(.*)", r"rnn_\1/bidirectional_rnn/bw/basic_lstm_cell/\2"),
            (r"conv/(\d)/norm/(.*)", r"conv_\1/batch_normalization/\2"),
        ),
        lambda: by_rules(
            (r"rnn/(\d)/forward/(.*)", plus(1, "birnn_layer{}/forward_lstm/{}")),
            (r"rnn/(\d)/backward/(.*)", plus(1, "birnn_layer{}/backward_lstm/{}")),
            (r"conv/(\d)/norm/(.*)", plus(1, "cnn_layer{}/bn/{}")),
            (r"conv/(\d)/(.*)", plus(1, "cnn_layer{}/conv/{}")),
            (r"dense/0/(.*)", r"fc_hidden/\1"),
            (r"dense/1/(.*)", r"fc_out/\1"),
        ),
    ),
    Wired(
        "w_deepspeech_crossed",
        "deep-speech",
        "twin-structure",
        "graph",
        b.deep_speech,
        lambda: by_rules(
            (r"rnn/(\d)/forward/(.*)", r"rnn/\1/cell_0/\2"),
            (r"rnn/(\d)/backward/(.*)", r"rnn/\1/cell_1/\2"),
        ),
        lambda: by_rules(
            (r"rnn/(\d)/forward/(.*)", r"rnn/\1/cell_1/\2"),
            (r"rnn/(\d)/backward/(.*)", r"rnn/\1/cell_0/\2"),
        ),
        notes="the two directions have exchanged numbers; where the outputs are joined tells",
    ),
    Wired(
        "w_mmoe_words",
        "mmoe",
        "token-rename",
        "names",
        b.mixture_of_experts,
        lambda: by_rules(
            (r"expert/(\d)/(.*)", r"expert_net_\1/\2"),
            (r"gate/click/(.*)", r"ctr_gate/\1"),
            (r"gate/buy/(.*)", r"ctcvr_gate/\1"),
            (r"field/(\d)/table", r"embeddings/f\1"),
        ),
        lambda: by_rules(
            (r"expert/(\d)/(.*)", lambda m: f"mmoe/expert_{NUMBERS[int(m[1])]}/{m[2]}"),
            (r"gate/(\w+)/(.*)", r"mmoe/gate_\1/\2"),
            (r"tower/(\w+)/(\d)/(.*)", r"mmoe/\1_tower/fc\2/\3"),
            (r"field/(\d)/table", lambda m: f"mmoe/emb_{NUMBERS[int(m[1])]}"),
        ),
        optimizer="Adagrad",
        notes="number words; the gates' own words (ctr, ctcvr) need domain knowledge or order",
    ),
    Wired(
        "w_unetpp_grid",
        "unet-nested",
        "index-notation",
        "names",
        b.nested_unet,
        lambda: by_rules(
            (
                r"cell/(\d)/(\d)/conv/(\d)/(.*)",
                lambda m: f"X_{m[1]}{m[2]}/conv_{int(m[3]) + 1}/{m[4]}",
            ),
            (
                r"cell/(\d)/(\d)/norm/(\d)/(.*)",
                lambda m: f"X_{m[1]}{m[2]}/bn_{int(m[3]) + 1}/{m[4]}",
            ),
        ),
        lambda: by_rules(
            (r"cell/(\d)/(\d)/(conv|norm)/(\d)/(.*)", r"unetpp/node_\1_\2/\3\4/\5"),
            (r"final/(.*)", r"unetpp/segmentation/\1"),
        ),
        ema=True,
    ),
    Wired(
        "w_reader_pointer",
        "bidaf",
        "token-rename",
        "names",
        b.reading,
        lambda: by_rules(
            (r"words/table", "Word_Embedding/word_embeddings"),
            (r"context/(fw|bw)/(.*)", r"Encoding/bidirectional_rnn/\1/lstm_cell/\2"),
            (r"model/(\d)/(fw|bw)/(.*)", r"Modeling_\1/bidirectional_rnn/\2/lstm_cell/\3"),
            (r"similarity/kernel", "Attention/W_sim"),
            (r"(start|end)/(.*)", r"Pointer_\1/dense/\2"),
        ),
        lambda: by_rules(
            (r"words/table", "word_emb"),
            (r"context/(fw|bw)/(.*)", r"contextual_embedding/\1_lstm/\2"),
            (r"model/(\d)/(fw|bw)/(.*)", plus(1, "modeling_layer{}/{}_lstm/{}")),
            (r"similarity/kernel", "att_flow/similarity/kernel"),
            (r"(start|end)/(.*)", r"output/\1_position/\2"),
        ),
    ),
    Wired(
        "w_memnet_letters",
        "memory-network",
        "index-notation",
        "names",
        b.memory_network,
        lambda: by_rules(
            (r"hop/(\d)/input/table", r"memn2n/A_\1"),
            (r"hop/(\d)/output/table", r"memn2n/C_\1"),
            (r"query/table", "memn2n/B"),
            (r"hop/(\d)/linear/kernel", r"memn2n/H_\1"),
            (r"answer/kernel", "memn2n/W"),
        ),
        lambda: by_rules(
            (r"hop/(\d)/(input|output)/table", plus(1, "hop_{}/{}_memory/embedding")),
            (r"query/table", "question_embedding"),
            (r"hop/(\d)/linear/kernel", plus(1, "hop_{}/linear_map")),
            (r"answer/kernel", "answer_projection"),
        ),
        notes="A, C, H, W are the paper's letters: creation order and the counts of each tell",
    ),
    Wired(
        "w_memnet_default",
        "memory-network",
        "default-names-order",
        "graph",
        b.memory_network,
        lambda: by_default("memory/"),
        lambda: by_default(),
        shuffle_expected=9,
        shuffle_actual=2,
    ),
)

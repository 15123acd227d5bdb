"""The namings of the seventh batch's graphs and series, and of what nobody can tell apart."""

from __future__ import annotations

from typing import Any

from cases import wirings_g2 as g
from cases.names_a import plus
from cases.names_d import SONNET, leaves
from cases.names_d2 import EITHER
from cases.names_g2 import torch
from cases.nets import Naming, by_default, by_rules
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side
from cases.wired import Wired


def sonnet_counted() -> Naming:
    """Return Sonnet's naming of perceptrons and norms: counted in order of their making."""
    seen: dict[str, str] = {}
    counts: dict[str, int] = {}

    def name_of(role: str, kind: str) -> str:
        module, _, leaf = role.rpartition("/")
        head, _, inner = module.rpartition("/")
        base, key = ("layer_norm", module) if inner == "norm" else ("mlp", head)
        if key not in seen:
            number = counts.get(base, 0)
            counts[base] = number + 1
            seen[key] = f"{base}_{number}" if number else base
        at = f"EncodeProcessDecode/{seen[key]}"
        return f"{at}/{leaf}" if base == "layer_norm" else f"{at}/linear_{inner}/{leaf}"

    return leaves(SONNET, name_of)


def crossed(letters: dict[str, str], template: str) -> Any:
    """Return a rule that writes the four nets of an interaction by letters."""
    return (
        r"t(\d*)/(phi|psi|up|down)/(\d)/(.*)",
        lambda m: template.format(m[1] or "r", letters[m[2]], m[3], m[4]),
    )


G2 = (
    Wired(
        "w_meshgraph_counters",
        "meshgraphnets",
        "default-names-order",
        "graph",
        g.mesh_graph,
        sonnet_counted,
        lambda: torch(
            (r"encode/(\w+)/norm/(.*)", r"encoder/\1_fn/1/\2"),
            (r"encode/(\w+)/(\d)/(.*)", r"encoder/\1_fn/0/layers/\2/\3"),
            (r"process/(\d)/(\w+)/norm/(.*)", r"processor/gnn_stacks/\1/\2_fn/1/\3"),
            (r"process/(\d)/(\w+)/(\d)/(.*)", r"processor/gnn_stacks/\1/\2_fn/0/layers/\3/\4"),
            (r"decode/(\d)/(.*)", r"decoder/node_fn/layers/\1/\2"),
        ),
        shuffle_expected=11,
        notes="every perceptron is mlp_N; nodes and edges take turns",
        expected_net=OtherOps,
    ),
    Wired(
        "w_diffpool_crossed",
        "diffpool",
        "twin-structure",
        "graph",
        g.diff_pool,
        lambda: by_rules(
            (r"(\d)/embed/(.*)", r"level_\1/gcn_1/conv_\2"),
            (r"(\d)/assign/(.*)", r"level_\1/gcn_2/conv_\2"),
        ),
        lambda: by_rules(
            (r"(\d)/embed/(.*)", r"pool\1/gcn_2/conv_\2"),
            (r"(\d)/assign/(.*)", r"pool\1/gcn_1/conv_\2"),
        ),
        shuffle_expected=6,
        notes="the twins have exchanged numbers; the softmax behind one of them tells",
        expected_net=OtherOps,
    ),
    Wired(
        "w_diffpool_words",
        "diffpool",
        "role-words",
        "names",
        g.diff_pool,
        lambda: by_rules(
            (r"(\d)/embed/(\d)/(.*)", r"gnn_embed_\1/layer\2/\3"),
            (r"(\d)/assign/(\d)/(.*)", r"gnn_pool_\1/layer\2/\3"),
            (r"predict/(\d)/(.*)", r"pred_model/\1/\2"),
        ),
        lambda: torch(
            (r"(\d)/embed/(\d)/(.*)", plus(1, "diffpool/{}/embedding_net/conv{}/{}")),
            (r"(\d)/assign/(\d)/(.*)", plus(1, "diffpool/{}/assignment_net/conv{}/{}")),
            (r"predict/(\d)/(.*)", r"classifier/\1/\2"),
        ),
        optimizer="RMSProp",
        notes="pool means the net that assigns nodes to clusters",
    ),
    Wired(
        "w_dcrnn_cells",
        "dcrnn",
        "rnn-cells",
        "names",
        g.traffic_recurrent,
        lambda: leaves(
            {"kernel": "weights", "bias": "biases"},
            by_rules(
                (r"encoder/(\d)/(.*)", r"DCRNN/DCRNN_SEQ/rnn/multi_rnn_cell/cell_\1/dcgru_cell/\2"),
                (
                    r"decoder/(\d)/(.*)",
                    r"DCRNN/DCRNN_SEQ/rnn_decoder/multi_rnn_cell/cell_\1/dcgru_cell/\2",
                ),
                (
                    r"projection/(.*)",
                    r"DCRNN/DCRNN_SEQ/rnn_decoder/multi_rnn_cell/cell_1/dcgru_cell/projection/\1",
                ),
            ),
        ),
        lambda: torch(
            (r"(\w+)/(\d)/gates/(.*)", r"\1_model/dcgru_layers/\2/ru_gconv/\3"),
            (r"(\w+)/(\d)/candidate/(.*)", r"\1_model/dcgru_layers/\2/c_gconv/\3"),
            (r"projection/(.*)", r"decoder_model/projection_layer/\1"),
        ),
        notes="past and future cells have one shape in the second layer",
        expected_net=OtherOps,
    ),
    Wired(
        "w_stgcn_blocks",
        "stgcn",
        "token-rename",
        "names",
        g.traffic_convolutional,
        lambda: by_rules(
            (r"block/(\d)/time/0/kernel", r"STGCN/stn_block_\1_in/wt"),
            (r"block/(\d)/time/0/bias", r"STGCN/stn_block_\1_in/bt"),
            (r"block/(\d)/space/kernel", r"STGCN/spatio_block_\1/ws"),
            (r"block/(\d)/space/bias", r"STGCN/spatio_block_\1/bs"),
            (r"block/(\d)/time/1/kernel", r"STGCN/stn_block_\1_out/wt"),
            (r"block/(\d)/time/1/bias", r"STGCN/stn_block_\1_out/bt"),
            (r"block/(\d)/norm/(.*)", r"STGCN/layer_norm_\1/\2"),
            (r"out/time/0/kernel", "STGCN/output_layer_in/wt"),
            (r"out/time/0/bias", "STGCN/output_layer_in/bt"),
            (r"out/time/1/kernel", "STGCN/output_layer_out/wt"),
            (r"out/time/1/bias", "STGCN/output_layer_out/bt"),
            (r"out/norm/(.*)", r"STGCN/layer_norm_output_layer/\1"),
            (r"out/fc/kernel", "STGCN/output_layer/w"),
            (r"out/fc/bias", "STGCN/output_layer/b"),
        ),
        lambda: by_rules(
            (r"block/(\d)/time/(\d)/(.*)", lambda m: _stgcn(m)),
            (r"block/(\d)/space/(.*)", plus(1, "st_conv_{}/graph_conv/{}")),
            (r"block/(\d)/norm/(.*)", plus(1, "st_conv_{}/ln/{}")),
            (r"out/time/(\d)/(.*)", plus(1, "head/temporal_{}/{}")),
            (r"out/norm/(.*)", r"head/ln/\1"),
            (r"out/fc/(.*)", r"head/dense/\1"),
        ),
        optimizer="RMSProp",
        expected_net=OtherOps,
    ),
    Wired(
        "w_scinet_crossed",
        "scinet",
        "role-structure",
        "graph",
        g.interactive_series,
        lambda: by_rules(
            crossed({"phi": "a", "psi": "b", "up": "c", "down": "d"}, "tree_{}/net_{}/conv{}/{}"),
        ),
        lambda: by_rules(
            crossed({"phi": "c", "psi": "d", "up": "a", "down": "b"}, "tree_{}/net_{}/conv{}/{}"),
            (r"project/(.*)", r"projection/\1"),
        ),
        shuffle_expected=3,
        notes="the letters of the four nets mean others; exp, signs and halves tell",
        expected_net=OtherOps,
    ),
    Wired(
        "w_inceptiontime_counters",
        "inceptiontime",
        "default-names-order",
        "graph",
        g.inception_time,
        lambda: by_default(),
        lambda: torch(
            (r"module/(\d)/bottleneck/(.*)", r"inceptionblock/inception/\1/bottleneck/\2"),
            (r"module/(\d)/conv/(\d)/(.*)", r"inceptionblock/inception/\1/convs/\2/\3"),
            (
                r"module/(\d)/pooled/(.*)",
                r"inceptionblock/inception/\1/maxconvpool/1/\2",
            ),
            (r"module/(\d)/norm/(.*)", r"inceptionblock/inception/\1/bn/\2"),
            (r"shortcut/(\d)/norm/(.*)", r"inceptionblock/shortcut/\1/1/\2"),
            (r"shortcut/(\d)/(.*)", r"inceptionblock/shortcut/\1/0/\2"),
            (r"classes/(.*)", r"fc/\1"),
        ),
        notes="conv1d_N and batch_normalization_N run through modules and shortcuts",
        expected_net=OtherOps,
    ),
    Wired(
        "w_coteaching_peers",
        "co-teaching",
        "ambiguous",
        "graph",
        g.peers,
        lambda: by_rules(
            (r"peer/a/(\d)/norm/(.*)", r"cnn_elm/bn\1/\2"),
            (r"peer/b/(\d)/norm/(.*)", r"cnn_yew/bn\1/\2"),
            (r"peer/a/(\d)/(.*)", r"cnn_elm/c\1/\2"),
            (r"peer/b/(\d)/(.*)", r"cnn_yew/c\1/\2"),
            (r"peer/a/logits/(.*)", r"cnn_elm/l_c1/\1"),
            (r"peer/b/logits/(.*)", r"cnn_yew/l_c1/\1"),
        ),
        lambda: by_rules(
            (r"peer/a/(.*)", r"first_of_pair/\1"),
            (r"peer/b/(.*)", r"second_of_pair/\1"),
        ),
        optimizer="Momentum",
        unknowable=r"peer/.*",
        swaps=EITHER,
        notes="the peers are averaged: either may be the first; only the depth can be told",
        expected_net=OtherOps,
    ),
    Wired(
        "w_undirected_links",
        "link-predictor",
        "ambiguous",
        "graph",
        g.undirected_links,
        lambda: by_rules(
            (r"end/a/(.*)", r"gae/enc_north/\1"),
            (r"end/b/(.*)", r"gae/enc_west/\1"),
            (r"shared/(\d)/(.*)", r"gae/base/\1/\2"),
            (r"(temperature|prior)", r"gae/\1"),
        ),
        lambda: by_rules(
            (r"end/a/(.*)", r"decoder/left_factor/\1"),
            (r"end/b/(.*)", r"decoder/right_factor/\1"),
            (r"shared/(\d)/(.*)", plus(1, "encoder/gcn{}/{}")),
            (r"temperature", "decoder/scale"),
            (r"prior", "decoder/offset"),
        ),
        shuffle_expected=2,
        unknowable=r"end/.*",
        swaps=EITHER,
        notes="scores are made symmetric: either factor may be the left one",
    ),
    Wired(
        "w_resnext_paths",
        "resnext-paths",
        "ambiguous",
        "graph",
        g.parallel_paths,
        lambda: by_rules(
            (r"block/(\d)/path/a/(\d)/norm/(.*)", plus(1, "unit_{}/cardinal_ox/bn{}/{}")),
            (r"block/(\d)/path/b/(\d)/norm/(.*)", plus(1, "unit_{}/cardinal_hen/bn{}/{}")),
            (r"block/(\d)/path/a/(\d)/(.*)", plus(1, "unit_{}/cardinal_ox/conv{}/{}")),
            (r"block/(\d)/path/b/(\d)/(.*)", plus(1, "unit_{}/cardinal_hen/conv{}/{}")),
            (r"block/(\d)/norm/(.*)", plus(1, "unit_{}/merge_bn/{}")),
        ),
        lambda: by_rules(
            (r"block/(\d)/path/a/(.*)", r"stage/\1/group_i/\2"),
            (r"block/(\d)/path/b/(.*)", r"stage/\1/group_j/\2"),
            (r"block/(\d)/norm/(.*)", r"stage/\1/bn_after_sum/\2"),
        ),
        optimizer="Momentum",
        shuffle_expected=4,
        unknowable=r"block/\d/path/.*",
        swaps=EITHER,
        notes="the two groups of a block are summed; blocks and depths can be told",
        expected_net=OtherOps,
    ),
)


def _stgcn(found: Any) -> str:
    return f"st_conv_{int(found[1]) + 1}/temporal_{'ab'[int(found[2])]}/{found[3]}"


def _matterport(found: Any) -> str:
    stage, part, norm, leaf = found.groups()
    letter = "ab"[int(part)]
    return f"{'bn' if norm else 'res'}{int(stage) + 2}{letter}_branch2{letter}/{leaf}"


def _lateral(found: Any) -> str:
    return f"fpn_c{int(found[1]) + 2}p{int(found[1]) + 2}/{found[2]}"


NEW = ("masks/0", "masks/1", "masks/2", "masks/up", "masks/out", "boxes/new_class")
G3 = (
    Ported(
        "v_mask_from_boxes",
        "mask-rcnn",
        "abstain",
        "names",
        lambda: tf_side(
            lambda net, train: g.region_detector(net, train, False),
            leaves(
                {
                    "kernel": "W",
                    "bias": "b",
                    "moving_mean": "mean/EMA",
                    "moving_variance": "variance/EMA",
                },
                by_rules(
                    (r"body/(\d)/(\d)/norm/(.*)", r"group\1/block\2/conv/bn/\3"),
                    (r"body/(\d)/(\d)/(.*)", r"group\1/block\2/conv/\3"),
                    (r"pyramid/(\d)/side/(.*)", plus(2, "fpn/lateral_1x1_c{}/{}")),
                    (r"pyramid/(\d)/out/(.*)", plus(2, "fpn/posthoc_3x3_p{}/{}")),
                    (r"proposals/shared/(.*)", r"rpn/conv0/\1"),
                    (r"proposals/(\w+)/(.*)", r"rpn/\1/\2"),
                    (r"boxes/(\d)/(.*)", plus(6, "fastrcnn/fc{}/{}")),
                    (r"boxes/delta/(.*)", r"fastrcnn/outputs/box/\1"),
                    (r"boxes/class/(.*)", r"fastrcnn/outputs/class/\1"),
                ),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            lambda net, train: g.region_detector(net, train, True),
            by_rules(
                (r"body/(\d)/(\d)(/norm)?/(\w+)", _matterport),
                (r"pyramid/(\d)/side/(.*)", _lateral),
                (r"pyramid/(\d)/out/(.*)", plus(2, "fpn_p{}/{}")),
                (r"proposals/shared/(.*)", r"rpn_model/rpn_conv_shared/\1"),
                (r"proposals/class/(.*)", r"rpn_model/rpn_class_raw/\1"),
                (r"proposals/box/(.*)", r"rpn_model/rpn_bbox_pred/\1"),
                (r"boxes/(\d)/(.*)", plus(1, "mrcnn_class_conv{}/{}")),
                (r"boxes/delta/(.*)", r"mrcnn_bbox_fc/\1"),
                (r"boxes/new_class/(.*)", r"mrcnn_class_logits/\1"),
                (r"masks/(\d)/(.*)", plus(1, "mrcnn_mask_conv{}/{}")),
                (r"masks/up/(.*)", r"mrcnn_mask_deconv/\1"),
                (r"masks/out/(.*)", r"mrcnn_mask/\1"),
            ),
        ),
        convert=lambda values: {
            f"{role}/{leaf}": None for role in NEW for leaf in ("kernel", "bias")
        },
        compare=7,
        notes="the masks' branch and the logits of other classes are new: no counterpart",
    ),
)

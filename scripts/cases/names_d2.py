"""The namings of the fourth batch's twins: exchanged, neutral or telling words."""

from __future__ import annotations

from cases import wirings_d as d
from cases import wirings_d2 as twins
from cases.names_a import plus
from cases.names_d import SLIM, SONNET, leaves
from cases.nets import by_rules
from cases.nets_keras import OtherOps
from cases.wired import Wired

EITHER = ((r"/a/", "/b/"), (r"/b/", "/a/"))
WIRED = (
    Wired(
        "w_pixel_stacks_crossed",
        "gated-pixelcnn",
        "mirrored-nets",
        "graph",
        d.gated_pixels,
        lambda: by_rules(
            (r"vertical/(.*)", r"stack_1/\1"),
            (r"horizontal/(.*)", r"stack_2/\1"),
        ),
        lambda: by_rules(
            (r"vertical/(.*)", r"stack_2/\1"),
            (r"horizontal/(.*)", r"stack_1/\1"),
        ),
        shuffle_expected=3,
        notes="the stacks have exchanged numbers; only the link from one to the other tells",
    ),
    Wired(
        "w_stitch_heads_crossed",
        "cross-stitch",
        "heads-exchanged",
        "graph",
        twins.cross_stitch,
        lambda: leaves(
            SLIM,
            by_rules(
                (r"seg/(\d)/(.*)", plus(1, "task_a/conv{}/{}")),
                (r"normal/(\d)/(.*)", plus(1, "task_b/conv{}/{}")),
                (r"seg/head/(.*)", r"task_a/pred/\1"),
                (r"normal/head/(.*)", r"task_b/pred/\1"),
                (r"stitch/(\d)", plus(1, "cross_stitch_{}/alpha")),
            ),
        ),
        lambda: by_rules(
            (r"seg/(\d)/(.*)", plus(1, "net_b/layer{}/{}")),
            (r"normal/(\d)/(.*)", plus(1, "net_a/layer{}/{}")),
            (r"seg/head/(.*)", r"net_b/head/\1"),
            (r"normal/head/(.*)", r"net_a/head/\1"),
            (r"stitch/(\d)", plus(1, "stitch{}/mixing")),
        ),
        shuffle_expected=5,
        optimizer="Momentum",
        notes="task_a is net_b; softmax and l2_normalize of the heads tell",
        expected_net=OtherOps,
    ),
    Wired(
        "w_gated_pooling_words",
        "gated-mil",
        "role-words",
        "names",
        twins.child_sum_scorer,
        lambda: leaves(
            SONNET,
            by_rules(
                (r"instance/(\d)/(.*)", plus(1, "mil/embedding_{}/{}")),
                (r"attention/signal/(.*)", r"mil/att_tanh/\1"),
                (r"attention/gate/(.*)", r"mil/att_sigm/\1"),
                (r"attention/weight/(.*)", r"mil/att_score/\1"),
                (r"pooled/(.*)", r"mil/bag_fc/\1"),
                (r"bag/(.*)", r"mil/bag_logits/\1"),
            ),
        ),
        lambda: by_rules(
            (r"instance/(\d)/(.*)", r"feature_extractor/fc_\1/\2"),
            (r"attention/signal/(.*)", r"attention/tanh_branch/\1"),
            (r"attention/gate/(.*)", r"attention/sigmoid_branch/\1"),
            (r"attention/weight/(.*)", r"attention/score/\1"),
            (r"pooled/(.*)", r"classifier/hidden/\1"),
            (r"bag/(.*)", r"classifier/logits/\1"),
        ),
    ),
    Wired(
        "w_gated_pooling_uv",
        "gated-mil",
        "role-structure",
        "graph",
        twins.child_sum_scorer,
        lambda: by_rules(
            (r"attention/signal/(.*)", r"attention/second/\1"),
            (r"attention/gate/(.*)", r"attention/first/\1"),
        ),
        lambda: by_rules(
            (r"attention/signal/(.*)", r"pool/u_first/\1"),
            (r"attention/gate/(.*)", r"pool/v_second/\1"),
            (r"attention/weight/(.*)", r"pool/w/\1"),
        ),
        shuffle_expected=7,
        notes="first and second mean the other branch; tanh and sigmoid tell",
        expected_net=OtherOps,
    ),
    Wired(
        "w_maxout_pieces",
        "maxout",
        "ambiguous",
        "graph",
        twins.maxout,
        lambda: leaves(
            {"kernel": "W", "bias": "b"},
            by_rules(
                (r"layer/(\d)/piece/a/(.*)", r"h\1_fox/\2"),
                (r"layer/(\d)/piece/b/(.*)", r"h\1_owl/\2"),
                (r"logits/(.*)", r"softmax_layer/\1"),
            ),
        ),
        lambda: by_rules(
            (r"layer/(\d)/piece/a/(.*)", plus(1, "maxout_{}/red/{}")),
            (r"layer/(\d)/piece/b/(.*)", plus(1, "maxout_{}/tan/{}")),
        ),
        shuffle_expected=2,
        optimizer="Momentum",
        unknowable=r"layer/.*",
        swaps=EITHER,
        notes="the two pieces of every maximum are exchangeable; the layers can be told",
        expected_net=OtherOps,
    ),
    Wired(
        "w_bilinear_factors",
        "low-rank-bilinear",
        "ambiguous",
        "graph",
        twins.low_rank_bilinear,
        lambda: by_rules(
            (r"factor/a/(.*)", r"mlb/P/\1"),
            (r"factor/b/(.*)", r"mlb/T/\1"),
            (r"encoder/(\d)/(.*)", plus(1, "mlb/fc{}/{}")),
        ),
        lambda: by_rules(
            (r"factor/a/(.*)", r"fusion/left/\1"),
            (r"factor/b/(.*)", r"fusion/right/\1"),
            (r"encoder/(\d)/(.*)", r"fusion/encoder_\1/\2"),
        ),
        shuffle_expected=4,
        unknowable=r"factor/.*",
        swaps=EITHER,
        notes="a product of two like factors of one input: either may be left",
    ),
    Wired(
        "w_adapter_sum",
        "lora-adapters",
        "ambiguous",
        "graph",
        twins.summed_adapters,
        lambda: by_rules(
            (r"layer/(\d)/update/a/(\w+)/kernel", r"layers_\1/lora_moss/\2"),
            (r"layer/(\d)/update/b/(\w+)/kernel", r"layers_\1/lora_fern/\2"),
            (r"layer/(\d)/(kernel|bias)", r"layers_\1/base/\2"),
        ),
        lambda: by_rules(
            (r"layer/(\d)/update/a/(\w+)/kernel", plus(1, "mlp/{}/delta_k/{}/kernel")),
            (r"layer/(\d)/update/b/(\w+)/kernel", plus(1, "mlp/{}/delta_w/{}/kernel")),
            (r"layer/(\d)/(kernel|bias)", plus(1, "mlp/{}/linear/{}")),
        ),
        shuffle_expected=6,
        unknowable=r"layer/\d/update/.*",
        swaps=EITHER,
        notes="two adapters are merged by addition and bear unrelated names",
    ),
    Wired(
        "w_semantic_towers",
        "dssm",
        "ambiguous",
        "graph",
        twins.ranking_towers,
        lambda: by_rules(
            (r"words/table", "dssm/trigrams"),
            (r"tower/a/(.*)", r"dssm/net_mu/\1"),
            (r"tower/b/(.*)", r"dssm/net_nu/\1"),
            (r"calibration/(.*)", r"dssm/smooth/\1"),
        ),
        lambda: by_rules(
            (r"words/table", "embedding/embeddings"),
            (r"tower/a/(.*)", r"tower_one/\1"),
            (r"tower/b/(.*)", r"tower_two/\1"),
            (r"calibration/(.*)", r"output/\1"),
        ),
        shuffle_expected=8,
        unknowable=r"tower/.*",
        swaps=EITHER,
        notes="both towers read one document; a cosine does not tell them apart",
        expected_net=OtherOps,
    ),
)

"""Cases of the fifth batch: recommendation, reinforcement, graphs, series, diffusion."""

from __future__ import annotations

from typing import Any

from cases import wirings_e3 as e
from cases.names_a import plus
from cases.names_e2 import torch_model
from cases.nets import by_default, by_rules
from cases.sides import Ported, tf_side, torch_side


def ema_moments(template: str) -> Any:
    """Name moving moments as old code did that averages the moments themselves."""

    def write(found: Any) -> str:
        scope, leaf = template.format(*found.groups()[:-1]), found.groups()[-1]
        moment = {"moving_mean": "Squeeze", "moving_variance": "Squeeze_1"}.get(leaf)
        if moment is None:
            return f"{scope}/bn/{leaf}"
        return f"{scope}/bn/{scope}/bn/moments/{moment}/ExponentialMovingAverage"

    return write


E3 = (
    Ported(
        "v_neumf_pairs",
        "neumf",
        "token-order",
        "names",
        lambda: tf_side(
            e.neural_filtering,
            by_rules(
                (r"product/(user|item)/table", r"embedding_GMF/P_\1"),
                (r"deep/(user|item)/table", r"embedding_MLP/P_\1"),
                (r"deep/(\d)/(.*)", plus(1, "MLP_tower/hidden{}/{}")),
                (r"score/(.*)", r"NeuMF/out/\1"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.neural_filtering,
            by_rules(
                (r"product/(user|item)/table", r"mf_embedding_\1"),
                (r"deep/(user|item)/table", r"mlp_embedding_\1"),
                (r"deep/(\d)/(.*)", r"layer\1/\2"),
                (r"score/(.*)", r"prediction/\1"),
            ),
        ),
        notes="four tables of one shape; GMF beside mf",
    ),
    Ported(
        "v_dlrm_torch",
        "dlrm",
        "tf1_to_pt",
        "names",
        lambda: tf_side(
            e.low_bags,
            by_rules(
                (r"table/(\d)/table", r"dlrm/embedding_tables/table_\1"),
                (r"bottom/(\d)/kernel", r"dlrm/mlp_bottom/W\1"),
                (r"bottom/(\d)/bias", r"dlrm/mlp_bottom/b\1"),
                (r"top/(\d)/kernel", r"dlrm/mlp_top/W\1"),
                (r"top/(\d)/bias", r"dlrm/mlp_top/b\1"),
            ),
            train=True,
            optimizer="Adagrad",
        ),
        lambda: torch_side(
            torch_model("Dlrm"),
            by_rules(
                (r"emb_l\.(\d)\.weight", r"table/\1/table"),
                (
                    r"(bot|top)_l\.(\d)\.(.*)",
                    lambda m: (
                        f"{'bottom' if m[1] == 'bot' else 'top'}/{int(m[2]) // 2}"
                        f"/{'kernel' if m[3] == 'weight' else 'bias'}"
                    ),
                ),
            ),
            {
                "dense_features": (2, 6),
                **{f"category_{i}": ((2, 3), int) for i in range(5)},
            },
        ),
        notes="places in a list that holds activations: 0, 2, 4 beside 0, 1, 2",
    ),
    Ported(
        "v_muzero_towers",
        "muzero",
        "twin-structure",
        "names",
        lambda: tf_side(
            e.mu_zero,
            by_rules(
                (r"represent/in/(.*)", r"h_theta/initial_conv/\1"),
                (r"dynamics/in/(.*)", r"g_theta/initial_conv/\1"),
                (r"represent/(\d)/(conv|norm)/(\d)/(.*)", r"h_theta/res_block_\1/\2_\3/\4"),
                (r"dynamics/(\d)/(conv|norm)/(\d)/(.*)", r"g_theta/res_block_\1/\2_\3/\4"),
                (r"predict/(\d)/(conv|norm)/(\d)/(.*)", r"f_theta/res_block_\1/\2_\3/\4"),
                (r"predict/(policy|value)/(.*)", r"f_theta/\1_head/\2"),
                (r"dynamics/reward/(.*)", r"g_theta/reward_head/\1"),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            e.mu_zero,
            by_rules(
                (
                    r"(represent|dynamics|predict)/(\d)/conv/(\d)/(.*)",
                    lambda m: f"{WORD[m[1]]}/_/block{m[2]}/conv2_d_{m[3]}/{W[m[4]]}",
                ),
                (
                    r"(represent|dynamics|predict)/(\d)/norm/(\d)/(.*)",
                    lambda m: f"{WORD[m[1]]}/_/block{m[2]}/layer_norm_{m[3]}/{W[m[4]]}",
                ),
                (
                    r"(represent|dynamics|predict)/(.*)/(\w+)",
                    lambda m: f"{WORD[m[1]]}/_/{m[2]}/{W[m[3]]}",
                ),
            ),
            shuffle=13,
        ),
        told=(r"(represent|dynamics|predict)/\d/.*", ("represent", "dynamics", "predict")),
        notes="h, g, f of the paper beside words: heads and first kernels tell the towers",
    ),
    Ported(
        "v_a3c_global",
        "a3c",
        "twin-intent",
        "names",
        lambda: tf_side(
            e.actor_critic,
            by_rules(
                (r"global/(.*)", r"global/ac_net/\1"),
                (r"worker/(\d)/(.*)", r"worker_\1/ac_net/\2"),
            ),
            train=True,
            optimizer="RMSProp",
        ),
        lambda: tf_side(
            e.actor_critic,
            by_rules(
                (r"global/conv/(\d)/(.*)", plus(1, "agent/cnn/c{}/{}")),
                (r"global/fc/(.*)", r"agent/cnn/flat/\1"),
                (r"global/lstm/(.*)", r"agent/rnn/\1"),
                (r"global/policy/(.*)", r"agent/actor/\1"),
                (r"global/value/(.*)", r"agent/critic/\1"),
            ),
        ),
        notes="workers hold stale copies of the global net, of equal shapes and slots",
    ),
    Ported(
        "v_noisy_words",
        "noisy-rainbow",
        "role-words",
        "names",
        lambda: tf_side(
            e.noisy_rainbow,
            by_rules(
                (r"conv/(\d)/(.*)", plus(1, "eval_net/conv{}/{}")),
                (
                    r"(value|gain)/(\d)/(mean|width)/(.*)",
                    lambda m: (
                        f"eval_net/{'advantage' if m[1] == 'gain' else 'value'}_noisy{m[2]}"
                        f"/{m[4][0].replace('k', 'w')}_{'mu' if m[3] == 'mean' else 'sigma'}"
                    ),
                ),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.noisy_rainbow,
            by_rules(
                (r"conv/(\d)/(.*)", r"torso/conv2d_\1/\2"),
                (
                    r"(value|gain)/(\d)/(mean|width)/(.*)",
                    lambda m: (
                        f"{'A' if m[1] == 'gain' else 'V'}_stream/dense_{m[2]}"
                        f"/{m[4]}_{'mean' if m[3] == 'mean' else 'stddev'}"
                    ),
                ),
            ),
        ),
        notes="mu and sigma beside mean and stddev, all of one shape",
    ),
    Ported(
        "v_noisy_default",
        "noisy-rainbow",
        "default-names-order",
        "graph",
        lambda: tf_side(e.noisy_rainbow, by_default("rainbow/"), train=True, optimizer="Adam"),
        lambda: tf_side(e.noisy_rainbow, by_default(), shuffle=17),
        told=(r"(?:value|gain)/\d/(mean|width)/.*", ("mean", "width")),
        notes="only the product with the noise tells a width from a mean",
    ),
    Ported(
        "v_ensemble_unknowable",
        "ensemble-dynamics",
        "ambiguous",
        "graph",
        lambda: tf_side(
            e.ensemble,
            by_rules((r"member/(\d)/(\d)/(.*)", r"dynamics/net_\1/layer_\2/\3")),
            train=True,
            optimizer="Adam",
            shuffle=2,
        ),
        lambda: tf_side(
            e.ensemble,
            by_rules(
                (
                    r"member/(\d)/(\d)/(.*)",
                    lambda m: f"model_{'pqrst'[int(m[1])]}/fc{int(m[2]) + 1}/{m[3]}",
                ),
            ),
            shuffle=8,
        ),
        orbit=(r"member/([0-4])/.*", ("0", "1", "2", "3", "4")),
        notes="the mean of five models of one form: any of 120 orders computes the same",
    ),
    Ported(
        "v_mixture_unknowable",
        "mixture-density",
        "ambiguous",
        "graph",
        lambda: tf_side(
            e.mixture_density,
            by_rules(
                (r"hidden/(\d)/(.*)", plus(1, "mdn/h{}/{}")),
                (r"component/(\d)/share/(.*)", plus(1, "mdn/pi_{}/{}")),
                (r"component/(\d)/mean/(.*)", plus(1, "mdn/mu_{}/{}")),
                (r"component/(\d)/log_width/(.*)", plus(1, "mdn/log_sigma_{}/{}")),
            ),
            train=True,
            optimizer="RMSProp",
            shuffle=15,
        ),
        lambda: tf_side(
            e.mixture_density,
            by_rules(
                (r"hidden/(\d)/(.*)", r"trunk/dense_\1/\2"),
                (
                    r"component/(\d)/(\w+)/(.*)",
                    lambda m: (
                        f"mixture/{'wxyz'[int(m[1])]}/{m[2].replace('share', 'logit')}/{m[3]}"
                    ),
                ),
            ),
            shuffle=23,
        ),
        orbit=(r"component/([0-3])/.*", ("0", "1", "2", "3")),
        notes="components of a sum have no order; what is a mean and what a width is known",
    ),
    Ported(
        "v_sage_torch",
        "graphsage",
        "tf1_to_pt",
        "names",
        lambda: tf_side(
            e.graph_sage,
            by_rules(
                (
                    r"layer/(\d)/(near|self)/kernel",
                    lambda m: (
                        f"graphsage/meanaggregator_{int(m[1]) + 1}_vars"
                        f"/{'neigh' if m[2] == 'near' else 'self'}_weights"
                    ),
                ),
                (r"layer/(\d)/self/bias", plus(1, "graphsage/meanaggregator_{}_vars/bias")),
                (r"readout/kernel", "graphsage/dense_1_vars/weights"),
                (r"readout/bias", "graphsage/dense_1_vars/bias"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: torch_side(
            torch_model("Sage"),
            by_rules(
                (r"layers\.(\d)\.fc_neigh\.weight", r"layer/\1/near/kernel"),
                (r"layers\.(\d)\.fc_self\.weight", r"layer/\1/self/kernel"),
                (r"layers\.(\d)\.fc_self\.bias", r"layer/\1/self/bias"),
                (r"readout\.weight", "readout/kernel"),
                (r"readout\.bias", "readout/bias"),
            ),
            {"nodes": (6, 8), "mean": (6, 6)},
        ),
        notes="square kernels: transposed, which shapes do not show",
    ),
    Ported(
        "v_chebnet_torch",
        "chebnet",
        "tf1_to_pt",
        "names",
        lambda: tf_side(
            e.chebyshev,
            by_rules(
                (
                    r"layer/(\d)/(\d)/kernel",
                    plus(1, "gcn_cheby/graphconvolution_{}_vars/weights_{}"),
                ),
                (r"layer/(\d)/bias", plus(1, "gcn_cheby/graphconvolution_{}_vars/bias")),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: torch_side(
            torch_model("ChebNet"),
            by_rules(
                (r"conv(\d)\.lins\.(\d)\.weight", plus(-1, "layer/{}/{}/kernel")),
                (r"conv(\d)\.bias", plus(-1, "layer/{}/bias")),
            ),
            {"nodes": (6, 8), "laplacian": (6, 6)},
        ),
    ),
    Ported(
        "v_nbeats_torch",
        "n-beats",
        "tf1_to_pt",
        "names",
        lambda: tf_side(
            e.basis_expansion,
            by_rules(
                (r"(\d)/(\d)/fc/(\d)/(.*)", r"stack_\1/block_\2/FC_\3/\4"),
                (r"(\d)/(\d)/back/theta/(.*)", r"stack_\1/block_\2/theta_backcast/\3"),
                (r"(\d)/(\d)/front/theta/(.*)", r"stack_\1/block_\2/theta_forecast/\3"),
                (r"(\d)/(\d)/back/basis/(.*)", r"stack_\1/block_\2/g_backcast/\3"),
                (r"(\d)/(\d)/front/basis/(.*)", r"stack_\1/block_\2/g_forecast/\3"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: torch_side(
            torch_model("NBeats"),
            by_rules(
                (
                    r"stacks\.(\d)\.(\d)\.(.*)\.(weight|bias)",
                    lambda m: f"{m[1]}/{m[2]}/{BEATS[m[3]]}/{TORCH[m[4]]}",
                ),
            ),
            {"series": (2, 10)},
        ),
        notes="the width of the bases differs; four inner layers are square",
    ),
)
WORD = {"represent": "representation", "dynamics": "dynamics", "predict": "prediction"}
W = {"kernel": "w", "bias": "b", "gamma": "scale", "beta": "offset"}
TORCH = {"weight": "kernel", "bias": "bias"}
BEATS = {
    **{f"fc{i + 1}": f"fc/{i}" for i in range(4)},
    "theta_b_fc": "back/theta",
    "theta_f_fc": "front/theta",
    "backcast_fc": "back/basis",
    "forecast_fc": "front/basis",
}

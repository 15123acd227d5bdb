"""Namings of the sixth batch: recommendation, tables and reinforcement."""

from __future__ import annotations

from typing import Any

from cases import wirings_f2 as f
from cases.names_a import plus
from cases.names_f1 import SLIM, TORCH, torchlike
from cases.nets import by_default, by_rules
from cases.wired import Wired

PARTS = ("query", "key", "value")
NORM = {"gamma": "Variable_1", "beta": "Variable"}
SB2 = {"kernel": "w", "bias": "b"}
LETTERS = "ABC"


def numbered(word: str, number: int) -> str:
    """Return a name as TF1's scopes count: word, word_1, ..."""
    return f"{word}_{number}" if number else word


def agent_old(found: Any) -> str:
    """Write a layer of MADDPG as its first code does."""
    agent, target, part, at, leaf = (group or "" for group in found.groups())
    func = "p_func" if part == "actor" else "q_func"
    return f"agent_{agent}/{target}{func}/{numbered('fully_connected', int(at))}/{SLIM[leaf]}"


def agent_crossed(found: Any) -> str:
    """Write a layer of MADDPG where the agents were listed in another order."""
    agent, target, part, at, leaf = (group or "" for group in found.groups())
    return f"agent_{(int(agent) + 1) % 3}/{target}{part}/dense_{at}/{leaf}"


def expert_old(found: Any) -> str:
    """Write an expert of PLE as DeepCTR names its layers."""
    level, who, at, leaf = found.groups()
    word = "shared" if who == "shared" else f"task_{who}"
    return f"level_{level}_expert_{word}_{at}/{leaf}0"


def critic(word: str, numbers: dict[str, str]) -> Any:
    """Return a rule for a critic's layers."""
    return (
        r"critic/(p|q)/(\d)/(.*)",
        lambda m: f"{word}{numbers[m[1]]}/{m[2]}/{m[3]}",
    )


WIRED = (
    Wired(
        "w_sasrec_blocks",
        "sasrec",
        "scope-nesting",
        "names",
        f.next_item,
        lambda: by_rules(
            (r"items/table", "SASRec/input_embeddings/lookup_table"),
            (r"places/table", "SASRec/dec_pos/lookup_table"),
            (
                r"block/(\d)/norm/0/(.*)",
                lambda m: f"SASRec/num_blocks_{m[1]}/ln/{NORM[m[2]]}",
            ),
            (
                r"block/(\d)/norm/1/(.*)",
                lambda m: f"SASRec/num_blocks_{m[1]}/ln_1/{NORM[m[2]]}",
            ),
            (
                r"block/(\d)/(query|key|value)/(.*)",
                lambda m: (
                    f"SASRec/num_blocks_{m[1]}/self_attention/"
                    f"{numbered('dense', PARTS.index(m[2]))}/{m[3]}"
                ),
            ),
            (
                r"block/(\d)/feed/(\d)/(.*)",
                lambda m: (
                    f"SASRec/num_blocks_{m[1]}/multihead_attention/"
                    f"{numbered('conv1d', int(m[2]))}/{m[3]}"
                ),
            ),
            (r"norm/(.*)", lambda m: f"SASRec/ln/{NORM[m[1]]}"),
        ),
        lambda: by_rules(
            (r"items/table", "item_emb/weight"),
            (r"places/table", "pos_emb/weight"),
            (r"block/(\d)/norm/0/(.*)", torchlike("attention_layernorms/{}/{}")),
            (r"block/(\d)/norm/1/(.*)", torchlike("forward_layernorms/{}/{}")),
            (r"block/(\d)/(\w)\w+/(kernel|bias)", torchlike("attention_layers/{}/{}_proj/{}")),
            (
                r"block/(\d)/feed/(\d)/(.*)",
                lambda m: f"forward_layers/{m[1]}/conv{int(m[2]) + 1}/{TORCH[m[3]]}",
            ),
            (r"norm/(.*)", torchlike("last_layernorm/{}")),
        ),
        notes="gammas and betas are called Variable_1 and Variable; square matrices",
    ),
    Wired(
        "w_gru4rec_cells",
        "gru4rec",
        "token-rename",
        "names",
        f.session_items,
        lambda: by_rules(
            (r"items/table", "gru_layer/embedding"),
            (r"output/table", "gru_layer/softmax_w"),
            (r"output/bias", "gru_layer/softmax_b"),
            (
                r"gru/(\d)/(.*)",
                r"gru_layer/rnn/multi_rnn_cell/cell_\1/gru_cell/\2",
            ),
        ),
        lambda: by_rules(
            (r"items/table", "item_embedding/embeddings"),
            (r"output/table", "decoder/item_weights"),
            (r"output/bias", "decoder/item_bias"),
            (r"gru/(\d)/gates/(.*)", r"recurrent_\1/reset_update/\2"),
            (r"gru/(\d)/candidate/(.*)", r"recurrent_\1/new/\2"),
        ),
        optimizer="Adagrad",
        notes="two tables of one shape: items in and items out",
    ),
    Wired(
        "w_ft_transformer",
        "ft-transformer",
        "token-rename",
        "names",
        f.table_tokens,
        lambda: by_rules(
            (r"token/number/weight", "feature_tokenizer/num_tokenizer/weight"),
            (r"token/number/bias", "feature_tokenizer/num_tokenizer/bias"),
            (r"token/group/table", "feature_tokenizer/cat_tokenizer/embeddings/weight"),
            (r"token/group/bias", "feature_tokenizer/cat_tokenizer/bias"),
            (r"token/class/weight", "cls_token/weight"),
            (
                r"block/(\d)/(query|key|value)/(.*)",
                lambda m: f"transformer/blocks/{m[1]}/attention/W_{m[2][0]}/{TORCH[m[3]]}",
            ),
            (r"block/(\d)/out/(.*)", torchlike("transformer/blocks/{}/attention/W_out/{}")),
            (
                r"block/(\d)/norm/0/(.*)",
                torchlike("transformer/blocks/{}/attention_normalization/{}"),
            ),
            (r"block/(\d)/norm/1/(.*)", torchlike("transformer/blocks/{}/ffn_normalization/{}")),
            (r"block/(\d)/feed/0/(.*)", torchlike("transformer/blocks/{}/ffn/linear_first/{}")),
            (r"block/(\d)/feed/1/(.*)", torchlike("transformer/blocks/{}/ffn/linear_second/{}")),
            (r"head/norm/(.*)", torchlike("transformer/head/normalization/{}")),
            (r"head/(.*)", torchlike("transformer/head/linear/{}")),
        ),
        lambda: by_rules(
            (r"token/number/weight", "ft/numerical_embedding/scale"),
            (r"token/number/bias", "ft/numerical_embedding/shift"),
            (r"token/group/table", "ft/categorical_embedding/embeddings"),
            (r"token/group/bias", "ft/categorical_embedding/column_bias"),
            (r"token/class/weight", "ft/cls"),
            (r"block/(\d)/(query|key|value)/(.*)", r"ft/layer_\1/mha/\2/\3"),
            (r"block/(\d)/out/(.*)", r"ft/layer_\1/mha/attention_output/\2"),
            (r"block/(\d)/norm/0/(.*)", r"ft/layer_\1/prenorm_attention/\2"),
            (r"block/(\d)/norm/1/(.*)", r"ft/layer_\1/prenorm_mlp/\2"),
            (r"block/(\d)/feed/0/(.*)", r"ft/layer_\1/mlp/reglu_in/\2"),
            (r"block/(\d)/feed/1/(.*)", r"ft/layer_\1/mlp/out/\2"),
            (r"head/norm/(.*)", r"ft/output_norm/\1"),
            (r"head/(.*)", r"ft/output_dense/\1"),
        ),
        ema=True,
        intent="ema",
        notes="averages are asked for; the first block lacks a norm",
    ),
    Wired(
        "w_xdeepfm_parts",
        "xdeepfm",
        "index-notation",
        "names",
        f.compressed,
        lambda: by_rules(
            (r"linear/(\d)/table", lambda m: f"linear_emb_C{int(m[1]) + 1}/embeddings"),
            (r"embed/(\d)/table", lambda m: f"sparse_emb_C{int(m[1]) + 1}/embeddings"),
            (r"cross/(\d)/kernel", r"cin/filter\1"),
            (r"cross/(\d)/bias", r"cin/bias\1"),
            (r"deep/(\d)/kernel", r"dnn/kernel\1"),
            (r"deep/(\d)/bias", r"dnn/bias\1"),
            (r"deep/out/kernel", "dense/kernel"),
            (r"cross/out/kernel", "dense_1/kernel"),
            (r"bias", "prediction_layer/global_bias"),
        ),
        lambda: by_rules(
            (r"linear/(\d)/table", plus(1, "linear_model/embedding_dict/C{}/weight")),
            (r"embed/(\d)/table", plus(1, "embedding_dict/C{}/weight")),
            (r"cross/(\d)/(.*)", torchlike("cin/conv1ds/{}/{}")),
            (r"deep/(\d)/(.*)", torchlike("dnn/linears/{}/{}")),
            (r"deep/out/kernel", "dnn_linear/weight"),
            (r"cross/out/kernel", "cin_linear/weight"),
            (r"bias", "out/bias"),
        ),
        optimizer="Adagrad",
        notes="DeepCTR's names in both of its frameworks",
    ),
    Wired(
        "w_ple_experts",
        "ple",
        "twin-structure",
        "graph",
        f.layered_experts,
        lambda: by_rules(
            (r"level/(\d)/(click|buy|shared)/gate/kernel", r"level_\1_gate_\2/kernel"),
            (r"level/(\d)/(click|buy|shared)/(\d)/(kernel|bias)", expert_old),
            (r"tower/(\w+)/0/(.*)", r"tower_\1/\g<2>0"),
            (r"tower/(\w+)/1/(.*)", r"logit_\1/\2"),
        ),
        lambda: by_rules(
            (
                r"level/(\d)/(click|buy|shared)/(.*)",
                lambda m: f"cgc{m[1]}/{LETTERS[ORDER.index(m[2])]}/{m[3]}",
            ),
            (r"tower/(\w+)/(.*)", lambda m: f"head/{LETTERS[ORDER.index(m[1])]}/{m[2]}"),
        ),
        shuffle_expected=6,
        notes="A, B and C instead of words; places in the pool and the order of outputs tell",
    ),
    Wired(
        "w_ppo_baselines",
        "ppo",
        "token-rename",
        "names",
        f.clipped_policy,
        lambda: by_rules(
            (r"(pi|vf)/(\d)/(.*)", lambda m: f"model/{m[1]}_fc{m[2]}/{SB2[m[3]]}"),
            (r"action/(.*)", lambda m: f"model/pi/{SB2[m[1]]}"),
            (r"value/(.*)", lambda m: f"model/vf/{SB2[m[1]]}"),
            (r"log_std", "model/pi/logstd"),
        ),
        lambda: by_rules(
            (
                r"(pi|vf)/(\d)/(.*)",
                lambda m: (
                    f"mlp_extractor/{'policy' if m[1] == 'pi' else 'value'}_net/"
                    f"{2 * int(m[2])}/{TORCH[m[3]]}"
                ),
            ),
            (r"action/(.*)", torchlike("action_net/{}")),
            (r"value/(.*)", torchlike("value_net/{}")),
        ),
        notes="value_net is a module inside of another one and at the top",
    ),
    Wired(
        "w_iqn_online",
        "implicit-quantile",
        "online-target",
        "names",
        f.implicit_quantiles,
        lambda: by_rules(
            (
                r"(online|target)/conv/(\d)/(.*)",
                lambda m: f"{m[1].title()}/{numbered('Conv', int(m[2]))}/{SLIM[m[3]]}",
            ),
            (
                r"(online|target)/(quantile|hidden|out)/(.*)",
                lambda m: (
                    f"{m[1].title()}/{numbered('fully_connected', HEADS.index(m[2]))}/{SLIM[m[3]]}"
                ),
            ),
        ),
        lambda: by_rules(
            (r"online/conv/(\d)/(.*)", plus(1, "iqn/conv{}/{}")),
            (r"online/quantile/(.*)", r"iqn/quantile_net/\1"),
            (r"online/hidden/(.*)", r"iqn/dense1/\1"),
            (r"online/out/(.*)", r"iqn/q_values/\1"),
        ),
        notes="the target network has the same shapes",
    ),
    Wired(
        "w_rnd_networks",
        "random-distillation",
        "twin-structure",
        "names",
        f.distillation,
        lambda: by_rules(
            (
                r"target/conv/(\d)/(.*)",
                lambda m: f"ppo/int_reward/c{int(m[1]) + 1}r/{SB2[m[2]]}",
            ),
            (
                r"predictor/conv/(\d)/(.*)",
                lambda m: f"ppo/int_reward/c{int(m[1]) + 1}rp_pred/{SB2[m[2]]}",
            ),
            (
                r"predictor/hidden/(\d)/(.*)",
                lambda m: f"ppo/int_reward/fc{int(m[1]) + 1}r_hidden_pred/{SB2[m[2]]}",
            ),
            (r"target/out/(.*)", lambda m: f"ppo/int_reward/fc1r/{SB2[m[1]]}"),
            (r"predictor/out/(.*)", lambda m: f"ppo/int_reward/fc3r_pred/{SB2[m[1]]}"),
        ),
        lambda: by_rules(
            (
                r"(target|predictor)/conv/(\d)/(.*)",
                lambda m: f"rnd/{m[1]}/{2 * int(m[2])}/{TORCH[m[3]]}",
            ),
            (
                r"predictor/hidden/(\d)/(.*)",
                lambda m: f"rnd/predictor/{7 + 2 * int(m[1])}/{TORCH[m[2]]}",
            ),
            (r"target/out/(.*)", torchlike("rnd/target/7/{}")),
            (r"predictor/out/(.*)", torchlike("rnd/predictor/11/{}")),
        ),
        notes="place 7 of the two lists is another layer: an output here, a hidden one there",
    ),
    Wired(
        "w_maddpg_agents",
        "maddpg",
        "online-target",
        "names",
        f.many_agents,
        lambda: by_rules((r"agent/(\d)/(target_)?(actor|critic)/(\d)/(.*)", agent_old)),
        lambda: by_rules(
            (
                r"agent/(\d)/(actor|critic)/(\d)/(.*)",
                lambda m: f"{m[2]}s/{m[1]}/fc{int(m[3]) + 1}/{TORCH[m[4]]}",
            ),
        ),
        notes="p and q are actor and critic; targets of the same shapes beside",
    ),
    Wired(
        "w_maddpg_crossed",
        "maddpg",
        "index-shift",
        "graph",
        f.many_agents,
        lambda: by_rules((r"agent/(\d)/(target_)?(actor|critic)/(\d)/(.*)", agent_crossed)),
        lambda: by_rules(),
        notes="the agents were listed in another order: the numbers mislead, the inputs tell",
    ),
    Wired(
        "w_qmix_hypernets",
        "qmix",
        "default-names-order",
        "graph",
        f.monotone_mixing,
        lambda: by_rules(
            (r"agent/in/(.*)", r"main/agent/fc1/\1"),
            (r"agent/rnn/(gates|candidate)/(.*)", r"main/agent/rnn/gru_cell/\1/\2"),
            (r"agent/out/(.*)", r"main/agent/fc2/\1"),
            (r"mix/first/(\d)/(.*)", plus(1, "main/mixing/hyper_w1/dense{}/{}")),
            (r"mix/last/(\d)/(.*)", plus(1, "main/mixing/hyper_w_final/dense{}/{}")),
            (r"mix/shift/(.*)", r"main/mixing/hyper_b1/\1"),
            (r"mix/value/(\d)/(.*)", plus(1, "main/mixing/V/dense{}/{}")),
        ),
        lambda: by_default(),
        optimizer="RMSProp",
        notes="default names in order of use",
    ),
    Wired(
        "w_tqc_critics_unknowable",
        "truncated-critics",
        "ambiguous",
        "graph",
        f.truncated_critics,
        lambda: by_rules(
            critic("model/values_fn/qf", {"p": "1", "q": "2"}),
            (r"actor/(\d)/(.*)", r"model/pi/fc\1/\2"),
            (r"actor/out/(.*)", r"model/pi/mu/\1"),
        ),
        lambda: by_rules(
            critic("critics/", {"p": "upper", "q": "lower"}),
            (r"actor/(\d)/(.*)", r"actor/latent_pi/\1/\2"),
            (r"actor/out/(.*)", r"actor/mu/\1"),
        ),
        shuffle_actual=2,
        shuffle_expected=7,
        unknowable=r"critic/.*",
        swaps=(("critic/p", "critic/q"), ("critic/q", "critic/p")),
        notes="their quantiles are pooled and sorted: nobody can tell the critics apart",
    ),
)
ORDER = ("click", "buy", "shared")
HEADS = ("quantile", "hidden", "out")

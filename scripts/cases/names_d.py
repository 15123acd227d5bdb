"""The namings of the fourth batch's wirings."""

from __future__ import annotations

from cases import wirings_d as d
from cases.names_a import plus
from cases.nets import Naming, by_default, by_rules
from cases.nets_keras import OtherOps
from cases.wired import Wired

SLIM = {"kernel": "weights", "bias": "biases"}
SONNET = {"kernel": "w", "bias": "b"}
TORCH = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "table": "weight",
}
TENSORLAYER = {"kernel": "W_conv2d", "bias": "b_conv2d"}


def leaves(words: dict[str, str], naming: Naming, joint: str = "/") -> Naming:
    """Return a naming whose last part is another author's word for it."""

    def name_of(role: str, kind: str) -> str:
        head, _, leaf = naming(role, kind).rpartition("/")
        name = f"{head}/{words.get(leaf, leaf)}" if head else words.get(leaf, leaf)
        return name.replace("/", joint)

    return name_of


WIRED = (
    Wired(
        "w_go_counters",
        "go-player",
        "default-names-order",
        "graph",
        d.go_player,
        lambda: by_default(),
        lambda: by_rules(
            (r"stem/(\w+)/(.*)", r"input_block/\1/\2"),
            (r"block/(\d)/0/(\w+)/(.*)", plus(1, "residual_tower/block_{}/{}_1/{}")),
            (r"block/(\d)/1/(\w+)/(.*)", plus(1, "residual_tower/block_{}/{}_2/{}")),
            (r"policy/fc/(.*)", r"policy_head/logits/\1"),
            (r"(policy|value)/(conv|norm)/(.*)", r"\1_head/\2/\3"),
            (r"value/fc/0/(.*)", r"value_head/hidden/\1"),
            (r"value/fc/1/(.*)", r"value_head/output/\1"),
        ),
        shuffle_expected=9,
        optimizer="Momentum",
        notes="conv2d_N, batch_normalization_N, dense_N beside words of another order",
        expected_net=OtherOps,
    ),
    Wired(
        "w_cifar_towers_ema",
        "cifar10-tutorial",
        "ema-intent",
        "names",
        d.many_towers,
        lambda: leaves(SLIM, by_rules()),
        lambda: by_rules(
            (r"conv(\d)/(.*)", r"block\1_conv/\2"),
            (r"local3/(.*)", r"fc1/\1"),
            (r"local4/(.*)", r"fc2/\1"),
            (r"softmax_linear/(.*)", r"predictions/\1"),
        ),
        optimizer="Momentum",
        ema=True,
        intent="ema",
        notes="two towers share the variables; local3 and local4 are the first dense layers",
    ),
    Wired(
        "w_skip_thoughts",
        "skip-thoughts",
        "token-rename",
        "names",
        d.skip_thoughts,
        lambda: by_rules(
            (r"words/table", "word_embedding"),
            (r"encoder/(\w+)/(.*)", r"encoder/gru_cell/\1/\2"),
            (r"decoder/(pre|post)/(\w+)/(.*)", r"decoder_\1/gru_cell/\2/\3"),
            (r"logits/kernel", "logits/weights"),
            (r"logits/bias", "logits/biases"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"words/table", "embedder/weight"),
                (r"encoder/(\w+)/(.*)", r"sentence_encoder/\1/\2"),
                (r"decoder/pre/(\w+)/(.*)", r"previous_decoder/\1/\2"),
                (r"decoder/post/(\w+)/(.*)", r"next_decoder/\1/\2"),
                (r"logits/(.*)", r"to_vocabulary/\1"),
            ),
            ".",
        ),
        notes="decoder_pre decodes the sentence before, decoder_post the next one",
        expected_net=OtherOps,
    ),
    Wired(
        "w_din_leaf_numbers",
        "din",
        "index-notation",
        "names",
        d.interest_network,
        lambda: by_rules(
            (r"item/table", "item_emb_w"),
            (r"item/bias/table", "item_b"),
            (r"category/table", "cate_emb_w"),
            (r"attention/(\d)/(.*)", plus(1, "f{}_att/{}")),
            (r"norm/0/(.*)", r"bn/\1"),
            (r"norm/1/(.*)", r"b1/\1"),
            (r"interest/(.*)", r"dense/\1"),
            (r"deep/(\d)/alpha", plus(1, "prelu{}/alpha")),
            (r"deep/(\d)/(.*)", plus(1, "f{}/{}")),
        ),
        lambda: by_rules(
            (r"item/table", "sparse_seq_emb_hist_item_id/embeddings"),
            (r"item/bias/table", "linear0sparse_emb_item_id/embeddings"),
            (r"category/table", "sparse_seq_emb_hist_cate_id/embeddings"),
            (
                r"attention/([01])/(.*)",
                lambda m: f"attention_pooling/local_activation_unit/dnn/{m[2]}{m[1]}",
            ),
            (r"attention/2/(.*)", r"attention_pooling/local_activation_unit/\1"),
            (r"norm/0/(.*)", r"interest_norm/\1"),
            (r"norm/1/(.*)", r"concat_norm/\1"),
            (r"interest/(.*)", r"interest_projection/\1"),
            (r"deep/([01])/alpha", r"dnn/p_re_lu_\1/alpha"),
            (r"deep/([01])/(.*)", lambda m: f"dnn/{m[2]}{m[1]}"),
            (r"deep/2/(.*)", r"prediction/\1"),
        ),
        optimizer="Adagrad",
        notes="numbers stand at the leaves (kernel0, kernel1) on one side",
        expected_net=OtherOps,
    ),
    Wired(
        "w_census_parts",
        "wide-deep-estimator",
        "scope-nesting",
        "names",
        d.wide_and_deep,
        lambda: by_rules(
            (r"wide/numbers/weights", "linear/linear_model/numbers/weights/part_0"),
            (r"wide/(\w+)/table", r"linear/linear_model/\1/weights/part_0"),
            (r"deep/hidden/(\d)/(.*)", r"dnn/hiddenlayer_\1/\2/part_0"),
            (r"deep/logits/(.*)", r"dnn/logits/\1/part_0"),
            (
                r"deep/(\w+)/table",
                r"dnn/input_from_feature_columns/input_layer/\1_embedding/embedding_weights/part_0",
            ),
        ),
        lambda: by_rules(
            (r"wide/numbers/weights", "wide_model/numeric/kernel"),
            (r"wide/(\w+)/table", r"wide_model/\1/kernel"),
            (r"deep/hidden/(\d)/(.*)", plus(1, "deep_model/dense_{}/{}")),
            (r"deep/logits/(.*)", r"deep_model/out/\1"),
            (r"deep/(\w+)/table", r"deep_model/embed_\1/embeddings"),
        ),
        optimizer="Adagrad",
        notes="the estimator's partitioned names; one part each",
    ),
    Wired(
        "w_impala_regrouped",
        "impala",
        "index-notation",
        "names",
        d.impala,
        lambda: leaves(
            SONNET,
            by_rules(
                (
                    r"stage/(\d)/(\d)/(\d)/(.*)",
                    lambda m: (
                        f"agent/batch_apply/residual_{m[1]}_{m[2]}/"
                        f"conv_2d{'_1' if m[3] == '1' else ''}/{m[4]}"
                    ),
                ),
                (
                    r"stage/(\d)/(kernel|bias)",
                    lambda m: (
                        f"agent/batch_apply/convnet/conv_2d{'_' + m[1] if m[1] != '0' else ''}"
                        f"/{m[2]}"
                    ),
                ),
                (r"fc/(.*)", r"agent/batch_apply/convnet/linear/\1"),
                (r"core/kernel", "agent/lstm/w_gates"),
                (r"core/bias", "agent/lstm/b_gates"),
                (r"policy/(.*)", r"agent/policy_logits/\1"),
                (r"baseline/(.*)", r"agent/baseline/\1"),
            ),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (
                    r"stage/(\d)/(\d)/(\d)/(.*)",
                    lambda m: f"resnet{int(m[2]) + 1}/{m[1]}/{2 * int(m[3]) + 1}/{m[4]}",
                ),
                (r"stage/(\d)/(kernel|bias)", r"feat_convs/\1/0/\2"),
            ),
            ".",
        ),
        optimizer="RMSProp",
        notes="blocks grouped by stage on one side, by place within the stage on the other",
        expected_net=OtherOps,
    ),
    Wired(
        "w_srgan_generator",
        "srgan",
        "twin-intent",
        "names",
        d.super_resolution,
        lambda: leaves(
            TENSORLAYER,
            by_rules(
                (r"g/first/(.*)", r"SRGAN_g/n64s1/c/\1"),
                (r"g/block/(\d)/conv/(\d)/(.*)", lambda m: _srgan("c", m)),
                (r"g/block/(\d)/norm/(\d)/(.*)", lambda m: _srgan("b", m)),
                (r"g/middle/norm/(.*)", r"SRGAN_g/n64s1/b/m/\1"),
                (r"g/middle/(.*)", r"SRGAN_g/n64s1/c/m/\1"),
                (r"g/up/(\d)/(.*)", plus(1, "SRGAN_g/n256s1/{}/{}")),
                (r"g/last/(.*)", r"SRGAN_g/out/\1"),
                (r"d/(\d)/norm/(.*)", r"SRGAN_d/h\1/bn/\2"),
                (r"d/(\d)/(.*)", r"SRGAN_d/h\1/c/\2"),
                (r"d/out/(.*)", r"SRGAN_d/ho/dense/\1"),
            ),
        ),
        lambda: by_rules(
            (r"g/first/(.*)", r"generator/conv_in/\1"),
            (r"g/block/(\d)/(\w+)/0/(.*)", plus(1, "generator/res_{}/{}_a/{}")),
            (r"g/block/(\d)/(\w+)/1/(.*)", plus(1, "generator/res_{}/{}_b/{}")),
            (r"g/middle/norm/(.*)", r"generator/post_res/norm/\1"),
            (r"g/middle/(.*)", r"generator/post_res/conv/\1"),
            (r"g/up/(\d)/(.*)", plus(1, "generator/upsample_{}/conv/{}")),
            (r"g/last/(.*)", r"generator/conv_out/\1"),
        ),
        notes="TensorLayer's names; the discriminator stands beside",
    ),
    Wired(
        "w_schnet_modules",
        "schnet",
        "scope-nesting",
        "names",
        d.continuous_filters,
        lambda: by_rules(
            (r"atoms/table", "schnet/embeddings/embeddings"),
            (r"interaction/(\d)/in/(.*)", r"schnet/interaction\1/cfconv/in2fac/\2"),
            (r"interaction/(\d)/filter/0/(.*)", r"schnet/interaction\1/cfconv/filter/dense1/\2"),
            (r"interaction/(\d)/filter/1/(.*)", r"schnet/interaction\1/cfconv/filter/dense2/\2"),
            (r"interaction/(\d)/out/0/(.*)", r"schnet/interaction\1/cfconv/fac2out/\2"),
            (r"interaction/(\d)/out/1/(.*)", r"schnet/interaction\1/dense/\2"),
            (r"atomwise/0/(.*)", r"schnet/atomwise/dense1/\1"),
            (r"atomwise/1/(.*)", r"schnet/atomwise/dense2/\1"),
            (r"scale", "schnet/atomwise/stddev"),
            (r"shift", "schnet/atomwise/mean_per_atom"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"atoms/table", "representation/embedding/weight"),
                (r"interaction/(\d)/in/(.*)", r"representation/interactions/\1/in2f/\2"),
                (
                    r"interaction/(\d)/filter/(\d)/(.*)",
                    r"representation/interactions/\1/filter_network/\2/\3",
                ),
                (
                    r"interaction/(\d)/out/(\d)/(.*)",
                    r"representation/interactions/\1/f2out/\2/\3",
                ),
                (r"atomwise/(\d)/(.*)", r"output_modules/0/outnet/\1/\2"),
                (r"scale", "postprocessors/0/stddev"),
                (r"shift", "postprocessors/0/mean"),
            ),
            ".",
        ),
        ema=True,
        notes="raw weights are wanted beside their averages",
    ),
    Wired(
        "w_tabnet_mixed_counters",
        "tabnet",
        "scope-nesting",
        "graph",
        d.tabular_steps,
        lambda: _tabnet(),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"input/norm/(.*)", r"tabnet/encoder/initial_bn/\1"),
                (r"shared/(\d)/(.*)", r"tabnet/encoder/shared/glu_layers/\1/fc/\2"),
                (
                    r"step/(\d)/own/(\d)/(.*)",
                    r"tabnet/encoder/feat_transformers/\1/specifics/glu_layers/\2/fc/\3",
                ),
                (
                    r"step/(\d)/norm/([01])/(.*)",
                    r"tabnet/encoder/feat_transformers/\1/shared/bns/\2/\3",
                ),
                (
                    r"step/(\d)/norm/([23])/(.*)",
                    lambda m: (
                        f"tabnet/encoder/feat_transformers/{m[1]}/specifics/bns/{int(m[2]) - 2}"
                        f"/{m[3]}"
                    ),
                ),
                (r"step/(\d)/mask/norm/(.*)", r"tabnet/encoder/att_transformers/\1/bn/\2"),
                (r"step/(\d)/mask/(.*)", r"tabnet/encoder/att_transformers/\1/fc/\2"),
                (r"decision/(.*)", r"tabnet/final_mapping/\1"),
            ),
            ".",
        ),
        shuffle_expected=4,
        notes="dense layers have words, batch norms are counted through the whole encoder",
        expected_net=OtherOps,
    ),
)


def _srgan(letter: str, found) -> str:  # type: ignore[no-untyped-def]
    return f"SRGAN_g/n64s1/{letter}{int(found[2]) + 1}/{found[1]}/{found[3]}"


def _tabnet() -> Naming:
    words = by_rules(
        (r"shared/(\d)/(.*)", plus(1, "Encoder/Transform_f{}/{}")),
        (
            r"step/(\d)/own/(\d)/(.*)",
            lambda m: f"Encoder/Transform_f{int(m[2]) + 3}{m[1]}/{m[3]}",
        ),
        (r"step/(\d)/mask/(kernel|bias)", r"Encoder/Transform_coef\1/\2"),
        (r"decision/(.*)", r"Classify/dense/\1"),
    )
    counted = by_default("Encoder/")
    return lambda role, kind: (counted if kind.startswith("batch") else words)(role, kind)

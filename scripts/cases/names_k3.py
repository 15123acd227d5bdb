"""The namings of the eleventh batch's wirings of text and control."""

from __future__ import annotations

import re
from typing import Any

from cases import wirings_k2 as k
from cases.names_d import TORCH, leaves
from cases.nets import by_rules
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side, torch_side
from cases.wired import Wired

PADDLE = {
    "self/query": "multi_head_att_query_fc",
    "self/key": "multi_head_att_key_fc",
    "self/value": "multi_head_att_value_fc",
    "self/out": "multi_head_att_output_fc",
    "self/norm": "post_att_layer_norm",
    "ffn/0": "ffn_fc_0",
    "ffn/1": "ffn_fc_1",
    "ffn/norm": "post_ffn_layer_norm",
}
HUGGING = {
    "attention.self.query": "self/query",
    "attention.self.key": "self/key",
    "attention.self.value": "self/value",
    "attention.output.dense": "self/out",
    "attention.output.LayerNorm": "self/norm",
    "intermediate.dense": "ffn/0",
    "output.dense": "ffn/1",
    "output.LayerNorm": "ffn/norm",
}
STATIC = {"kernel": ".w_0", "bias": ".b_0", "gamma": "_scale", "beta": "_bias"}
OWN = {"norm": {"weight": "gamma", "bias": "beta"}, "": {"weight": "kernel", "bias": "bias"}}


def paddle(role: str, kind: str) -> str:
    """Name a variable as Baidu's static graphs do."""
    head, _, leaf = role.rpartition("/")
    tables = {"words": "word", "places": "pos", "sentences": "sent"}
    if head in tables:
        return f"{tables[head]}_embedding"
    if head == "start/norm":
        return f"pre_encoder_layer_norm{STATIC[leaf]}"
    if head == "pooled":
        return f"pooled_fc{STATIC[leaf]}"
    _, layer, *part = head.split("/")
    return f"encoder_layer_{layer}_{PADDLE['/'.join(part)]}{STATIC[leaf]}"


def role_of(key: str, kind: str) -> str:
    """Return the role of a parameter of transformers' ERNIE."""
    head, _, leaf = key.rpartition(".")
    tables = {"word": "words", "position": "places", "token_type": "sentences"}
    if head.endswith("_embeddings"):
        return f"{tables[head.split('.')[-1].removesuffix('_embeddings')]}/table"
    if head == "pooler.dense":
        return f"pooled/{OWN[''][leaf]}"
    if head == "embeddings.LayerNorm":
        return f"start/norm/{OWN['norm'][leaf]}"
    _, _, layer, part = head.split(".", 3)
    role = HUGGING[part]
    return f"layer/{layer}/{role}/{OWN['norm' if role.endswith('norm') else ''][leaf]}"


def ernie() -> Any:
    """Transformers' ERNIE, which gives plain tensors."""
    import transformers

    class Encoder(transformers.ErnieModel):
        def forward(self, ids: Any) -> Any:
            return super().forward(ids, return_dict=False)

    return Encoder(
        transformers.ErnieConfig(
            vocab_size=41,
            hidden_size=16,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=32,
            hidden_act="relu",
            max_position_embeddings=12,
            layer_norm_eps=1e-6,
            attn_implementation="eager",
        )
    )


ERNIE = Ported(
    "t_ernie_static_graph",
    "ernie",
    "paddle_to_pt",
    "names",
    lambda: tf_side(k.knowledge, paddle, graph=False),
    lambda: torch_side(ernie, role_of, {"tokens": ((2, 6), int)}),
    notes="the actual names are those of Baidu's static graphs",
)
GOOGLE = {
    "self/query": "attention/self/query",
    "self/key": "attention/self/key",
    "self/value": "attention/self/value",
    "self/out": "attention/output/dense",
    "self/norm": "attention/output/LayerNorm",
    "ffn/0": "intermediate/dense",
    "ffn/1": "output/dense",
    "ffn/norm": "output/LayerNorm",
}


def google(scope: str, role: str) -> str:
    """Name a variable as BERT's authors would, under a scope."""
    head, _, leaf = role.rpartition("/")
    tables = {"words": "word", "places": "position"}
    if head in tables:
        return f"{scope}/embeddings/{tables[head]}_embeddings"
    if head == "start/norm":
        return f"{scope}/embeddings/LayerNorm/{leaf}"
    if head == "last/norm":
        return f"{scope}/encoder/final_layer_norm/{leaf}"
    if head == "pooled":
        return f"{scope}/pooler/dense/{leaf}"
    _, layer, *part = head.split("/")
    leaf = "low_rank_projection" if leaf == "mix" else leaf
    return f"{scope}/encoder/layer_{layer}/{GOOGLE['/'.join(part)]}/{leaf}"


def tower(role: str, kind: str) -> str:
    """Name a variable of one of two towers."""
    which, _, rest = role.partition("/")
    return google(f"dense_retrieval/{which}_tower/transformer", rest)


def classifier(role: str, kind: str) -> str:
    """Name a variable of the classifier."""
    found = re.fullmatch(r"classes/(\w+)", role)
    return f"classifier/logits/{found[1]}" if found else google("classifier/performer", role)


PORTED = (
    Ported(
        "linformer_slots__two_towers",
        "linformer",
        "scope_prefix",
        "names",
        lambda: tf_side(
            k.one_low_rank,
            lambda role, kind: google("linformer", role),
            train=True,
            optimizer="Adam",
            graph=False,
        ),
        lambda: tf_side(k.two_low_rank, tower, graph=False),
        convert=lambda values: {
            f"{at}/{role}": value for at in ("query", "passage") for role, value in values.items()
        },
        inputs=(("question", "tokens"), ("document", "tokens")),
        notes="both towers are begun from the one encoder",
    ),
)
PERFORMER = Ported(
    "performer_ema_only_export__classifier",
    "performer",
    "slots_distractor",
    "names",
    lambda: tf_side(k.kernelized, lambda role, kind: google("performer", role), graph=False),
    lambda: tf_side(k.kernelized_classes, classifier, graph=False),
    convert=lambda values: {"classes/kernel": None, "classes/bias": None},
    compare=1,
    notes="an export that holds the moving averages only; the classifier is new",
)
VALUES = {"g": "g", "v": "V", "bias": "b"}
FAIR = {"v": "weight_v", "g": "weight_g", "bias": "bias"}
DREAM = {
    "state": "img_in",
    "prior/hidden": "img_out",
    "prior/out": "img_dist",
    "posterior/hidden": "obs_out",
    "posterior/out": "obs_dist",
}
PLANET = {
    "state": "fc_embed_state_action",
    "prior/hidden": "fc_embed_belief_prior",
    "prior/out": "fc_state_prior",
    "posterior/hidden": "fc_embed_belief_posterior",
    "posterior/out": "fc_state_posterior",
}
PARTS = r"(state|prior/\w+|posterior/\w+)"
WIRED = (
    Wired(
        "w_convs2s_weight_norm",
        "conv-seq2seq",
        "param-roles",
        "names",
        k.convolved,
        lambda: leaves(
            VALUES,
            by_rules(
                (r"source/words/table", "model/conv_seq2seq/encode/input_embed/W"),
                (r"target/words/table", "model/conv_seq2seq/decode/target_embed/W"),
                (r"source/places/table", "model/conv_seq2seq/encode/pos_embed/W"),
                (r"target/places/table", "model/conv_seq2seq/decode/pos_embed/W"),
                (
                    r"encoder/in/(.*)",
                    r"model/conv_seq2seq/encode/encoder_cnn/linear_mapping_before_cnn/\1",
                ),
                (
                    r"encoder/conv/(\d)/(.*)",
                    r"model/conv_seq2seq/encode/encoder_cnn/conv_layer_\1/\2",
                ),
                (
                    r"encoder/out/(.*)",
                    r"model/conv_seq2seq/encode/encoder_cnn/linear_mapping_after_cnn/\1",
                ),
                (r"decoder/in/(.*)", r"model/conv_seq2seq/decode/linear_mapping_before_cnn/\1"),
                (r"decoder/conv/(\d)/(.*)", r"model/conv_seq2seq/decode/conv_layer_\1/\2"),
                (
                    r"decoder/attention/(\d)/in/(.*)",
                    r"model/conv_seq2seq/decode/attention_layer_\1/linear_mapping_att_query/\2",
                ),
                (
                    r"decoder/attention/(\d)/out/(.*)",
                    r"model/conv_seq2seq/decode/attention_layer_\1/linear_mapping_att_out/\2",
                ),
                (r"decoder/out/(.*)", r"model/conv_seq2seq/decode/linear_mapping_after_cnn/\1"),
                (r"decoder/last/(.*)", r"model/conv_seq2seq/decode/logits_mapping/\1"),
            ),
        ),
        lambda: leaves(
            {**FAIR, "table": "weight"},
            by_rules(
                (r"source/words/table", "encoder/embed_tokens/table"),
                (r"target/words/table", "decoder/embed_tokens/table"),
                (r"source/places/table", "encoder/embed_positions/table"),
                (r"target/places/table", "decoder/embed_positions/table"),
                (r"(encoder|decoder)/in/(.*)", r"\1/fc1/\2"),
                (r"(encoder|decoder)/conv/(\d)/(.*)", r"\1/convolutions/\2/\3"),
                (r"(encoder|decoder)/out/(.*)", r"\1/fc2/\2"),
                (r"decoder/attention/(\d)/(\w+)/(.*)", r"decoder/attention/\1/\2_projection/\3"),
                (r"decoder/last/(.*)", r"decoder/fc3/\1"),
            ),
            ".",
        ),
        optimizer="Momentum",
        expected_net=OtherOps,
        notes="direction and length of each weight have names of their own; layouts are "
        "TensorFlow's on both sides",
    ),
    Wired(
        "w_ddpg_slow_copies",
        "ddpg",
        "twin-intent",
        "names",
        k.gradient_of_policy,
        lambda: by_rules(
            (
                r"(slow/)?(\w+)/(\d)/norm/(.*)",
                lambda m: f"{scope(m)}/LayerNorm{'_1' * int(m[3])}/{m[4]}",
            ),
            (
                r"(slow/)?(\w+)/(\d)/(.*)",
                lambda m: f"{scope(m)}/dense{'_1' * int(m[3])}/{m[4]}",
            ),
            (r"(slow/)?(\w+)/out/(.*)", lambda m: f"{scope(m)}/dense_2/{m[3]}"),
        ),
        lambda: by_rules(
            (r"actor/(\d)/norm/(.*)", r"agent/policy/hidden_\1/normalization/\2"),
            (r"actor/(\d)/(.*)", r"agent/policy/hidden_\1/linear/\2"),
            (r"actor/out/(.*)", r"agent/policy/action/\1"),
            (r"critic/(\d)/norm/(.*)", r"agent/q_value/hidden_\1/normalization/\2"),
            (r"critic/(\d)/(.*)", r"agent/q_value/hidden_\1/linear/\2"),
            (r"critic/out/(.*)", r"agent/q_value/value/\1"),
        ),
        optimizer="Adam",
        expected_net=OtherOps,
        notes="target_actor and target_critic have the shapes of what is asked for",
    ),
    Wired(
        "w_rssm_prior_posterior",
        "recurrent-state-space",
        "role-words",
        "graph",
        k.imagined,
        lambda: by_rules(
            (rf"{PARTS}/(\w+)", lambda m: f"agent/wm/rssm/{DREAM[m[1]]}/{m[2]}"),
            (r"cell/(\w+)/(.*)", r"agent/wm/rssm/gru/\1/\2"),
            (r"reward/hidden/(.*)", r"agent/wm/heads/reward/h0/\1"),
            (r"reward/out/(.*)", r"agent/wm/heads/reward/hout/\1"),
            (r"value/hidden/(.*)", r"agent/task_behavior/critic/h0/\1"),
            (r"value/out/(.*)", r"agent/task_behavior/critic/hout/\1"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (rf"{PARTS}/(\w+)", lambda m: f"transition_model/{PLANET[m[1]]}/{m[2]}"),
                (r"cell/(\w+)/(.*)", r"transition_model/rnn/\1/\2"),
                (r"(reward|value)/hidden/(.*)", r"\1_model/fc1/\2"),
                (r"(reward|value)/out/(.*)", r"\1_model/fc2/\2"),
            ),
            ".",
        ),
        optimizer="Adam",
        shuffle_expected=3,
        expected_net=OtherOps,
        notes="what is imagined is the prior, what is observed the posterior; layouts are "
        "TensorFlow's on both sides",
    ),
)


def scope(found: Any) -> str:
    """Return the scope of a network of OpenAI's baselines."""
    return f"{'target_' if found[1] else ''}{found[2]}"

"""The namings of the twelfth batch's transformers."""

from __future__ import annotations

import re
from typing import Any

from cases import wirings_l1 as w
from cases.names_k3 import GOOGLE, OWN, role_of
from cases.nets import by_rules
from cases.sides import Ported, tf_side, torch_side

MORE = {
    **GOOGLE,
    "self/made/0": "attention/synthesizer/dense_1",
    "self/made/1": "attention/synthesizer/dense_2",
    "self/random": "attention/synthesizer/random",
    "self/query_sum": "attention/self/query_att",
    "self/key_sum": "attention/self/key_att",
    "self/gate": "retention/gate",
    "self/head_norm": "retention/group_norm",
}
TABLES = {"words": "word", "places": "position", "sentences": "token_type"}


def google(scope: str, role: str) -> str:
    """Name a variable as BERT's authors would, under a scope."""
    head, _, leaf = role.rpartition("/")
    if head in TABLES:
        return f"{scope}/embeddings/{TABLES[head]}_embeddings"
    known = {"start/norm": "embeddings/LayerNorm", "last/norm": "encoder/LayerNorm"}
    known |= {"pooled": "pooler/dense", "classes": "classifier"}
    if head in known:
        return f"{scope}/{known[head]}/{leaf}"
    _, layer, part = head.split("/", 2)
    return f"{scope}/encoder/layer_{layer}/{MORE[part]}/{'logits' if leaf == 'table' else leaf}"


SHORT = {
    "self/query": "attn/q",
    "self/key": "attn/k",
    "self/value": "attn/v",
    "self/out": "attn/o",
    "self/gate": "attn/g",
    "self/head_norm": "attn/gn",
    "self/norm": "norm_a",
    "self/made/0": "attn/synth_in",
    "self/made/1": "attn/synth_out",
    "self/random": "attn/fixed",
    "self/query_sum": "attn/q_pool",
    "self/key_sum": "attn/k_pool",
    "ffn/0": "mlp/up",
    "ffn/1": "mlp/down",
    "ffn/norm": "norm_f",
}


def short(scope: str, role: str) -> str:
    """Name a variable as another program does, under a scope."""
    head, _, leaf = role.rpartition("/")
    tables = {"words": "tok_emb", "places": "pos_emb"}
    if head in tables:
        return f"{scope}/{tables[head]}/weights"
    known = {"start/norm": "emb_norm", "last/norm": "out_norm", "pooled": "pool", "classes": "head"}
    if head in known:
        return f"{scope}/{known[head]}/{leaf}"
    _, layer, part = head.split("/", 2)
    return f"{scope}/block{layer}/{SHORT[part]}/{leaf}"


def splinter_name(role: str, kind: str) -> str:
    """Name a variable of Splinter's pretraining, which is BERT's code with another head."""
    if not role.startswith("head/"):
        return google("bert", role)
    found = re.fullmatch(r"head/(query/)?(start|end)/(class/|norm/)?(\w+)", role)
    assert found is not None
    query, end, part, leaf = found.groups()
    at = f"cls/span_selection/{'question_' if query else ''}{end}"
    return (
        f"{at}/{ {'norm/': 'LayerNorm', 'class/': 'output_weights', None: 'dense'}[part] }/{leaf}"
    )


def splinter_role(key: str, kind: str) -> str:
    """Return the role of a parameter of transformers' Splinter."""
    found = re.fullmatch(
        r"splinter_qass\.(query_)?(start|end)_(\w+)\.?(dense|LayerNorm)?\.(\w+)", key
    )
    if not found:
        return role_of(key.removeprefix("splinter."), kind)
    query, end, which, part, leaf = found.groups()
    at = f"head/{'query/' if query else ''}{end}"
    if which == "classifier":
        return f"{at}/class/kernel"
    norm = part == "LayerNorm"
    return f"{at}/{'norm/' if norm else ''}{OWN['norm' if norm else ''][leaf]}"


def splinter() -> Any:
    """Transformers' Splinter; the question stands at the third place, all norms' epsilon is one."""
    import torch
    import transformers

    class Finder(transformers.SplinterForQuestionAnswering):
        def forward(self, ids: Any) -> Any:
            place = torch.full((len(ids), 1), 2)
            return super().forward(ids, question_positions=place, return_dict=False)[:2]

    def squeezed(model: Any, inputs: Any, outputs: Any) -> Any:
        return tuple(one.squeeze(1) for one in outputs)

    model = Finder(
        transformers.SplinterConfig(
            vocab_size=41,
            hidden_size=16,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=32,
            hidden_act="relu",
            max_position_embeddings=12,
            layer_norm_eps=1e-6,
        )
    )
    for part in model.splinter_qass.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = 1e-6
    model.register_forward_hook(squeezed)
    return model


def music_torch() -> Any:
    """A Music Transformer in PyTorch."""
    import torch
    from torch import nn

    class RelativeGlobalAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.Wq, self.Wk, self.Wv = (nn.Linear(16, 16) for _ in range(3))
            self.fc = nn.Linear(16, 16)
            self.E = nn.Parameter(torch.zeros(6, 4))

        def forward(self, x: Any) -> Any:
            def parts(y: Any) -> Any:
                return y.reshape(2, 6, 4, 4).transpose(1, 2)

            q, k, v = parts(self.Wq(x)), parts(self.Wk(x)), parts(self.Wv(x))
            far = nn.functional.pad(q @ self.E.T, (1, 0)).reshape(2, 4, 7, 6)[:, :, 1:]
            scores = (q @ k.transpose(-1, -2) + far) / 2
            hidden = torch.triu(torch.ones(6, 6, dtype=torch.bool), 1)
            weights = scores.masked_fill(hidden, -1e9).softmax(-1)
            return self.fc((weights @ v).transpose(1, 2).reshape(2, 6, 16))

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rga = RelativeGlobalAttention()
            self.FFN_pre, self.FFN_suf = nn.Linear(16, 24), nn.Linear(24, 16)
            self.layernorm1, self.layernorm2 = (nn.LayerNorm(16, 1e-6) for _ in range(2))

        def forward(self, x: Any) -> Any:
            x = self.layernorm1(x + self.rga(x))
            return self.layernorm2(x + self.FFN_suf(torch.relu(self.FFN_pre(x))))

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(41, 16)
            self.enc_layers = nn.ModuleList(Layer() for _ in range(4))
            self.fc = nn.Linear(16, 41)

        def forward(self, ids: Any) -> Any:
            x = self.embedding(ids) * 4
            for layer in self.enc_layers:
                x = layer(x)
            return self.fc(x)

    return Network()


T2T = "transformer/body/decoder"
NORMS = {"layernorm1": "self/norm", "layernorm2": "ffn/norm"}
LEAVES = {"weight": "gamma", "bias": "beta"}
PLAIN = {"weight": "kernel", "bias": "bias"}
MUSIC = by_rules(
    (r"embedding\.weight", "notes/table"),
    (r"fc\.(\w+)", lambda m: f"last/{PLAIN[m[1]]}"),
    (r"enc_layers\.(\d)\.rga\.E", r"layer/\1/self/far/table"),
    (
        r"enc_layers\.(\d)\.rga\.(\w+)\.(\w+)",
        lambda m: f"layer/{m[1]}/self/{ATTENTION[m[2]]}/{PLAIN[m[3]]}",
    ),
    (
        r"enc_layers\.(\d)\.(layernorm\d)\.(\w+)",
        lambda m: f"layer/{m[1]}/{NORMS[m[2]]}/{LEAVES[m[3]]}",
    ),
    (
        r"enc_layers\.(\d)\.FFN_(pre|suf)\.(\w+)",
        lambda m: f"layer/{m[1]}/ffn/{int(m[2] == 'suf')}/{PLAIN[m[3]]}",
    ),
)
ATTENTION = {"Wq": "query", "Wk": "key", "Wv": "value", "fc": "out"}
MAGENTA = by_rules(
    (r"notes/table", "transformer/symbol_modality_41_16/shared/weights"),
    (r"last/(.*)", r"transformer/symbol_modality_41_16/softmax/\1"),
    (
        r"layer/(\d)/self/far/table",
        rf"{T2T}/layer_\1/self_attention/multihead_attention/key_embeddings",
    ),
    (r"layer/(\d)/self/norm/gamma", rf"{T2T}/layer_\1/self_attention/layer_norm_scale"),
    (r"layer/(\d)/self/norm/beta", rf"{T2T}/layer_\1/self_attention/layer_norm_bias"),
    (r"layer/(\d)/ffn/norm/gamma", rf"{T2T}/layer_\1/ffn/layer_norm_scale"),
    (r"layer/(\d)/ffn/norm/beta", rf"{T2T}/layer_\1/ffn/layer_norm_bias"),
    (r"layer/(\d)/ffn/(\d)/(.*)", lambda m: f"{T2T}/layer_{m[1]}/ffn/conv{int(m[2]) + 1}/{m[3]}"),
    (
        r"layer/(\d)/self/(\w+)/(.*)",
        lambda m: (
            f"{T2T}/layer_{m[1]}/self_attention/multihead_attention/"
            f"{'output_transform' if m[2] == 'out' else m[2][0]}/{m[3]}"
        ),
    ),
)


def tower(template: str, naming: Any) -> Any:
    """Return a naming of roles that begin with a tower's name."""

    def name_of(role: str, kind: str) -> str:
        which, _, rest = role.partition("/")
        return naming(template.format(which), rest)

    return name_of


GAU_TF1 = by_rules(
    (r"(words|places)/table", lambda m: f"bert/embeddings/{TABLES[m[1]]}_embeddings"),
    (r"start/norm/(.*)", r"bert/embeddings/LayerNorm/\1"),
    (r"pooled/(.*)", r"bert/pooler/dense/\1"),
    (
        r"layer/(\d)/(in|out)/(.*)",
        lambda m: f"bert/encoder/layer_{m[1]}/self/{m[2][0]}_dense/{m[3]}",
    ),
    (
        r"layer/(\d)/(query|key)/(.*)",
        lambda m: f"bert/encoder/layer_{m[1]}/self/{m[2][0]}_scaleoffset/{m[3]}",
    ),
    (r"layer/(\d)/norm/(.*)", r"bert/encoder/layer_\1/output/LayerNorm/\2"),
)
UNIT = "Transformer-{}-GatedAttentionUnit"
COUNTED = {"in": "dense", "out": "dense_1", "query": "scale_offset", "key": "scale_offset_1"}
GAU_KERAS = by_rules(
    (r"words/table", "Embedding-Token/embeddings"),
    (r"places/table", "Embedding-Position/embeddings"),
    (r"start/norm/(.*)", r"Embedding-Norm/\1"),
    (r"pooled/(.*)", r"Pooler-Dense/\1"),
    (r"layer/(\d)/norm/(.*)", lambda m: f"{UNIT.format(m[1])}-Norm/{m[2]}"),
    (r"layer/(\d)/(\w+)/(.*)", lambda m: f"{UNIT.format(m[1])}/{COUNTED[m[2]]}/{m[3]}"),
)


def step_name(role: str, kind: str) -> str:
    """Name a variable of T2T's Universal Transformer, whose layers are one."""
    role = re.sub("^step/", "layer/0/", role)
    return google("universal", role).replace("encoder/layer_0", "encoder/universal_step")


PORTED = (
    Ported(
        "t_splinter_slots",
        "splinter",
        "tf1_to_pt",
        "names",
        lambda: tf_side(w.spans, splinter_name, graph=False),
        lambda: torch_side(splinter, splinter_role, {"tokens": ((2, 6), int)}),
        beside="adamw",
        notes="four transforms of one shape, of the question's start and end and of each place's",
    ),
    Ported(
        "t_music_transformer",
        "music-transformer",
        "tf1_to_pt",
        "names",
        lambda: tf_side(w.music, MAGENTA, train=True, optimizer="Adam"),
        lambda: torch_side(music_torch, MUSIC, {"notes": ((2, 6), int)}),
    ),
    Ported(
        "synthesizer_three_towers__renamed",
        "synthesizer",
        "scope_prefix",
        "names",
        lambda: tf_side(
            w.three_towers,
            tower("ranking/{}_tower", google),
            train=True,
            optimizer="Adam",
            graph=False,
        ),
        lambda: tf_side(w.three_towers, tower("model/{}_encoder", short), graph=False),
        told=(r"(\w+)/.*", ("question", "title", "body")),
        notes="three towers of one shape",
    ),
    Ported(
        "retnet_raw_and_ema_and_adam__classifier",
        "retnet",
        "slots_distractor",
        "names",
        lambda: tf_side(
            w.retained,
            lambda role, kind: google("retnet", role),
            train=True,
            optimizer="Adam",
            ema=True,
            graph=False,
        ),
        lambda: tf_side(
            w.retained_classes,
            lambda role, kind: google("classifier/retnet", role),
            graph=False,
        ),
        convert=lambda values: {"classes/kernel": None, "classes/bias": None},
        compare=1,
        notes="raw values, averages and slots; the classifier is new",
    ),
    Ported(
        "fastformer_teacher_student__student_plain",
        "fastformer",
        "scope_prefix",
        "names",
        lambda: tf_side(w.distilled, tower("{}/news_encoder", google), graph=False),
        lambda: tf_side(w.student, tower("fastformer", short), graph=False),
        compare=1,
        beside="adamw",
        notes="the teacher has the student's shapes and two layers more",
    ),
    Ported(
        "b_gau_alpha_slots",
        "gau-alpha",
        "tf1_to_keras",
        "names",
        lambda: tf_side(w.gated_units, GAU_TF1, train=True, optimizer="Adam"),
        lambda: tf_side(w.gated_units, GAU_KERAS),
        notes="scale_offset is the queries', scale_offset_1 the keys', by order only",
    ),
    Ported(
        "universal_1step__6layers_warm_start",
        "universal-transformer",
        "other",
        "names",
        lambda: tf_side(w.universal, step_name, train=True, optimizer="Adam", graph=False),
        lambda: tf_side(w.untied, lambda role, kind: google("warm/transformer", role), graph=False),
        convert=lambda values: {
            f"layer/{i}/{role.removeprefix('step/')}": value
            for i in range(6)
            for role, value in values.items()
            if role.startswith("step/")
        },
        notes="each of the six layers is begun from the one that was shared",
    ),
)

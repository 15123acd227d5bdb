"""The namings of the tenth batch's wirings of pictures, films and sounds, and its large case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cases import wirings_j2 as j
from cases.case import Case, Row
from cases.names_a import plus
from cases.names_d import SLIM, TORCH, leaves
from cases.nets import build, by_rules, equal_outputs, variables_of
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side
from cases.wired import Wired

THETA = {"q": "theta", "k": "phi", "v": "g", "o": "o_conv"}
LETTER = {"q": "g", "k": "f", "v": "h", "o": "v"}
CODES = {"kind": "0", "mean": "1", "spread": "2"}
ORDER = {"kind": "2", "mean": "0", "spread": "1"}
STARS = ("vega", "rigel", "deneb")
LATERAL = ("", "p1", "res2", "res3")
CAMEL = {"0": "First", "1": "Second", "s": "Skip"}
SPADE = {"shared": "mlp_shared/0", "gamma": "mlp_gamma", "beta": "mlp_beta"}

WIRED = (
    Wired(
        "w_attention_unet_levels",
        "attention-unet",
        "index-shift",
        "graph",
        j.gated_unet,
        lambda: by_rules(
            (r"stem/(.*)", r"att_unet/in_conv/\1"),
            (r"down/(\d)/(\d)/norm/(.*)", r"att_unet/enc_\1/bn_\2/\3"),
            (r"down/(\d)/(\d)/(.*)", r"att_unet/enc_\1/conv_\2/\3"),
            (r"up/(\d)/(.*)", r"att_unet/up_\1/up_conv/\2"),
            (r"gate/(\d)/g/(.*)", r"att_unet/up_\1/att/phi_g/\2"),
            (r"gate/(\d)/x/(.*)", r"att_unet/up_\1/att/theta_x/\2"),
            (r"gate/(\d)/psi/(.*)", r"att_unet/up_\1/att/psi_f/\2"),
            (r"merge/(\d)/(\d)/norm/(.*)", r"att_unet/up_\1/bn_\2/\3"),
            (r"merge/(\d)/(\d)/(.*)", r"att_unet/up_\1/conv_\2/\3"),
            (r"out/(.*)", r"att_unet/out_conv/\1"),
        ),
        lambda: by_rules(
            (r"stem/(.*)", r"Conv0/\1"),
            (r"down/(\d)/(\d)/norm/(.*)", plus(1, "Conv{}/{}/bn/{}")),
            (r"down/(\d)/(\d)/(.*)", plus(1, "Conv{}/{}/conv/{}")),
            (r"up/(\d)/(.*)", lambda m: f"Up{4 - int(m[1])}/{m[2]}"),
            (r"gate/(\d)/([gx])/(.*)", lambda m: f"Att{4 - int(m[1])}/W_{m[2]}/{m[3]}"),
            (r"gate/(\d)/psi/(.*)", lambda m: f"Att{4 - int(m[1])}/psi/{m[2]}"),
            (
                r"merge/(\d)/(\d)/norm/(.*)",
                lambda m: f"Up_conv{4 - int(m[1])}/{m[2]}/bn/{m[3]}",
            ),
            (r"merge/(\d)/(\d)/(.*)", lambda m: f"Up_conv{4 - int(m[1])}/{m[2]}/conv/{m[3]}"),
            (r"out/(.*)", r"Conv_1x1/\1"),
        ),
        expected_net=OtherOps,
        notes="one side counts the levels of the way up from the deepest, the other from the "
        "finest; one width",
    ),
    Wired(
        "w_infogan_heads",
        "infogan",
        "heads-exchanged",
        "graph",
        j.codes_of_gan,
        lambda: leaves(
            SLIM,
            by_rules(
                (r"trunk/(\d)/norm/(.*)", r"discriminator/d_bn\1/\2"),
                (r"trunk/(\d)/(.*)", r"discriminator/d_conv\1/\2"),
                (r"verdict/(.*)", r"discriminator/d_fc/\1"),
                (r"codes/norm/(.*)", r"discriminator/q_bn/\1"),
                (r"codes/(.*)", r"discriminator/q_fc/\1"),
                (r"(kind|mean|spread)/(.*)", lambda m: f"discriminator/q_out_{CODES[m[1]]}/{m[2]}"),
            ),
        ),
        lambda: by_rules(
            (r"trunk/(\d)/norm/(.*)", r"dq/shared/\1/bn/\2"),
            (r"trunk/(\d)/(.*)", r"dq/shared/\1/conv/\2"),
            (r"verdict/(.*)", r"dq/real_or_fake/\1"),
            (r"codes/norm/(.*)", r"dq/q/bn/\1"),
            (r"codes/(.*)", r"dq/q/fc/\1"),
            (r"(kind|mean|spread)/(.*)", lambda m: f"dq/q/out_{ORDER[m[1]]}/{m[2]}"),
        ),
        expected_net=OtherOps,
        notes="three heads of one shape whose numbers are exchanged: softmax, exp and nothing tell",
    ),
    Wired(
        "w_slowfast_words",
        "slowfast",
        "mirrored-nets",
        "names",
        j.slow_and_fast,
        lambda: by_rules(
            (r"(slow|fast)/0/a/norm/(.*)", r"\1_bn1/\2"),
            (r"(slow|fast)/0/a/(.*)", r"\1_conv1/\2"),
            (r"(slow|fast)/0/b/norm/(.*)", r"\1_bn2/\2"),
            (r"(slow|fast)/0/b/(.*)", r"\1_conv2/\2"),
            (
                r"(slow|fast)/(\d)/([ab])(/norm)?/(.*)",
                lambda m: (
                    f"{m[1]}_res{int(m[2]) + 1}/{'bn' if m[4] else 'conv'}"
                    f"{'ab'.index(m[3]) + 1}/{m[5]}"
                ),
            ),
            (r"lateral/(\d)/(.*)", lambda m: f"lateral_{LATERAL[int(m[1])]}/{m[2]}"),
            (r"head/(.*)", r"fc/\1"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (
                    r"(slow|fast)/0/([ab])(/norm)?/(.*)",
                    lambda m: (
                        f"backbone/{m[1]}_path/stem/{'ab'.index(m[2])}/"
                        f"{'bn' if m[3] else 'conv'}/{m[4]}"
                    ),
                ),
                (
                    r"(slow|fast)/(\d)/([ab])(/norm)?/(.*)",
                    lambda m: (
                        f"backbone/{m[1]}_path/layer{m[2]}/conv{'ab'.index(m[3]) + 1}/"
                        f"{'bn' if m[4] else 'conv'}/{m[5]}"
                    ),
                ),
                (r"lateral/(\d)/(.*)", plus(-1, "backbone/slow_path/lateral{}/conv/{}")),
                (r"head/(.*)", r"cls_head/fc_cls/\1"),
            ),
            ".",
        ),
        optimizer="Momentum",
        shuffle_expected=6,
        notes="res2 is layer1; the connections belong to the slow way on one side",
    ),
    Wired(
        "w_spade_camel",
        "spade",
        "token-rename",
        "names",
        j.painted,
        lambda: leaves(
            TORCH,
            by_rules(
                (r"first/(.*)", r"netG/fc/\1"),
                (
                    r"block/(\d)/(\w)/norm/(\w+)/(.*)",
                    lambda m: f"netG/up_{m[1]}/norm_{m[2]}/{SPADE[m[3]]}/{m[4]}",
                ),
                (r"block/(\d)/(\w)/(.*)", r"netG/up_\1/conv_\2/\3"),
                (r"out/(.*)", r"netG/conv_img/\1"),
            ),
            ".",
        ),
        lambda: by_rules(
            (r"first/(.*)", r"gauGan/inputDense/\1"),
            (
                r"block/(\d)/(\w)/norm/(\w+)/(.*)",
                lambda m: (
                    f"gauGan/spadeResBlock{int(m[1]) + 1}/spade{CAMEL[m[2]]}/"
                    f"{'conv' if m[3] == 'shared' else m[3] + 'Conv'}/{m[4]}"
                ),
            ),
            (
                r"block/(\d)/(\w)/(.*)",
                lambda m: f"gauGan/spadeResBlock{int(m[1]) + 1}/conv{CAMEL[m[2]]}/{m[3]}",
            ),
            (r"out/(.*)", r"gauGan/toRgb/\1"),
        ),
        shuffle_expected=4,
        ema=True,
        expected_net=OtherOps,
        notes="camelCase and counts from one, beside torch's parts and counts from nought",
    ),
)
PORTED = (
    Ported(
        "w_sagan_letters",
        "sagan",
        "gate-roles",
        "graph",
        lambda: tf_side(
            j.self_attention_critic,
            by_rules(
                (r"attention/gain", "discriminator/non_local/sigma_ratio"),
                (
                    r"attention/(\w)/(\w+)",
                    lambda m: f"discriminator/non_local/{THETA[m[1]]}/{m[2]}",
                ),
                (r"down/(\d)/(.*)", plus(1, "discriminator/d_block{}/conv/{}")),
                (r"score/(.*)", r"discriminator/linear/\1"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            j.self_attention_critic,
            by_rules(
                (r"attention/gain", "critic/attention/gamma"),
                (r"attention/(\w)/u", lambda m: f"critic/attention/{LETTER[m[1]]}_conv/sn_u"),
                (
                    r"attention/(\w)/(\w+)",
                    lambda m: f"critic/attention/{LETTER[m[1]]}_conv/{m[2]}",
                ),
                (r"down/(\d)/u", r"critic/conv_\1/sn_u"),
                (r"down/(\d)/(.*)", r"critic/conv_\1/\2"),
                (r"score/(.*)", r"critic/D_logits/\1"),
            ),
            shuffle=5,
        ),
        told=(r"attention/(\w)/.*", ("q", "k", "v", "o")),
        notes="g is what is attended to on one side and what attends on the other",
    ),
    Ported(
        "w_hifigan_periods",
        "hifi-gan",
        "numbers-against",
        "graph",
        lambda: tf_side(
            j.periods,
            by_rules(
                (r"disc/(\d)/conv/(\d)/(.*)", r"mpd/discriminators_\1/convs_\2/\3"),
                (r"disc/(\d)/post/(.*)", r"mpd/discriminators_\1/conv_post/\2"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            j.periods,
            by_rules(
                (
                    r"disc/(\d)/conv/(\d)/(.*)",
                    lambda m: f"mpd/discriminators_{3 - int(m[1])}/convs_{m[2]}/{m[3]}",
                ),
                (
                    r"disc/(\d)/post/(.*)",
                    lambda m: f"mpd/discriminators_{3 - int(m[1])}/conv_post/{m[2]}",
                ),
            ),
        ),
        told=(r"disc/(\d)/.*", ("0", "1", "2", "3")),
        notes="all names are equal; one program lists the periods 2, 3, 5, 11, the other "
        "backwards: the reshapes tell",
    ),
    Ported(
        "w_mobileone_unknowable",
        "mobileone",
        "ambiguous",
        "graph",
        lambda: tf_side(
            j.branches,
            by_rules(
                (
                    r"block/(\d)/branch/(\d)/(norm/)?(.*)",
                    lambda m: f"stages/{m[1]}/{STARS[int(m[2])]}/{'bn' if m[3] else 'conv'}/{m[4]}",
                ),
                (r"block/(\d)/skip/(.*)", r"stages/\1/rbr_skip/\2"),
                (r"block/(\d)/scale/norm/(.*)", r"stages/\1/rbr_scale/bn/\2"),
                (r"block/(\d)/scale/(.*)", r"stages/\1/rbr_scale/conv/\2"),
                (r"(stem|head)/(.*)", r"\1/\2"),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            j.branches,
            by_rules(
                (
                    r"block/(\d)/branch/(\d)/(norm/)?(.*)",
                    lambda m: (
                        f"mobile_one/b{m[1]}/{('amber', 'coral', 'ivory')[int(m[2])]}/"
                        f"{'norm' if m[3] else 'conv2d'}/{m[4]}"
                    ),
                ),
                (r"block/(\d)/skip/(.*)", r"mobile_one/b\1/identity/\2"),
                (r"block/(\d)/scale/norm/(.*)", r"mobile_one/b\1/pointwise/norm/\2"),
                (r"block/(\d)/scale/(.*)", r"mobile_one/b\1/pointwise/conv2d/\2"),
                (r"(stem|head)/(.*)", r"mobile_one/\1/\2"),
            ),
        ),
        orbit=(r"block/\d/branch/(\d)/.*", ("0", "1", "2")),
        notes="three equal branches of a block are summed: any permutation computes the same",
    ),
)


def two_runs() -> Case:
    """Two equal nets of one session; the expected one may be either."""

    def naming() -> Any:
        return by_rules(
            (r"net/([ab])/conv/(\d)/(.*)", lambda m: f"{RUNS[m[1]]}/conv2d_{m[2]}/{m[3]}"),
            (r"net/([ab])/(.*)", lambda m: f"{RUNS[m[1]]}/{m[2]}"),
        )

    wanted = by_rules(
        (r"net/a/conv/(\d)/(.*)", r"matting/features/\1/\2"),
        (r"net/a/up/(.*)", r"matting/upsample/\1"),
        (r"net/a/mask/(.*)", r"matting/alpha/\1"),
    )
    actual = build(j.matting, naming(), train=True, optimizer="Adam")
    expected = build(j.one_mask, wanted, train=False)
    check = build(j.one_mask, naming(), train=False)
    if not equal_outputs(check, expected, list(expected[1].roles)):
        raise ValueError("the two programs do not compute the same")
    names = {role: v.op.name for role, v in actual[1].roles.items()}
    either = {
        v.op.name: sorted((names[role], names[role.replace("net/a", "net/b")]))
        for role, v in expected[1].roles.items()
    }
    return Case(
        "w_two_runs_unknowable",
        "twice-in-session",
        "ambiguous",
        "graph",
        variables_of(actual[0]),
        variables_of(expected[0]),
        dict.fromkeys(either),
        "one TF1 wiring of scripts/cases, built twice in the actual graph and once in the expected "
        "one; either of the two would do",
        "nothing says which of the two equal nets is meant",
        {},
        either,
        actual_graph=actual[0].as_graph_def(),
        expected_graph=expected[0].as_graph_def(),
    )


RUNS = {"a": "tahoe", "b": "yosemite"}


def experts() -> Case:
    """A mixture of experts: 40 layers, every second with 56 experts of three matrices."""
    n, wide, layers, count = 16, 24, 40, 56
    pairs: list[tuple[str, str, tuple[int, ...]]] = []
    for i in range(layers):
        old, new = f"model/h{i:02d}", f"decoder/layers_{i}"
        for one, word, shape in (
            ("attn/q", "self_attn/q_proj", (n, n)),
            ("attn/k", "self_attn/k_proj", (n, n)),
            ("attn/v", "self_attn/v_proj", (n, n)),
            ("attn/o", "self_attn/o_proj", (n, n)),
        ):
            pairs.append((f"{old}/{one}/w", f"{new}/{word}/kernel", shape))
        pairs.append((f"{old}/ln_1/g", f"{new}/input_norm/scale", (n,)))
        pairs.append((f"{old}/ln_2/g", f"{new}/post_attention_norm/scale", (n,)))
        if i % 2:
            pairs.append((f"{old}/moe/gate/w", f"{new}/experts/router/kernel", (n, count)))
        for k in range(count if i % 2 else 1):
            was = f"{old}/moe/ffn_{k:03d}" if i % 2 else f"{old}/mlp"
            now = f"{new}/experts/{k}" if i % 2 else f"{new}/dense_ffn"
            for one, word, shape in (
                ("w_in", "up_proj", (n, wide)),
                ("w_gate", "gate_proj", (n, wide)),
                ("w_out", "down_proj", (wide, n)),
            ):
                pairs.append((f"{was}/{one}", f"{now}/{word}/kernel", shape))
                if one == "w_in":
                    pairs.append((f"{was}/b_in", f"{now}/{word}/bias", (wide,)))
                if one == "w_out":
                    pairs.append((f"{was}/b_out", f"{now}/{word}/bias", (n,)))
    pairs += [("model/wte", "decoder/embed/embedding", (97, n))]
    pairs += [("model/ln_f/g", "decoder/final_norm/scale", (n,))]
    order = np.random.RandomState(10).permutation(len(pairs))
    actual: list[Row] = [("global_step", (), "int64")]
    for at in order:
        name, _, shape = pairs[at]
        actual.append((name, shape, "float32"))
        actual += [(f"{name}/Adam", shape, "float32"), (f"{name}/Adam_1", shape, "float32")]
    return Case(
        "d_scale_experts_slots",
        "mixture-of-experts",
        "scale",
        "names",
        actual,
        [(new, shape, "float32") for _, new, shape in pairs],
        {new: old for old, new, _ in pairs},
        "names of one generator under two namings; truth by construction",
        f"{len(pairs)} names with two Adam slots each; layers and experts are numbered 00 and 000 "
        "on one side",
    )


def other_j_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "w_two_runs_unknowable", two_runs
    yield "d_scale_experts_slots", experts

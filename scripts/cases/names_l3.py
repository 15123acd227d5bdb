"""The namings of the twelfth batch's pictures, films and sounds."""

from __future__ import annotations

from typing import Any

from cases import wirings_l2 as w
from cases.names_a import plus
from cases.names_d import SLIM, TORCH, leaves
from cases.nets import by_default, by_rules
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side, torch_side
from cases.wired import Wired

COLORS = ("scale", "shift")
LETTERS = "abc"


def conv3d(role: str, kind: str) -> str:
    """Name a variable as C3D's TF1 code does: all weights in one scope, all biases in one."""
    head, _, leaf = role.rpartition("/")
    _, at, *part = head.split("/")
    kinds = {"kernel": ("w", "wc"), "bias": ("b", "bc")}
    letter = LETTERS[int(part[0])] if part and at in "234" else ""
    if head.startswith("fc"):
        name = ("d1", "d2", "out")[int(at)]
        return f"var_name/{kinds[leaf][0]}{name}"
    return f"var_name/{kinds[leaf][1]}{int(at) + 1}{letter}"


def video(role: str, kind: str) -> str:
    """Name a variable as a Keras port of C3D does."""
    head, _, leaf = role.rpartition("/")
    _, at, *part = head.split("/")
    if head.startswith("fc"):
        return f"c3d/fc{int(at) + 6}/{leaf}"
    return f"c3d/conv{int(at) + 1}{LETTERS[int(part[0])]}/{leaf}"


WIRED = (
    Wired(
        "w_linknet_decoders",
        "linknet",
        "default-names-order",
        "graph",
        w.linked,
        lambda: by_default("linknet/"),
        lambda: by_rules(
            (r"first/norm/(.*)", r"net/stem/bn/\1"),
            (r"first/(.*)", r"net/stem/conv/\1"),
            (r"down/(\d)/(\d)/(\d)/norm/(.*)", plus(1, "net/encoder{}/block{}/bn{}/{}")),
            (r"down/(\d)/(\d)/(\w+)/(.*)", plus(1, "net/encoder{}/block{}/conv_{}/{}")),
            (r"up/(\d)/(\d)/norm/(.*)", plus(1, "net/decoder{}/bn{}/{}")),
            (r"up/(\d)/(\d)/(.*)", plus(1, "net/decoder{}/conv_{}/{}")),
            (r"out/(.*)", r"net/finisher/deconv/\1"),
            (r"last/(.*)", r"net/finisher/conv/\1"),
        ),
        optimizer="Momentum",
        expected_net=OtherOps,
        notes="the actual names only count; decoders are numbered from the last to the first",
    ),
    Wired(
        "w_convlstm_forecaster",
        "conv-lstm",
        "rnn-cells",
        "names",
        w.forecast,
        lambda: by_rules(
            (
                r"(\w+)/(\d)/(input|state)/(.*)",
                lambda m: (
                    f"model/{m[1]}/conv_lstm_{m[2]}/{'x' if m[3] == 'input' else 'h'}2g/{m[4]}"
                ),
            ),
            (r"(\w+)/(\d)/peep/(\w)\w+", r"model/\1/conv_lstm_\2/w_c\3"),
            (r"out/(.*)", r"model/prediction/\1"),
        ),
        lambda: by_rules(
            (
                r"(\w+)/(\d)/(input|state)/(.*)",
                lambda m: f"{m[1]}_net/cell{int(m[2]) + 1}/{m[3]}_conv/{m[4]}",
            ),
            (r"(\w+)/(\d)/peep/(\w+)", lambda m: f"{m[1]}_net/cell{int(m[2]) + 1}/{m[3]}_peephole"),
            (r"out/(.*)", r"to_frame/\1"),
        ),
        optimizer="RMSProp",
        notes="an encoder and a forecaster of one shape, numbered from 0 and from 1",
    ),
    Wired(
        "w_bigan_three_nets",
        "bigan",
        "mirrored-nets",
        "names",
        w.both_ways,
        lambda: by_rules(
            (r"generator/(\d)/(.*)", plus(1, "gen/layer_{}/{}")),
            (r"encoder/(\d)/(.*)", plus(1, "enc/layer_{}/{}")),
            (r"critic/image/(\d)/(.*)", plus(1, "dis/x_layer_{}/{}")),
            (r"critic/code/0/(.*)", r"dis/z_layer/\1"),
            (r"critic/both/(.*)", r"dis/y_fc_1/\1"),
            (r"critic/out/(.*)", r"dis/y_logits/\1"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"generator/(\d)/(.*)", lambda m: f"G/main/{2 * int(m[1])}/{m[2]}"),
                (r"encoder/(\d)/(.*)", lambda m: f"E/main/{2 * int(m[1])}/{m[2]}"),
                (r"critic/image/(\d)/(.*)", lambda m: f"D/infer_x/{2 * int(m[1])}/{m[2]}"),
                (r"critic/code/0/(.*)", r"D/infer_z/0/\1"),
                (r"critic/both/(.*)", r"D/infer_joint/0/\1"),
                (r"critic/out/(.*)", r"D/infer_joint/2/\1"),
            ),
            ".",
        ),
        optimizer="Adam",
        shuffle_expected=5,
        expected_net=OtherOps,
        notes="layouts are TensorFlow's on both sides",
    ),
    Wired(
        "w_dncnn_permuted",
        "dncnn",
        "creation-order",
        "graph",
        w.denoised,
        lambda: by_rules(
            (r"in/(.*)", r"DnCNN/block1/conv2d/\1"),
            (r"mid/(\d+)/norm/(.*)", plus(2, "DnCNN/block{}/bn/{}")),
            (r"mid/(\d+)/(.*)", plus(2, "DnCNN/block{}/conv2d/{}")),
            (r"out/(.*)", r"DnCNN/block14/conv2d/\1"),
        ),
        lambda: by_default(),
        optimizer="Adam",
        shuffle_expected=12,
        notes="the expected layers were made in another order than they run in",
    ),
    Wired(
        "w_c3d_one_scope",
        "c3d",
        "token-rename",
        "names",
        w.clips,
        lambda: conv3d,
        lambda: video,
        optimizer="Adam",
        notes="one scope holds w and b of all layers",
    ),
    Wired(
        "w_frn_three_vectors",
        "frn-resnet",
        "param-roles",
        "graph",
        w.responding,
        lambda: by_rules(
            (r"stem/norm/(.*)", r"frn_resnet/initial/frn/\1"),
            (r"stem/(.*)", r"frn_resnet/initial/conv/\1"),
            (r"stage/(\d)/(\d)/(\d)/norm/(.*)", r"frn_resnet/group\1/unit\2/frn\3/\4"),
            (r"stage/(\d)/(\d)/(\w+)/(.*)", r"frn_resnet/group\1/unit\2/conv\3/\4"),
            (r"classes/(.*)", r"frn_resnet/logits/\1"),
        ),
        lambda: leaves(
            {"gamma": "variable", "beta": "variable_1", "tau": "variable_2"},
            by_rules(
                (r"stem/norm/(.*)", r"backbone/norm_0/\1"),
                (r"stem/(.*)", r"backbone/conv_0/\1"),
                (
                    r"stage/(\d)/(\d)/(\d)/norm/(.*)",
                    lambda m: (
                        f"backbone/norm_{int(m[1]) * 4 + int(m[2]) * 2 + int(m[3]) + 1}/{m[4]}"
                    ),
                ),
                (
                    r"stage/(\d)/(\d)/(\d)/(.*)",
                    lambda m: (
                        f"backbone/conv_{int(m[1]) * 4 + int(m[2]) * 2 + int(m[3]) + 1}/{m[4]}"
                    ),
                ),
                (r"stage/(\d)/(\d)/skip/(.*)", r"backbone/shortcut_\1/\3"),
                (r"classes/(.*)", r"classifier/\1"),
            ),
        ),
        optimizer="Momentum",
        expected_net=OtherOps,
        notes="scale, offset and threshold of each norm have no names of their own on one side",
    ),
    Wired(
        "w_ncsn_ema_present",
        "ncsn",
        "ema-intent",
        "names",
        w.scored,
        lambda: by_rules(
            (r"begin/(.*)", r"ncsn/begin_conv/\1"),
            (r"end/norm/(\w+)/table", r"ncsn/normalizer/\1"),
            (r"end/(.*)", r"ncsn/end_conv/\1"),
            (r"res/(\d)/(\d)/norm/(\d)/(\w+)/table", r"ncsn/res\1/\2/normalize\3/\4"),
            (r"res/(\d)/(\d)/skip/(.*)", r"ncsn/res\1/\2/shortcut/\3"),
            (r"res/(\d)/(\d)/(\d)/(.*)", r"ncsn/res\1/\2/conv\3/\4"),
            (r"refine/(\d)/(\w+)/(.*)", r"ncsn/refine\1/\2/\3"),
        ),
        lambda: by_rules(
            (r"begin/(.*)", r"score_model/stem/\1"),
            (r"end/norm/(\w+)/table", r"score_model/final_norm/\1"),
            (r"end/(.*)", r"score_model/final_conv/\1"),
            (
                r"res/(\d)/(\d)/norm/(\d)/(\w+)/table",
                plus(1, "score_model/stage{}/unit{}/norm{}/{}"),
            ),
            (r"res/(\d)/(\d)/skip/(.*)", plus(1, "score_model/stage{}/unit{}/skip/{}")),
            (r"res/(\d)/(\d)/(\d)/(.*)", plus(1, "score_model/stage{}/unit{}/conv{}/{}")),
            (r"refine/(\d)/(\w+)/(.*)", plus(1, "score_model/refinement{}/{}/{}")),
        ),
        optimizer="Adam",
        ema=True,
        notes="averages are there, the raw values are asked for",
    ),
)


def siren() -> Any:
    """A SIREN in PyTorch, as its authors' notebook makes it."""
    import torch
    from torch import nn

    class SineLayer(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.linear = nn.Linear(inputs, outputs)

        def forward(self, x: Any) -> Any:
            return torch.sin(3 * self.linear(x))

    class Siren(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            hidden = [SineLayer(16, 16) for _ in range(4)]
            self.net = nn.Sequential(SineLayer(2, 16), *hidden, nn.Linear(16, 3))

        def forward(self, x: Any) -> Any:
            return self.net(x)

    return Siren()


STREAMS = ("left", "right")
PORTED = (
    Ported(
        "v_siren_torch",
        "siren",
        "layout",
        "names",
        lambda: tf_side(w.waves, by_rules((r"layer/(\d)/(.*)", r"siren/dense_\1/\2")), train=True),
        lambda: torch_side(
            siren,
            leaves(
                {"weight": "kernel"},
                by_rules(
                    (r"net\.(\d)\.linear\.(\w+)", r"layer/\1/\2"), (r"net\.5\.(\w+)", r"layer/5/\1")
                ),
            ),
            {"place": (5, 2)},
        ),
        beside="adam",
        notes="square matrices: nothing but the framework tells that they are turned",
    ),
    Ported(
        "w_bilinear_cnn_unknowable",
        "bilinear-cnn",
        "ambiguous",
        "graph",
        lambda: tf_side(
            w.two_views,
            by_rules(
                (r"stream/(\d)/(\d)/(.*)", lambda m: f"stream_{'AB'[int(m[1])]}/conv{m[2]}/{m[3]}"),
                (r"hidden/(.*)", r"top/fc1/\1"),
                (r"classes/(.*)", r"top/fc2/\1"),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            w.two_views,
            by_rules(
                (
                    r"stream/(\d)/(\d)/(.*)",
                    lambda m: f"{STREAMS[int(m[1])]}_extractor/conv2d_{int(m[2]) + 1}/{m[3]}",
                ),
                (r"hidden/(.*)", r"embedding/\1"),
                (r"classes/(.*)", r"logits/\1"),
            ),
        ),
        orbit=(r"stream/(\d)/.*", ("0", "1")),
        notes="the product of both streams does not tell them apart",
    ),
    Ported(
        "w_csrnet_new_back",
        "csrnet",
        "abstain",
        "names",
        lambda: tf_side(
            w.classified,
            leaves(
                SLIM,
                by_rules(
                    (
                        r"front/(\d)/(\d)/(.*)",
                        lambda m: (
                            f"vgg_16/conv{int(m[1]) + 1}/conv{int(m[1]) + 1}_{int(m[2]) + 1}/{m[3]}"
                        ),
                    ),
                    (r"fc/(\d)/(.*)", plus(6, "vgg_16/fc{}/{}")),
                ),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            w.counted,
            by_rules(
                (
                    r"front/(\d)/(\d)/(.*)",
                    lambda m: (
                        f"csrnet/frontend/conv_"
                        f"{sum(map(len, w.FRONT[: int(m[1])])) + int(m[2])}/{m[3]}"
                    ),
                ),
                (r"back/(\d)/(.*)", r"csrnet/backend/conv_\1/\2"),
                (r"density/(.*)", r"csrnet/output/\1"),
            ),
        ),
        convert=lambda values: {
            f"{at}/{leaf}": None
            for at in (*(f"back/{k}" for k in range(6)), "density")
            for leaf in ("kernel", "bias")
        },
        compare=1,
        notes="VGG's fifth stage has the shapes of the new dilated layers",
    ),
)

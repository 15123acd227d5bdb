"""The namings of the eleventh batch's wirings of pictures, sounds and films."""

from __future__ import annotations

from typing import Any

from cases import wirings_k1 as k
from cases.names_a import plus
from cases.names_d import SLIM, TORCH, leaves
from cases.nets import by_default, by_rules
from cases.nets_keras import OtherOps
from cases.sides import Ported, tf_side, torch_side
from cases.wired import Wired

WIRED = (
    Wired(
        "w_flownet_levels",
        "flownet",
        "token-rename",
        "names",
        k.flow,
        lambda: leaves(
            SLIM,
            by_rules(
                (r"conv/(\w+)/(.*)", r"FlowNetS/conv\1/\2"),
                (r"predict/(\d)/(.*)", r"FlowNetS/predict_flow\1/\2"),
                (
                    r"flow/(\d)/(.*)",
                    lambda m: f"FlowNetS/upsample_flow{int(m[1]) + 1}to{m[1]}/{m[2]}",
                ),
                (r"deconv/(\d)/(.*)", r"FlowNetS/deconv\1/\2"),
            ),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (r"conv/(\w+)/(.*)", r"conv\1/0/\2"),
                (r"predict/(\d)/(.*)", r"predict_flow\1/\2"),
                (r"flow/(\d)/(.*)", lambda m: f"upsampled_flow{int(m[1]) + 1}_to_{m[1]}/{m[2]}"),
                (r"deconv/(\d)/(.*)", r"deconv\1/0/\2"),
            ),
            ".",
        ),
        optimizer="Adam",
        shuffle_expected=11,
        expected_net=OtherOps,
        notes="layouts are TensorFlow's on both sides",
    ),
    Wired(
        "w_demucs_levels",
        "demucs",
        "index-shift",
        "graph",
        k.separated,
        lambda: by_rules(
            (r"down/(\d)/(\d)/(.*)", r"demucs/encoder_\1/conv_\2/\3"),
            (r"middle/(\d)/(.*)", r"demucs/lstm/cell_\1/\2"),
            (r"up/(\d)/(\d)/(.*)", r"demucs/decoder_\1/conv_\2/\3"),
        ),
        lambda: by_rules(
            (r"down/(\d)/0/(.*)", plus(1, "separator/level{}/analysis/{}")),
            (r"down/(\d)/1/(.*)", plus(1, "separator/level{}/analysis_gate/{}")),
            (r"middle/(\d)/(.*)", plus(1, "separator/bottleneck/lstm{}/{}")),
            (r"up/(\d)/0/(.*)", lambda m: f"separator/level{4 - int(m[1])}/synthesis_gate/{m[2]}"),
            (r"up/(\d)/1/(.*)", lambda m: f"separator/level{4 - int(m[1])}/synthesis/{m[2]}"),
        ),
        optimizer="Adam",
        notes="one side counts decoders from the deepest, the other counts levels, with an encoder "
        "and a decoder in each",
    ),
    Wired(
        "w_mean_teacher_ema",
        "mean-teacher",
        "ema-intent",
        "graph",
        k.thirteen,
        lambda: by_rules(
            (r"conv/(\d)/(\d)/norm/(.*)", r"model/block\1/bn_\2/\3"),
            (r"conv/(\d)/(\d)/(.*)", r"model/block\1/conv_\2/\3"),
            (r"first/(.*)", r"model/cls_logits/\1"),
            (r"second/(.*)", r"model/cons_logits/\1"),
        ),
        lambda: leaves(
            TORCH,
            by_rules(
                (
                    r"conv/(\d)/(\d)/norm/(.*)",
                    lambda m: f"bn{int(m[1]) + 1}{'abc'[int(m[2])]}/{m[3]}",
                ),
                (r"conv/(\d)/(\d)/(.*)", lambda m: f"conv{int(m[1]) + 1}{'abc'[int(m[2])]}/{m[3]}"),
                (r"first/(.*)", r"fc1/\1"),
                (r"second/(.*)", r"fc2/\1"),
            ),
            ".",
        ),
        optimizer="Adam",
        ema=True,
        intent="ema",
        notes="the teacher is the moving average; its norms' statistics are the student's",
    ),
)


def edsr() -> Any:
    """EDSR as its authors' PyTorch code names it: lists within lists."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(conv(), nn.ReLU(), conv())

        def forward(self, x: Any) -> Any:
            return x + 0.1 * self.body(x)

    def conv(filters: int = 8, width: int = 8) -> Any:
        return nn.Conv2d(width, filters, 3, padding=1)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(conv(8, 3))
            self.body = nn.Sequential(*(Block() for _ in range(5)), conv())
            self.tail = nn.Sequential(nn.Sequential(conv(32), nn.PixelShuffle(2)), conv(3))

        def forward(self, x: Any) -> Any:
            x = self.head(x.permute(0, 3, 1, 2))
            return self.tail(self.body(x) + x).permute(0, 2, 3, 1)

    torch.manual_seed(0)
    return Network()


def shuffled(values: dict[str, Any]) -> dict[str, Any]:
    """Return what depth_to_space takes in the order in which PixelShuffle does."""
    kernel, bias = values["up/kernel"], values["up/bias"]
    parts = kernel.reshape(*kernel.shape[:-1], 4, 8)
    return {
        "up/kernel": parts.swapaxes(-1, -2).reshape(kernel.shape),
        "up/bias": bias.reshape(4, 8).T.reshape(-1),
    }


PORTED = (
    Ported(
        "v_edsr_torch",
        "edsr",
        "default-names-order",
        "names",
        lambda: tf_side(k.super_resolution, by_default("edsr/"), train=True, optimizer="Adam"),
        lambda: torch_side(
            edsr,
            leaves(
                {"weight": "kernel"},
                by_rules(
                    (r"head\.0\.(\w+)", r"head/\1"),
                    (r"body\.(\d)\.body\.0\.(\w+)", r"block/\1/0/\2"),
                    (r"body\.(\d)\.body\.2\.(\w+)", r"block/\1/1/\2"),
                    (r"body\.5\.(\w+)", r"body/\1"),
                    (r"tail\.0\.0\.(\w+)", r"up/\1"),
                    (r"tail\.1\.(\w+)", r"tail/\1"),
                ),
            ),
            {"small": (1, 8, 8, 3)},
        ),
        convert=shuffled,
        notes="the actual names only count; what is shuffled to pixels has another order",
    ),
    Ported(
        "w_tri_training_unknowable",
        "tri-training",
        "ambiguous",
        "graph",
        lambda: tf_side(
            k.committee,
            by_rules(
                (r"vote/(\d)/(\d)/(.*)", lambda m: f"learner_{'xyz'[int(m[1])]}/fc{m[2]}/{m[3]}"),
                (r"trunk/(\d)/(.*)", r"shared/conv\1/\2"),
                (r"judge/(.*)", r"merge/fc/\1"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            k.committee,
            by_rules(
                (
                    r"vote/(\d)/(\d)/(.*)",
                    lambda m: f"voters/{('red', 'green', 'blue')[int(m[1])]}/dense_{m[2]}/{m[3]}",
                ),
                (r"trunk/(\d)/(.*)", plus(1, "features/conv2d_{}/{}")),
                (r"judge/(.*)", r"decision/\1"),
            ),
        ),
        orbit=(r"vote/(\d)/.*", ("0", "1", "2")),
        notes="three equal learners whose votes are averaged: any order computes the same",
    ),
    Ported(
        "w_posenet_new_exit",
        "posenet",
        "abstain",
        "graph",
        lambda: tf_side(
            k.pose,
            leaves(
                SLIM,
                by_rules(
                    (r"trunk/(\d)/norm/(.*)", plus(1, "posenet/conv{}/bn/{}")),
                    (r"trunk/(\d)/(.*)", plus(1, "posenet/conv{}/{}")),
                    (r"early/hidden/(.*)", r"posenet/cls1_fc1_pose/\1"),
                    (r"early/place/(.*)", r"posenet/cls1_fc_pose_xyz/\1"),
                    (r"early/turn/(.*)", r"posenet/cls1_fc_pose_wpqr/\1"),
                    (r"late/hidden/(.*)", r"posenet/cls3_fc1_pose/\1"),
                    (r"late/place/(.*)", r"posenet/cls3_fc_pose_xyz/\1"),
                    (r"late/turn/(.*)", r"posenet/cls3_fc_pose_wpqr/\1"),
                ),
            ),
            train=True,
            optimizer="Adagrad",
        ),
        lambda: tf_side(
            k.pose_with_doubt,
            by_rules(
                (r"trunk/(\d)/norm/(.*)", r"localizer/backbone/bn_\1/\2"),
                (r"trunk/(\d)/(.*)", r"localizer/backbone/conv_\1/\2"),
                (r"early/(\w+)/(.*)", r"localizer/exit_a/\1/\2"),
                (r"late/(\w+)/(.*)", r"localizer/exit_b/\1/\2"),
                (r"doubt/(\w+)/(.*)", r"localizer/exit_c/\1/\2"),
            ),
        ),
        convert=lambda values: {
            f"doubt/{part}/{leaf}": None
            for part in ("hidden", "place", "turn")
            for leaf in ("kernel", "bias")
        },
        compare=4,
        notes="the third exit is new; its layers have the shapes of the other two's",
    ),
)

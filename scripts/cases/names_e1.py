"""Cases of the fifth batch: detection, segmentation, images."""

from __future__ import annotations

from typing import Any

from cases import wirings_e1 as e
from cases.names_a import plus
from cases.nets import by_default, by_rules
from cases.sides import Ported, tf_side

LEAVES = {"kernel": "weights", "bias": "biases"}


def slim_yolo(found: Any) -> str:
    """Write a convolution of YOLOv3 as slim's counters do: the heads count with the rest."""
    number, norm, leaf = int(found[1]), found[2], found[3]
    scope = "detector/darknet-53"
    if number > 13:
        scope, number = "detector/yolo-v3", number - 14 + (number > 19) + (number > 26)
    counted = f"Conv_{number}" if number else "Conv"
    return f"{scope}/{counted}{'/BatchNorm' if norm else ''}/{LEAVES.get(leaf, leaf)}"


def slim_head(found: Any) -> str:
    """Write a predicting convolution of YOLOv3."""
    return f"detector/yolo-v3/Conv_{6 + 8 * int(found[1])}/{LEAVES[found[2]]}"


def affine_decoder(found: Any) -> str:
    """Number a decoder from the narrow end, as the first pix2pix in TensorFlow did."""
    norm, leaf = found[2], found[3]
    inner = "batch_normalization" if norm else "conv2d_transpose"
    return f"generator/decoder_{5 - int(found[1])}/{inner}/{leaf}"


def hr_fuse(found: Any) -> str:
    """Write a fusing convolution of HRNet as the torch code nests it."""
    stage, module, to, source, step, norm, leaf = found.groups()
    inner = f"{step}_{1 if norm else 0}" if step else ("1" if norm else "0")
    return f"stage{int(stage) + 1}_{module}/fuse_layers_{to}_{source}_{inner}/{leaf}"


def hr_block(found: Any) -> str:
    """Write a convolution in a branch of HRNet as the torch code nests it."""
    stage, module, branch, block, at, norm, leaf = found.groups()
    layer = f"{'bn' if norm else 'conv'}{int(at) + 1}"
    return f"stage{int(stage) + 1}_{module}/branches_{branch}_{block}/{layer}/{leaf}"


def rrdb_flat(found: Any) -> str:
    """Number the convolutions of dense blocks through."""
    number = 1 + 12 * int(found[1]) + 4 * int(found[2]) + int(found[3])
    return f"Generator/conv2d_{number}/{found[4]}"


E1 = (
    Ported(
        "v_yolo_counters",
        "yolov3",
        "default-names-order",
        "shapes",
        lambda: tf_side(
            e.darknet_yolo,
            by_rules((r"body/(\d+)(/norm)?/(.*)", slim_yolo), (r"detect/(\d)/(.*)", slim_head)),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(e.keras_yolo, by_default()),
        notes="slim's two counters beside Keras' one, which another model has pushed on by seven",
    ),
    Ported(
        "v_pix2pix_decoder",
        "pix2pix",
        "scope-nesting",
        "graph",
        lambda: tf_side(
            e.pix2pix,
            by_rules(
                (
                    r"gen/down/(\d)/norm/(.*)",
                    plus(1, "generator/encoder_{}/batch_normalization/{}"),
                ),
                (r"gen/down/(\d)/(.*)", plus(1, "generator/encoder_{}/conv2d/{}")),
                (r"gen/up/(\d)/(norm/)?(.*)", affine_decoder),
                (r"disc/(\d)/norm/(.*)", plus(1, "discriminator/layer_{}/batch_normalization/{}")),
                (r"disc/(\d)/(.*)", plus(1, "discriminator/layer_{}/conv2d/{}")),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.pix2pix,
            by_rules(
                (r"gen/down/(\d)/norm/(.*)", r"unet/down_stack/\1/bn/\2"),
                (r"gen/down/(\d)/(.*)", r"unet/down_stack/\1/conv/\2"),
                (r"gen/up/4/(.*)", r"unet/last/\1"),
                (r"gen/up/(\d)/norm/(.*)", r"unet/up_stack/\1/bn/\2"),
                (r"gen/up/(\d)/(.*)", r"unet/up_stack/\1/deconv/\2"),
            ),
        ),
        notes="decoders are numbered from one end and from the other; inner widths are equal",
    ),
    Ported(
        "v_deeplab_branches",
        "deeplab-v3",
        "twin-structure",
        "graph",
        lambda: tf_side(
            e.deeplab,
            by_rules(
                (r"backbone/(\d)/norm/(.*)", r"xception_41/unit_\1/BatchNorm/\2"),
                (r"backbone/(\d)/(.*)", r"xception_41/unit_\1/weights"),
                (r"aspp/pool/norm/(.*)", r"aspp0/BatchNorm/\1"),
                (r"aspp/point/norm/(.*)", r"aspp1/BatchNorm/\1"),
                (
                    r"aspp/rate/(\d)/norm/(.*)",
                    lambda m: f"aspp{5 - int(m[1]) // 2}/BatchNorm/{m[2]}",
                ),
                (r"aspp/pool/.*", "aspp0/weights"),
                (r"aspp/point/.*", "aspp1/weights"),
                (r"aspp/rate/(\d)/.*", lambda m: f"aspp{5 - int(m[1]) // 2}/weights"),
                (r"project/norm/(.*)", r"concat_projection/BatchNorm/\1"),
                (r"project/.*", "concat_projection/weights"),
                (r"low/norm/(.*)", r"decoder/feature_projection0/BatchNorm/\1"),
                (r"low/.*", "decoder/feature_projection0/weights"),
                (r"refine/(\d)/norm/(.*)", r"decoder/decoder_conv\1/BatchNorm/\2"),
                (r"refine/(\d)/.*", r"decoder/decoder_conv\1/weights"),
                (r"logits/kernel", "logits/semantic/weights"),
                (r"logits/bias", "logits/semantic/biases"),
            ),
            train=True,
            optimizer="Momentum",
        ),
        lambda: tf_side(
            e.deeplab,
            by_rules(
                (r"aspp/point/(.*)", r"aspp/convs_0/\1"),
                (r"aspp/rate/(\d)/(.*)", lambda m: f"aspp/convs_{int(m[1]) // 2}/{m[2]}"),
                (r"aspp/pool/(.*)", r"aspp/convs_4/\1"),
                (r"project/(.*)", r"aspp/project/\1"),
                (r"low/(.*)", r"decoder/low_level/\1"),
                (r"refine/(\d)/(.*)", r"decoder/last_\1/\2"),
            ),
        ),
        told=(r"aspp/(point|rate/2|rate/4|rate/6|pool)/.*", ("rate/2", "rate/4", "rate/6")),
        notes="branches are numbered in two orders; only their rates of dilation tell them apart",
    ),
    Ported(
        "v_hrnet_grid",
        "hrnet",
        "index-notation",
        "names",
        lambda: tf_side(
            e.hr_net,
            by_rules(
                (
                    r"stage/(\d)/module/(\d)/branch/(\d)/block/(\d)/conv/(\d)(/norm)?/(.*)",
                    hr_block,
                ),
                (
                    r"stage/(\d)/module/(\d)/fuse/(\d)/(\d)(?:/(\d))?(/norm)?/(.*)",
                    hr_fuse,
                ),
                (r"stem/(\d)/norm/(.*)", plus(1, "bn{}/{}")),
                (r"stem/(\d)/(.*)", plus(1, "conv{}/{}")),
                (r"transition/(\d)/norm/(.*)", r"transition\1_\1_0_1/\2"),
                (r"transition/(\d)/(.*)", r"transition\1_\1_0_0/\2"),
                (r"head/(.*)", r"final_layer/\1"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.hr_net,
            by_rules(
                (
                    r"stage/(\d)/module/(\d)/branch/(\d)/block/(\d)/conv/(\d)/norm/(.*)",
                    r"hrnet/s\1m\2/res\3/unit\4/bn\5/\6",
                ),
                (
                    r"stage/(\d)/module/(\d)/branch/(\d)/block/(\d)/conv/(\d)/(.*)",
                    r"hrnet/s\1m\2/res\3/unit\4/conv\5/\6",
                ),
                (
                    r"stage/(\d)/module/(\d)/fuse/(\d)/(\d)/norm/(.*)",
                    r"hrnet/s\1m\2/exchange/from\4_to\3/up_bn/\5",
                ),
                (
                    r"stage/(\d)/module/(\d)/fuse/(\d)/(\d)/(\d)/norm/(.*)",
                    r"hrnet/s\1m\2/exchange/from\4_to\3/down\5_bn/\6",
                ),
                (
                    r"stage/(\d)/module/(\d)/fuse/(\d)/(\d)/(\d)/(.*)",
                    r"hrnet/s\1m\2/exchange/from\4_to\3/down\5_conv/\6",
                ),
                (
                    r"stage/(\d)/module/(\d)/fuse/(\d)/(\d)/(.*)",
                    r"hrnet/s\1m\2/exchange/from\4_to\3/up_conv/\5",
                ),
                (r"(stem|transition|head)/(.*)", r"hrnet/\1/\2"),
            ),
        ),
        notes="to_from beside from..to: two numbers in the other order",
    ),
    Ported(
        "v_openpose_crossed",
        "openpose",
        "twin-structure",
        "graph",
        lambda: tf_side(
            e.open_pose,
            by_rules(
                (r"features/(\d)/kernel", plus(1, "conv{}_1/weights")),
                (r"features/(\d)/bias", plus(1, "conv{}_1/biases")),
                (
                    r"stage/(\d)/(limbs|joints)/(\d)/(.*)",
                    lambda m: (
                        f"{'M' if int(m[1]) else ''}conv{int(m[3]) + 1}_stage{int(m[1]) + 1}"
                        f"_L{1 if m[2] == 'limbs' else 2}/{LEAVES[m[4]]}"
                    ),
                ),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            e.open_pose,
            by_rules(
                (r"features/(\d)/(.*)", r"backbone/conv\1/\2"),
                (r"stage/(\d)/joints/(\d)/(.*)", r"stage\1/branch1/conv\2/\3"),
                (r"stage/(\d)/limbs/(\d)/(.*)", r"stage\1/branch2/conv\2/\3"),
            ),
        ),
        told=(r"stage/\d/(limbs|joints)/[0-2]/.*", ("limbs", "joints")),
        notes="L1 is branch2 and L2 is branch1; the width of the last convolution tells",
    ),
    Ported(
        "v_rrdb_flat",
        "esrgan",
        "index-notation",
        "shapes",
        lambda: tf_side(
            e.rrdb,
            by_rules(
                (r"first/(.*)", r"Generator/conv2d/\1"),
                (r"block/(\d)/(\d)/(\d)/(.*)", rrdb_flat),
                (r"trunk/(.*)", r"Generator/conv2d_37/\1"),
                (r"up/(\d)/(.*)", plus(38, "Generator/conv2d_{}/{}")),
                (r"high/(.*)", r"Generator/conv2d_40/\1"),
                (r"last/(.*)", r"Generator/conv2d_41/\1"),
            ),
            train=True,
            optimizer="Adam",
            ema=True,
        ),
        lambda: tf_side(
            e.rrdb,
            by_rules(
                (r"first/(.*)", r"conv_first/\1"),
                (
                    r"block/(\d)/(\d)/(\d)/(.*)",
                    lambda m: f"RRDB_trunk/{m[1]}/RDB{int(m[2]) + 1}/conv{int(m[3]) + 1}/{m[4]}",
                ),
                (r"trunk/(.*)", r"trunk_conv/\1"),
                (r"up/(\d)/(.*)", plus(1, "upconv{}/{}")),
                (r"high/(.*)", r"HRconv/\1"),
                (r"last/(.*)", r"conv_last/\1"),
            ),
        ),
        notes="one counter beside three nested numbers; averages beside the weights",
    ),
    Ported(
        "v_shake_branches_unknowable",
        "shake-shake",
        "ambiguous",
        "graph",
        lambda: tf_side(
            e.shake_shake,
            by_rules(
                (r"block/(\d)/left/(\d)/norm/(.*)", r"shake/unit_\1/branch_1/bn_\2/\3"),
                (r"block/(\d)/right/(\d)/norm/(.*)", r"shake/unit_\1/branch_2/bn_\2/\3"),
                (r"block/(\d)/left/(\d)/(.*)", r"shake/unit_\1/branch_1/conv_\2/\3"),
                (r"block/(\d)/right/(\d)/(.*)", r"shake/unit_\1/branch_2/conv_\2/\3"),
            ),
            train=True,
            optimizer="Momentum",
            shuffle=4,
        ),
        lambda: tf_side(
            e.shake_shake,
            by_rules(
                (r"block/(\d)/left/(\d)/(.*)", r"res\1/x/\2/\3"),
                (r"block/(\d)/right/(\d)/(.*)", r"res\1/y/\2/\3"),
            ),
            shuffle=9,
        ),
        orbit=(r"block/\d/(left|right)/.*", ("left", "right")),
        notes="both branches of a block enter with one half: nobody can tell them apart",
    ),
)

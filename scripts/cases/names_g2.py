"""The namings of the seventh batch's pictures, scenes and generators."""

from __future__ import annotations

from typing import Any

from cases import wirings_g1 as g
from cases.names_a import plus
from cases.names_d import SLIM, SONNET, TORCH, leaves
from cases.nets import Naming, by_default, by_rules
from cases.nets_keras import OtherOps
from cases.wired import Wired

MIXED = ("Mixed_3b", "Mixed_3c", "Mixed_4b")
STEM = ("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3")


def torch(*rules: tuple[str, Any]) -> Naming:
    """Return rules whose names are a torch port's."""
    return leaves(TORCH, by_rules(*rules), ".")


def unnamed() -> Naming:
    """Return the naming of tf.Variable without a name: one counter for all."""
    seen: dict[str, str] = {}

    def name_of(role: str, kind: str) -> str:
        if role not in seen:
            seen[role] = f"Variable_{len(seen)}" if seen else "Variable"
        return seen[role]

    return name_of


def i3d_sonnet(found: Any) -> str:
    """Write a convolution of a mixed block as DeepMind's code does."""
    block, branch, part, norm, leaf = found.groups()
    size = "1x1" if part == "a" or branch in "03" else "3x3"
    inner = "batch_norm" if norm else "conv_3d"
    at = f"Branch_{branch}/Conv3d_0{part}_{size}"
    return f"RGB/inception_i3d/{MIXED[int(block)]}/{at}/{inner}/{leaf}"


def i3d_torch(found: Any) -> str:
    """Write the same as the port to torch: b0, b1a, b1b, ..."""
    block, branch, part, norm, leaf = found.groups()
    at = f"b{branch}{'' if branch == '0' else part}"
    return f"{MIXED[int(block)]}/{at}/{'bn' if norm else 'conv3d'}/{leaf}"


def biggan_hub(found: Any) -> str:
    """Write a part of a block with its counted scopes: GBlock, GBlock_1, ..., HyperBN_1."""
    block, part, rest = found.groups()
    scope = f"Generator/GBlock{'' if block == '0' else f'_{block}'}"
    if part == "skip":
        return f"{scope}/conv_sc/{rest}"
    number, _, leaf = rest.partition("/")
    if part == "conv":
        return f"{scope}/conv{number}/{leaf}"
    leaf = leaf.replace("scale", "gamma").replace("offset", "beta")
    return f"{scope}/HyperBN{'' if number == '0' else '_1'}/{leaf}"


def biggan_torch(found: Any) -> str:
    """Write the same as the port, whose list of layers counts the attention too."""
    block, part, rest = found.groups()
    at = f"generator/layers/{int(block) + (int(block) > 1)}"
    if part == "skip":
        return f"{at}/conv_sc/{rest}"
    number, _, leaf = rest.partition("/")
    return f"{at}/{'bn' if part == 'norm' else 'conv'}_{number}/{leaf}"


def glow_torch(template: str) -> Any:
    """Number the steps of all levels in one list, squeezes and splits among them."""

    def write(found: Any) -> str:
        level, step, rest = found.groups()
        return template.format(int(level) * 5 + int(step) + 1, rest)

    return write


G1 = (
    Wired(
        "w_nerf_counters",
        "nerf",
        "default-names-order",
        "graph",
        g.radiance_fields,
        lambda: by_default(),
        lambda: torch(
            (r"(coarse|fine)/points/(\d)/(.*)", r"\1/pts_linears/\2/\3"),
            (r"(coarse|fine)/view/(.*)", r"\1/views_linears/0/\2"),
            (r"(coarse|fine)/feature/(.*)", r"\1/feature_linear/\2"),
            (r"(coarse|fine)/density/(.*)", r"\1/alpha_linear/\2"),
            (r"(coarse|fine)/colour/(.*)", r"\1/rgb_linear/\2"),
        ),
        notes="both fields count through one session: dense to dense_9, dense_10 to dense_19",
        expected_net=OtherOps,
    ),
    Wired(
        "w_fast_style_unnamed",
        "fast-style",
        "default-names-order",
        "graph",
        g.fast_style,
        unnamed,
        lambda: torch(
            (r"down/(\d)/norm/(.*)", plus(1, "in{}/{}")),
            (r"down/(\d)/(.*)", plus(1, "conv{}/conv2d/{}")),
            (r"res/(\d)/0/norm/(.*)", plus(1, "res{}/in1/{}")),
            (r"res/(\d)/1/norm/(.*)", plus(1, "res{}/in2/{}")),
            (r"res/(\d)/0/(.*)", plus(1, "res{}/conv1/conv2d/{}")),
            (r"res/(\d)/1/(.*)", plus(1, "res{}/conv2/conv2d/{}")),
            (r"up/(\d)/norm/(.*)", plus(4, "in{}/{}")),
            (r"up/(\d)/(.*)", plus(1, "deconv{}/conv2d/{}")),
            (r"last/norm/(.*)", r"in6/\1"),
            (r"last/(.*)", r"deconv3/conv2d/\1"),
        ),
        notes="tf.Variable without names; the shift of a norm is made before its scale",
    ),
    Wired(
        "w_i3d_branches",
        "i3d",
        "scope-nesting",
        "names",
        g.video_inception,
        lambda: leaves(
            SONNET,
            by_rules(
                (r"mixed/(\d)/(\d)/(\w)(/norm)?/(\w+)", i3d_sonnet),
                (
                    r"stem/(\d)/norm/(.*)",
                    lambda m: f"RGB/inception_i3d/{STEM[int(m[1])]}/batch_norm/{m[2]}",
                ),
                (
                    r"stem/(\d)/(.*)",
                    lambda m: f"RGB/inception_i3d/{STEM[int(m[1])]}/conv_3d/{m[2]}",
                ),
                (r"logits/(.*)", r"RGB/inception_i3d/Logits/Conv3d_0c_1x1/conv_3d/\1"),
            ),
        ),
        lambda: torch(
            (r"mixed/(\d)/(\d)/(\w)(/norm)?/(\w+)", i3d_torch),
            (r"stem/(\d)/norm/(.*)", lambda m: f"{STEM[int(m[1])]}/bn/{m[2]}"),
            (r"stem/(\d)/(.*)", lambda m: f"{STEM[int(m[1])]}/conv3d/{m[2]}"),
            (r"logits/(.*)", r"logits/conv3d/\1"),
        ),
        optimizer="Momentum",
    ),
    Wired(
        "w_sfmlearner",
        "sfmlearner",
        "token-rename",
        "names",
        g.depth_and_motion,
        lambda: leaves(
            SLIM,
            by_rules(
                (r"depth/down/(\d)/a/(.*)", plus(1, "depth_net/cnv{}/{}")),
                (r"depth/down/(\d)/b/(.*)", plus(1, "depth_net/cnv{}b/{}")),
                (r"depth/up/(\d)/(.*)", plus(1, "depth_net/upcnv{}/{}")),
                (r"depth/fuse/(\d)/(.*)", plus(1, "depth_net/icnv{}/{}")),
                (r"depth/disparity/(\d)/(.*)", plus(1, "depth_net/disp{}/{}")),
                (r"pose/([0-4])/(.*)", plus(1, "pose_exp_net/cnv{}/{}")),
                (r"pose/5/(.*)", r"pose_exp_net/pose/cnv6/\1"),
                (r"pose/pred/(.*)", r"pose_exp_net/pose/pred/\1"),
            ),
        ),
        lambda: torch(
            (r"depth/down/(\d)/a/(.*)", plus(1, "disp_net/conv{}/0/{}")),
            (r"depth/down/(\d)/b/(.*)", plus(1, "disp_net/conv{}/2/{}")),
            (r"depth/up/(\d)/(.*)", plus(1, "disp_net/upconv{}/0/{}")),
            (r"depth/fuse/(\d)/(.*)", plus(1, "disp_net/iconv{}/0/{}")),
            (r"depth/disparity/(\d)/(.*)", plus(1, "disp_net/predict_disp{}/0/{}")),
            (r"pose/(\d)/(.*)", plus(1, "pose_net/conv{}/0/{}")),
            (r"pose/pred/(.*)", r"pose_net/pose_pred/\1"),
        ),
        notes="both nets count their convolutions from one",
        expected_net=OtherOps,
    ),
    Wired(
        "w_efficientdet_levels",
        "efficientdet",
        "index-shift",
        "names",
        g.scaled_detector,
        lambda: by_rules(
            (
                r"cell/(\d)/(\d)(/norm)?/(\w+)",
                lambda m: (
                    f"fpn_cells/cell_{m[1]}/fnode{m[2]}/op_after_combine{int(m[2]) + 3}/"
                    f"{'bn' if m[3] else 'conv'}/{m[4]}"
                ),
            ),
            (
                r"(class|box)/(\d)/norm/(\d)/(.*)",
                lambda m: f"{m[1]}_net/{m[1]}-{m[2]}-bn-{int(m[3]) + 3}/{m[4]}",
            ),
            (r"(class|box)/out/(.*)", r"\1_net/\1-predict/\2"),
            (r"(class|box)/(\d)/(.*)", r"\1_net/\1-\2/\3"),
        ),
        lambda: torch(
            (
                r"cell/(\d)/(\d)(/norm)?/(\w+)",
                lambda m: (
                    f"fpn/cell/{m[1]}/fnode/{m[2]}/after_combine/conv/"
                    f"{'bn' if m[3] else 'conv'}/{m[4]}"
                ),
            ),
            (r"(class|box)/(\d)/norm/(\d)/(.*)", r"\1_net/bn_rep/\2/\3/bn/\4"),
            (r"(class|box)/out/(.*)", r"\1_net/predict/conv/\2"),
            (r"(class|box)/(\d)/(.*)", r"\1_net/conv_rep/\2/conv/\3"),
        ),
        optimizer="Momentum",
        ema=True,
        intent="ema",
        notes="levels count from 3 on one side, from 0 on the other; averages are wanted",
    ),
    Wired(
        "w_biggan_shifted",
        "biggan",
        "index-shift",
        "names",
        g.big_generator,
        lambda: leaves(
            SONNET,
            by_rules(
                (r"block/(\d)/(conv|norm|skip)/(.*)", biggan_hub),
                (r"first/(.*)", r"Generator/GenZ/G_linear/\1"),
                (r"attention/out/(.*)", r"Generator/attention/o_conv/\1"),
                (r"attention/(.*)", r"Generator/attention/\1"),
                (r"norm/(.*)", r"Generator/ScaledCrossReplicaBN/\1"),
                (r"last/(.*)", r"Generator/conv_2d/\1"),
            ),
        ),
        lambda: torch(
            (r"block/(\d)/(conv|norm|skip)/(.*)", biggan_torch),
            (r"first/(.*)", r"generator/gen_z/\1"),
            (r"attention/gamma", "generator/layers/2/scale"),
            (r"attention/out/(.*)", r"generator/layers/2/snconv1x1_o_conv/\1"),
            (r"attention/(\w+)/(.*)", r"generator/layers/2/snconv1x1_\1/\2"),
            (r"norm/(.*)", r"generator/bn/\1"),
            (r"last/(.*)", r"generator/conv_to_rgb/\1"),
        ),
        notes="the port's list counts the attention: blocks 2 and 3 are layers 3 and 4",
    ),
    Wired(
        "w_glow_flat_list",
        "glow",
        "index-notation",
        "names",
        g.glow,
        lambda: by_rules(
            (r"level/(\d)/(\d)/actnorm/bias", r"model/\1/\2/actnorm/center/b"),
            (r"level/(\d)/(\d)/actnorm/logs", r"model/\1/\2/actnorm/scale/logs"),
            (r"level/(\d)/(\d)/mix/kernel", r"model/\1/\2/invconv/W"),
            (
                r"level/(\d)/(\d)/net/([01])/(\w)\w*",
                lambda m: f"model/{m[1]}/{m[2]}/f1/l_{int(m[3]) + 1}/{'W' if m[4] == 'k' else 'b'}",
            ),
            (
                r"level/(\d)/(\d)/net/2/(\w)\w*",
                lambda m: f"model/{m[1]}/{m[2]}/f1/l_last/{'W' if m[3] == 'k' else 'b'}",
            ),
        ),
        lambda: torch(
            (r"level/(\d)/(\d)/actnorm/(\w+)", glow_torch("flow/layers/{}/actnorm/{}")),
            (r"level/(\d)/(\d)/mix/(\w+)", glow_torch("flow/layers/{}/invconv/{}")),
            (
                r"level/(\d)/(\d)/net/(\d/\w+)",
                lambda m: glow_torch("flow/layers/{}/block/{}")(m).replace(
                    f"block/{m[3][0]}", f"block/{2 * int(m[3][0])}"
                ),
            ),
        ),
        notes="levels and steps are one list in the port, whose squeezes and splits count too",
    ),
    Wired(
        "w_vqvae2_books",
        "vq-vae-2",
        "token-rename",
        "names",
        g.two_codebooks,
        lambda: leaves(
            SONNET,
            by_rules(
                (r"(\w+)/(enc|dec)/stack/(\d)/0/(.*)", r"\2oder_\1/residual_stack/res3x3_\3/\4"),
                (r"(\w+)/(enc|dec)/stack/(\d)/1/(.*)", r"\2oder_\1/residual_stack/res1x1_\3/\4"),
                (r"(\w+)/(enc|dec)/(\d)/(.*)", lambda m: _vq(m)),
                (r"(\w+)/to_book/(.*)", r"to_vq_\1/\2"),
                (r"(\w+)/book/table", r"vector_quantizer_\1/embedding"),
                (r"raise/(.*)", r"upsample_top/\1"),
            ),
        ),
        lambda: by_rules(
            (r"top/(enc|dec)/stack/(\d)/(\d)/(.*)", r"vqvae/\1_t/resblocks/\2/conv\3/\4"),
            (r"bottom/(enc|dec)/stack/(\d)/(\d)/(.*)", r"vqvae/\1_b/resblocks/\2/conv\3/\4"),
            (r"top/(enc|dec)/(\d)/(.*)", r"vqvae/\1_t/blocks/\2/\3"),
            (r"bottom/(enc|dec)/(\d)/(.*)", r"vqvae/\1_b/blocks/\2/\3"),
            (r"(\w)\w+/to_book/(.*)", r"vqvae/quantize_conv_\1/\2"),
            (r"(\w)\w+/book/table", r"vqvae/quantize_\1/embed"),
            (r"raise/(.*)", r"vqvae/upsample_t/\1"),
        ),
        ema=True,
        notes="raw weights are wanted; top and bottom are t and b",
    ),
    Wired(
        "w_wgan_dotted",
        "wgan-gp",
        "token-rename",
        "names",
        g.residual_gan,
        lambda: leaves(
            {"kernel": "Filters", "bias": "Biases", "gamma": "scale", "beta": "offset"},
            by_rules(
                (r"g/input/kernel", "Generator/Input/W"),
                (r"g/input/bias", "Generator/Input/b"),
                (r"g/(\d)/(conv|norm)/(\d)/(.*)", lambda m: _wgan("Generator", m)),
                (r"d/(\d)/(conv)/(\d)/(.*)", lambda m: _wgan("Discriminator", m)),
                (r"g/(\d)/skip/(.*)", plus(1, "Generator/{}/Shortcut/{}")),
                (r"d/(\d)/skip/(.*)", plus(1, "Discriminator/{}/Shortcut/{}")),
                (r"g/norm/(.*)", r"Generator/OutputN/\1"),
                (r"g/out/(.*)", r"Generator/Output/\1"),
                (r"d/out/kernel", "Discriminator/Output/W"),
                (r"d/out/bias", "Discriminator/Output/b"),
            ),
            ".",
        ),
        lambda: by_rules(
            (r"g/input/(.*)", r"generator_model/fc/\1"),
            (r"g/(\d)/(\w+)/(\d)/(.*)", r"generator_model/up_\1/\2_\3/\4"),
            (r"g/(\d)/skip/(.*)", r"generator_model/up_\1/bypass/\2"),
            (r"g/norm/(.*)", r"generator_model/final_norm/\1"),
            (r"g/out/(.*)", r"generator_model/to_rgb/\1"),
            (r"d/(\d)/(\w+)/(\d)/(.*)", r"critic_model/down_\1/\2_\3/\4"),
            (r"d/(\d)/skip/(.*)", r"critic_model/down_\1/bypass/\2"),
            (r"d/out/(.*)", r"critic_model/score/\1"),
        ),
        notes="TF names with dots instead of scopes; blocks count from one",
        expected_net=OtherOps,
    ),
    Wired(
        "w_mtcnn_slopes",
        "mtcnn",
        "token-rename",
        "names",
        g.face_cascade,
        lambda: leaves(SLIM, by_rules(*_mtcnn("{}net/conv{}", "{}net/PReLU{}", "-"))),
        lambda: torch(
            (r"(\w)/slope/(\d)/alpha", lambda m: f"{m[1]}net/prelu{int(m[2]) + 1}/weight"),
            (
                r"p/(class|box)/(.*)",
                lambda m: f"pnet/conv4_{1 if m[1] == 'class' else 2}/{m[2]}",
            ),
            (r"(\w)/conv/(\d)/(.*)", lambda m: f"{m[1]}net/conv{int(m[2]) + 1}/{m[3]}"),
            (r"(\w)/fc/(.*)", lambda m: f"{m[1]}net/dense{4 + (m[1] == 'o')}/{m[2]}"),
            (
                r"([ro])/(class|box|marks)/(.*)",
                lambda m: (
                    f"{m[1]}net/dense{5 + (m[1] == 'o')}_"
                    f"{('class', 'box', 'marks').index(m[2]) + 1}/{m[3]}"
                ),
            ),
        ),
        optimizer="Momentum",
    ),
)


def _vq(found: Any) -> str:
    level, way, number, leaf = found.groups()
    up = way == "dec" and number != "0"
    return f"{way}oder_{level}/{way}_{number}{'_up' if up else ''}/{leaf}"


def _wgan(scope: str, found: Any) -> str:
    part = "Conv" if found[2] == "conv" else "N"
    return f"{scope}/{int(found[1]) + 1}/{part}{int(found[3]) + 1}/{found[4]}"


def _mtcnn(conv: str, slope: str, joint: str) -> tuple[tuple[str, Any], ...]:
    """Return the rules of one author: the dense layers are counted with the convolutions."""
    last = {"p": 4, "r": 5, "o": 6}

    def head(found: Any) -> str:
        number = ("class", "box", "marks").index(found[2]) + 1
        return f"{conv.format(found[1], last[found[1]])}{joint}{number}/{found[3]}"

    return (
        (
            r"(\w)/slope/(\d)/alpha",
            lambda m: f"{slope.format(m[1], int(m[2]) + 1)}/alpha",
        ),
        (r"(\w)/conv/(\d)/(.*)", lambda m: f"{conv.format(m[1], int(m[2]) + 1)}/{m[3]}"),
        (r"(\w)/fc/(.*)", lambda m: f"{conv.format(m[1], last[m[1]] - 1)}/{m[2]}"),
        (r"(\w)/(class|box|marks)/(.*)", head),
    )

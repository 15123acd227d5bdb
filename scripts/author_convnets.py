"""Convolutional models of random sizes, which an author (authors.py) names.

Every class takes a random.Random for what the model is, and has `draw(side)`, which adds its layers
in the order of the code. What they are called is the choice of side.author.
"""

from __future__ import annotations

from typing import Any, NamedTuple

SHORTCUTS = ("shortcut", "downsample", "proj", "skip", "conv_shortcut", "identity_conv",
             "residual", "adapt")  # fmt: skip
ROLES = {
    "first": ("reduce", "conv_in", "compress", "first", "conv_a", "squeeze_conv", "pre"),
    "second": ("spatial", "conv_mid", "conv3x3", "middle", "conv_b"),
    "third": ("expand_out", "conv_out", "restore", "last", "conv_c", "post"),
    "expand": ("expand", "expansion", "conv_pw", "expand_conv", "pw", "inverted"),
    "depthwise": ("depthwise", "dw", "conv_dw", "depthwise_conv", "dwconv"),
    "project": ("project", "projection", "conv_pwl", "project_conv", "pw_linear", "linear"),
    "squeeze": ("se_reduce", "squeeze", "fc1", "se_fc1", "reduce"),
    "excite": ("se_expand", "excite", "fc2", "se_fc2", "expand_se"),
}
STAGES = ("stage", "stages", "layer", "group", "block", "level")
BLOCKS = ("block", "blocks", "layer", "unit", "res", "cell", "bottleneck", "stage_block",
          "residual_block")  # fmt: skip
STEMS = ("stem", "conv1", "conv_stem", "initial_conv", "conv0", "entry_conv", "root")
HEADS = ("fc", "classifier", "logits", "predictions", "head", "output")
SIDE_HEADS = ("aux_head", "box", "auxiliary", "embedding_head", "regression")
DOWNWARDS = ("down", "encoder", "contract", "enc", "down_block")
UPWARDS = ("up", "decoder", "expand", "dec", "up_block")
UPSAMPLINGS = ("upconv", "up", "upsample", "deconv", "transpose")
OUTS = ("out", "final_conv", "logits", "output", "head")
LAST_CONVS = ("conv_head", "top_conv", "last_conv", "Conv_1", "final_conv")


class Layer(NamedTuple):
    """A convolution of a block: dims as Author.shape takes them, channels of its norm if any."""

    role: str
    kind: str
    dims: tuple[int, ...]
    norm: int | None


def beside(author: Any, path: list[str]) -> list[str]:
    """Return the path of the norm that is called after its kernel, below it or beside it."""
    if author.norm_style == "below":
        return [*path, author.batch_norm]
    return [*path[:-1], f"{path[-1]}_{author.batch_norm}"]


def draw_block(side: Any, scope: list[str], layers: list[Layer], key: str) -> None:
    """Add convolutions with norms behind them; a shortcut is first or last."""
    author = side.author
    shortcuts = [layer for layer in layers if layer.role == "shortcut"]
    others = [layer for layer in layers if layer.role != "shortcut"]
    at = norms = place = 0  # in the block; among norms; in a sequence with activations
    for layer in shortcuts + others if author.shortcut_first else others + shortcuts:
        if layer.role == "shortcut":
            path, norm = _shortcut(author, scope)
        else:
            path = _conv(author, scope, layer, at, place)
            norm = _norm(author, scope, path, norms, place) if layer.norm else []
            at, norms, place = at + 1, norms + bool(layer.norm), place + 2 + bool(layer.norm)
        side.module(path, layer.kind, key + layer.role, layer.dims, layer.norm is None)
        if layer.norm:
            side.module(norm, "batch norm", f"{key}{layer.role} norm", (layer.norm,))


def _shortcut(author: Any, scope: list[str]) -> tuple[list[str], list[str]]:
    word = author.word("shortcut", *SHORTCUTS)
    if author.counts and author.conv_style != "word":
        return author.counted("conv", scope), author.counted("batch norm", scope)
    if author.is_torch:
        inner = author.word("in shortcut", "0", "conv")
        return [*scope, word, inner], [*scope, word, "1" if inner == "0" else author.batch_norm]
    if author.conv_style == "number" and author.flip("shortcut is counted", 0.22):
        word = author.number(author.word("conv", "conv"), 0, 0)[-1] + "s"
    return [*scope, word], beside(author, [*scope, word])


def _conv(author: Any, scope: list[str], layer: Layer, at: int, place: int) -> list[str]:
    if author.counts:
        return author.counted(layer.kind, scope)
    if author.conv_style == "number":
        word = author.word("conv", "conv", "conv", "Conv", "conv2d", "layer")
        return scope + author.number(word, at, author.inner_base)
    if author.conv_style == "letter":
        return [*scope, author.word("lettered", "branch2", "conv_", "c", "conv") + "abcdefgh"[at]]
    if author.conv_style == "sequence":
        return [*scope, _sequence(author), str(place)]
    return [*scope, author.word(layer.role, *ROLES[layer.role])]


def _norm(author: Any, scope: list[str], conv: list[str], at: int, place: int) -> list[str]:
    if author.counts:
        return author.counted("batch norm", scope)
    if author.conv_style == "sequence":
        return [*scope, _sequence(author), str(place + 1)]
    if author.norm_style == "suffix" and conv[-1].isdigit():
        return [*beside(author, conv[:-1]), conv[-1]]
    if author.norm_style in ("below", "suffix") or author.norm_style == author.conv_style == "word":
        return beside(author, conv)
    return scope + author.number(author.batch_norm, at, author.inner_base)


def _sequence(author: Any) -> str:
    return author.word("sequence", "conv", "block", "layers", "body", "conv")


def draw_preact(side: Any, scope: list[str], layers: list[Layer], key: str) -> None:
    """Add convolutions with norms in front of them, and a shortcut without one."""
    author = side.author

    def draw_shortcuts() -> None:
        for layer in layers:
            if layer.role == "shortcut":
                word = author.word("shortcut", *SHORTCUTS[:5])
                path = author.counted("conv", scope) if author.counts else [*scope, word]
                side.module(path, "conv", key + layer.role, layer.dims, False)

    if author.shortcut_first:
        draw_shortcuts()
    for at, layer in enumerate(one for one in layers if one.role != "shortcut"):
        if author.counts:
            norm, conv = author.counted("batch norm", scope), author.counted("conv", scope)
        else:
            words = (
                author.word("norm", "bn", "norm", "batch_norm"),
                author.word("conv", "conv", "conv2d"),
            )
            norm, conv = (scope + author.number(word, at, author.inner_base) for word in words)
            if author.flip("preact", 1 / 3) and at == 0:
                norm = [*scope, "preact"]
        side.module(norm, "batch norm", f"{key}{layer.role} norm", (layer.norm,))
        side.module(conv, "conv", key + layer.role, layer.dims, False)
    if not author.shortcut_first:
        draw_shortcuts()


class ResNet:
    """Stages of residual blocks: plain, bottlenecks, inverted ones or with norms in front."""

    def __init__(self, random_: Any) -> None:
        choice = random_.choice
        self.kind = choice(("bottleneck", "basic", "inverted", "preact", "squeezed"))
        stages = choice((3, 4))
        self.depths = [random_.randint(1, 4) for _ in range(stages)]
        width = choice((8, 12, 16))
        doubled = random_.random() < 0.8
        self.widths = [width * 2**at if doubled else width * (1 + at // 2) for at in range(stages)]
        self.stem = choice((width, 2 * width))
        self.window = choice((3, 7))
        self.heads = [("head", HEADS, choice((10, 11, 125)))]
        if random_.random() < 0.3:
            self.heads.append(("side head", SIDE_HEADS, 5))
        self.is_inverted = self.kind in ("inverted", "squeezed")
        self.grown = 4 if self.kind == "bottleneck" else 1
        self.has_last = self.is_inverted and random_.random() < 0.7
        self.first_expands = choice((False, False, True))

    def draw(self, side: Any) -> None:
        author = side.author
        if author.heads_first:
            self._draw_heads(side)
        self._draw_stem(side)
        channels, flat = self.stem, 0
        is_flat = author.counts and author.flip("all layers in one scope")
        for stage, depth in enumerate(self.depths):
            for at in range(depth):
                scope = [] if is_flat else self._scope(author, stage, at, flat)
                layers = self._layers(channels, self.widths[stage], at, flat)
                draw = draw_preact if self.kind == "preact" else draw_block
                draw(side, scope, layers, f"stage {stage} block {at} ")
                channels, flat = self.widths[stage] * self.grown, flat + 1
        if self.has_last:
            self._draw_last(side, channels)
        if self.kind == "preact":
            word = author.word("last norm", "postnorm", "final_bn", "norm", "post_bn")
            path = author.counted("batch norm", []) if author.counts else [word]
            side.module(path, "batch norm", "last norm", (channels,))
        if not author.heads_first:
            self._draw_heads(side)

    def _layers(self, channels: int, width: int, at: int, flat: int) -> list[Layer]:
        out = width * self.grown
        if self.is_inverted:
            return self._inverted(channels, out, not flat and not self.first_expands)
        if self.kind == "bottleneck":
            layers = [
                Layer("first", "conv", (1, channels, width), width),
                Layer("second", "conv", (3, width, width), width),
                Layer("third", "conv", (1, width, out), out),
            ]
        else:
            before = self.kind == "preact"
            layers = [
                Layer("first", "conv", (3, channels, width), channels if before else width),
                Layer("second", "conv", (3, width, out), width if before else out),
            ]
        if channels != out or at == 0:
            layers.append(Layer("shortcut", "conv", (1, channels, out), out))
        return layers

    def _inverted(self, channels: int, out: int, is_bare: bool) -> list[Layer]:
        wide = channels * (1 if is_bare else 4)
        layers = [
            Layer("expand", "conv", (1, channels, wide), wide),
            Layer("depthwise", "depthwise", (3, wide), wide),
            Layer("squeeze", "conv", (1, wide, max(2, channels // 4)), None),
            Layer("excite", "conv", (1, max(2, channels // 4), wide), None),
            Layer("project", "conv", (1, wide, out), out),
        ]
        if self.kind == "inverted":
            layers[2:4] = []
        return layers[is_bare:]

    def _scope(self, author: Any, stage: int, at: int, flat: int) -> list[str]:
        word = author.word("block", *BLOCKS)
        above = author.word("stage", *STAGES)
        above = "stage" if above == word else above
        first = 2 if author.flip("stages count from 2", 0.25) else author.base
        if author.stage_style == "nested":
            if author.number_separator != ".":
                one = author.number(above, stage, first)
                return one + author.number(word, at)
            if not author.flip("blocks are bare numbers"):
                return [above, str(stage + first), word, str(at + author.base)]
            glued = author.flip("stages are one word")
            numbered = [f"{above}{stage + first}"] if glued else [above, str(stage + first)]
            return [*numbered, str(at + author.base)]
        if author.stage_style == "one word":
            return [f"{above}{stage + first}_{word}{at + author.base}"]
        if author.stage_style == "letters":
            return [f"{word}{stage + first}{'abcd'[at]}"]
        if author.number_separator == ".":
            return [word, str(flat + author.base)]
        return [f"{word}{author.number_separator or '_'}{flat + author.base}"]

    def _draw_stem(self, side: Any) -> None:
        author = side.author
        word = author.word("stem", *STEMS)
        if author.counts:
            conv, norm = author.counted("conv", []), author.counted("batch norm", [])
        else:
            conv = [word]
            norm = beside(author, conv)
            if author.norm_style != "below" and "conv" in word:
                norm = [word.replace("conv", "bn")]
        side.module(conv, "conv", "stem", (self.window, 3, self.stem), False)
        side.module(norm, "batch norm", "stem norm", (self.stem,))

    def _draw_last(self, side: Any, channels: int) -> None:
        author = side.author
        if author.counts:
            conv, norm = author.counted("conv", []), author.counted("batch norm", [])
        else:
            conv = [author.word("last conv", *LAST_CONVS)]
            norm = beside(author, conv)
        wide = self.widths[-1] * 3
        side.module(conv, "conv", "last conv", (1, channels, wide), False)
        side.module(norm, "batch norm", "last conv norm", (wide,))

    def _draw_heads(self, side: Any) -> None:
        author = side.author
        wide = self.widths[-1] * (3 if self.has_last else self.grown)
        for role, words, size in self.heads:
            path = author.counted("dense", []) if author.counts else [author.word(role, *words)]
            side.module(path, "dense", role, (wide, size))


class UNet:
    """Levels that go down and up again."""

    def __init__(self, random_: Any) -> None:
        levels, width = random_.choice((3, 4, 5)), random_.choice((4, 8))
        self.widths = [width * 2**at for at in range(levels)]
        self.has_norms = random_.random() < 0.6
        self.depth = random_.choice((1, 2, 2))
        self.has_upsampling = random_.random() < 0.6
        self.classes = random_.choice((1, 2, 5))

    def draw(self, side: Any) -> None:
        author = side.author
        channels = 3
        for at, width in enumerate(self.widths):
            self._draw_level(side, self._down(author, at), channels, width, f"down {at} ")
            channels = width
        for step, at in enumerate(reversed(range(len(self.widths) - 1))):
            number = at if author.flip("levels are counted from the top") else step
            scope = self._level(author, author.word("up", *UPWARDS), number)
            width = self.widths[at]
            before = channels + width
            if self.has_upsampling:
                path = self._upsampling(author, scope)
                side.module(path, "conv", f"upsampling {at}", (2, channels, width))
                before = 2 * width
            self._draw_level(side, scope, before, width, f"up {at} ")
            channels = width
        path = author.counted("conv", []) if author.counts else [author.word("out", *OUTS)]
        side.module(path, "conv", "out", (1, channels, self.classes))

    def _draw_level(self, side: Any, scope: list[str], channels: int, width: int, key: str) -> None:
        norm = width if self.has_norms else None
        sizes = [(3, channels, width), (3, width, width)][: self.depth]
        roles = ("first", "second")
        layers = [Layer(r, "conv", dims, norm) for r, dims in zip(roles, sizes, strict=False)]
        draw_block(side, scope, layers, key)

    def _down(self, author: Any, at: int) -> list[str]:
        is_middle = at == len(self.widths) - 1 and author.flip("the middle has a name")
        if is_middle and not self._is_flat(author):
            return [author.word("middle", "bottleneck", "mid", "center", "bridge")]
        return self._level(author, author.word("down", *DOWNWARDS), at)

    def _level(self, author: Any, word: str, at: int) -> list[str]:
        return [] if self._is_flat(author) else author.number(word, at)

    def _is_flat(self, author: Any) -> bool:
        return author.counts and author.flip("all layers in one scope")

    def _upsampling(self, author: Any, scope: list[str]) -> list[str]:
        if not author.counts:
            return [*scope, author.word("upsampling", *UPSAMPLINGS)]
        *above, last = author.counted("conv", scope)
        transposed = last.replace("conv2d", "conv2d_transpose").replace("Conv", "ConvTranspose")
        return [*above, transposed]

"""Transformers and towers of dense layers of random sizes, which an author (authors.py) names.

Every class takes a random.Random for what the model is, and has `draw(side)`, which adds its layers
in the order of the code. What they are called is the choice of side.author.
"""

from __future__ import annotations

from typing import Any

ATTENTIONS = {
    "self": ("attn", "attention", "self_attn", "self_attention", "mha", "SelfAttention"),
    "cross": ("cross_attn", "encoder_attn", "encoder_decoder_attention", "EncDecAttention",
              "src_attn"),
}  # fmt: skip
PROJECTIONS = {  # queries, keys, values, and words for what comes out
    "letters": ("q", "k", "v", ("o", "out", "output")),
    "proj": ("q_proj", "k_proj", "v_proj", ("o_proj", "out_proj")),
    "w": ("wq", "wk", "wv", ("wo",)),
    "words": ("query", "key", "value", ("out", "output", "dense", "projection")),
    "lin": ("q_lin", "k_lin", "v_lin", ("out_lin",)),
    "to": ("to_q", "to_k", "to_v", ("to_out",)),
}
GATED = (("gate_proj", "up_proj", "down_proj"), ("w1", "w3", "w2"), ("wi_0", "wi_1", "wo"),
         ("gate", "up", "down"))  # fmt: skip
FORWARD = (("fc1", "fc2"), ("lin1", "lin2"), ("intermediate", "output"), ("c_fc", "c_proj"),
           ("wi", "wo"), ("dense_in", "dense_out"), ("linear1", "linear2"), ("w_1", "w_2"),
           None)  # fmt: skip
NORM_WORDS = {
    "self": ("input_layernorm", "attention_norm", "self_attn_layer_norm", "attn_ln", "norm_attn"),
    "cross": ("cross_attn_layer_norm", "encoder_attn_layer_norm", "norm_cross"),
    "forward": ("post_attention_layernorm", "ffn_norm", "final_layer_norm", "mlp_ln",
                "output_norm"),
}  # fmt: skip
FINALS = ("final_norm", "norm", "ln_f", "final_layer_norm")
TABLE_WORDS = {
    "words": ("word_embeddings", "tok_embed", "token_embedding", "wte", "embed_tokens"),
    "places": ("position_embeddings", "pos_embed", "position_embedding", "wpe",
               "embed_positions"),
    "types": ("token_type_embeddings", "segment_embedding", "seg_embed", "type_embed"),
}  # fmt: skip
TOWERS = (
    (("actor", "policy", "pi"), ("critic", "value", "vf"),
     ("target_critic", "reward", "curiosity")),
    (("user", "user_tower", "query_tower"), ("item", "item_tower", "candidate_tower"),
     ("context", "ctx", "side_info")),
)  # fmt: skip


class Transformer:
    """Blocks of attention: an encoder, one with a decoder, or one that reads patches."""

    def __init__(self, random_: Any) -> None:
        choice, flip = random_.choice, random_.random
        self.depth = choice((2, 3, 4, 6, 11, 12))
        self.width = choice((16, 24, 32))
        self.wide = self.width * choice((2, 4))
        self.words = choice((97, 101, 211))
        self.is_gated = flip() < 0.25
        self.norms_after = flip() < 0.4
        self.has_places, self.has_types = flip() < 0.6, flip() < 0.25
        self.has_final = flip() < 0.6
        self.has_decoder = flip() < 0.3
        self.has_biases = flip() < 0.7
        self.head = choice(("none", "words", "classes", "pool"))
        self.norm = "rms norm" if self.is_gated and flip() < 0.6 else "layer norm"
        self.has_patches = flip() < 0.25 and not self.has_decoder

    def draw(self, side: Any) -> None:
        author = side.author
        if self.has_patches:
            self._draw_patches(side)
        else:
            self._draw_tables(side)
        if self.has_decoder:
            for key, words in (("encoder", ("encoder", "enc")), ("decoder", ("decoder", "dec"))):
                scope = [author.word(key, *words)]
                self._draw_stack(side, scope, key)
                if self.has_final:
                    self._draw_final(side, scope, key, "layer_norm")
        else:
            root = author.word("root", "", "encoder", "transformer", "")
            self._draw_stack(side, [root], "encoder")
            if self.has_final:
                scope = [root] if author.flip("the last norm is inside") else []
                self._draw_final(side, scope, "encoder", "encoder_norm")
        self._draw_head(side)

    def _draw_patches(self, side: Any) -> None:
        author, width = side.author, self.width
        word = author.word(
            "patches", "patch_embed", "patch_embedding", "embedding", "conv_proj", "stem"
        )
        inner = ["proj"] if author.is_torch else []
        side.module([word, *inner], "conv", "patches", (4, 3, width))
        word = author.word("class", "cls_token", "cls", "class_token")
        side.tensor([word], "class", [1, 1, width])
        word = author.word("places", "pos_embed", "position_embedding", "posembed_input")
        side.tensor([word], "places", [1, 17, width])

    def _draw_tables(self, side: Any) -> None:
        author = side.author
        scope = author.word("tables", "embeddings", "", "embed", "")
        tables = {"words": self.words, "places": 41 * self.has_places, "types": 2 * self.has_types}
        for key, size in tables.items():
            if size:
                path = [scope, author.word(key, *TABLE_WORDS[key])]
                side.module(path, "table", key, (size, self.width))
        if self.norms_after:
            norm = author.layer_norm if scope else f"emb_{author.layer_norm}"
            side.module([scope, norm], self.norm, "tables norm", (self.width,))

    def _draw_stack(self, side: Any, root: list[str], key: str) -> None:
        author = side.author
        parts = ["self", "cross", "forward"] if key == "decoder" else ["self", "forward"]
        norms_last = author.flip("norms are made last", 1 / 3)
        for layer in range(self.depth):
            if author.number_separator == ".":
                word = author.word("layer", "layers", "layer", "blocks", "h")
                scope = [*root, word, str(layer)]
            else:
                word = author.word("layer", "layer", "block", "encoder_block", "layers", "h")
                number = layer + author.base
                scope = [*root, f"{word}{author.number_separator or '_'}{number}"]
            block = f"{key} {layer} "
            for at, part in enumerate(parts):
                if not norms_last and not self.norms_after:
                    self._draw_norm(side, scope, block, at, part)
                if part == "forward":
                    self._draw_forward(side, scope, block)
                else:
                    self._draw_attention(side, scope, block, part)
                if not norms_last and self.norms_after:
                    self._draw_norm(side, scope, block, at, part)
            for at, part in enumerate(parts if norms_last else ()):
                self._draw_norm(side, scope, block, at, part)

    def _draw_attention(self, side: Any, scope: list[str], key: str, part: str) -> None:
        author = side.author
        style = author.word("projections", *PROJECTIONS, "counted")
        if author.is_torch and style == "counted":
            style = "proj"
        scope = [*scope, _attention(author, part)]
        for at, role in enumerate(("query", "key", "value", "out")):
            if style == "counted":
                path = author.counted("dense", scope)
            else:
                word = PROJECTIONS[style][at]
                path = [*scope, author.word(f"out {style}", *word) if role == "out" else word]
            dims = (self.width, self.width)
            side.module(path, "dense", f"{key}{part} {role}", dims, self.has_biases)

    def _draw_forward(self, side: Any, scope: list[str], key: str) -> None:
        author = side.author
        inner = [*scope, _forward(author)] if author.flip("layers have a scope", 2 / 3) else scope
        up, down = (self.width, self.wide), (self.wide, self.width)
        if self.is_gated:
            words = author.word("gated", *GATED)
            for at, dims in enumerate((up, up, down)):
                side.module([*inner, words[at]], "dense", f"{key}gated {at}", dims, False)
            return
        words = author.word("two layers", *FORWARD)
        if words is None and author.is_torch:
            words = FORWARD[0]
        for at, dims in enumerate((up, down)):
            if words is None:
                path = author.counted("dense", inner)
            elif words[0] == "intermediate" and author.flip("a layer has a scope"):
                path = [*scope, words[at], "dense"]
            else:
                path = [*inner, words[at]]
            side.module(path, "dense", f"{key}forward {at}", dims, self.has_biases)

    def _draw_norm(self, side: Any, scope: list[str], key: str, at: int, part: str) -> None:
        author = side.author
        style = author.word("norms", "number", "words", "counted", "place")
        if style == "words":
            path = [*scope, author.word(f"{part} norm", *NORM_WORDS[part])]
        elif style == "place":
            above = _forward(author) if part == "forward" else _attention(author, part)
            path = [*scope, above, author.layer_norm]
        elif style == "counted" and not author.is_torch:
            path = author.counted("layer norm", scope)
        else:
            base = None if author.flip("norms count as all else", 1 / 3) else 1
            path = scope + author.number(author.layer_norm, at, base)
        side.module(path, self.norm, f"{key}{part} norm", (self.width,))

    def _draw_final(self, side: Any, scope: list[str], key: str, other: str) -> None:
        path = [*scope, side.author.word("final norm", *FINALS, other)]
        side.module(path, self.norm, f"{key} final norm", (self.width,))

    def _draw_head(self, side: Any) -> None:
        author, width = side.author, self.width
        if self.head == "words":
            word = author.word("to words", "lm_head", "output_projection", "logits")
            side.module([word], "dense", "to words", (width, self.words), False)
        if self.head in ("classes", "pool"):
            word = author.word("pool", "pooler", "pooled_dense", "pre_logits")
            inner = ["dense"] if author.flip("the pool has a scope") else []
            side.module([word, *inner], "dense", "pool", (width, width))
        if self.head == "classes":
            word = author.word("classes", "classifier", "head", "cls_head", "fc")
            side.module([word], "dense", "classes", (width, 7))


def _attention(author: Any, part: str) -> str:
    return author.word(f"attention {part}", *ATTENTIONS[part])


def _forward(author: Any) -> str:
    return author.word("forward", "mlp", "ffn", "feed_forward", "ff", "MlpBlock")


class Towers:
    """Two or three stacks of dense layers side by side, some behind a shared one."""

    def __init__(self, random_: Any) -> None:
        self.towers = random_.sample((0, 1, 2), random_.choice((2, 2, 3)))
        self.depth = random_.choice((2, 3, 4))
        self.are_alike = random_.random() < 0.5
        self.width, self.inputs = random_.choice((8, 16)), random_.choice((6, 9))
        self.has_trunk = random_.random() < 0.5
        self.has_norms = random_.random() < 0.3
        self.words = random_.choice(TOWERS)

    def draw(self, side: Any) -> None:
        author = side.author
        channels = self.inputs
        if self.has_trunk:
            scope = author.word("trunk", "shared", "trunk", "torso", "base")
            self._draw_tower(side, scope, channels, self.width, "trunk")
            channels = self.width
        reverse = author.flip("towers the other way round")
        for at in reversed(self.towers) if reverse else self.towers:
            scope = author.word(f"tower {at}", *self.words[at])
            out = 4 if self.are_alike else (4, 1, 2)[at]
            self._draw_tower(side, scope, channels, out, f"tower {at}")

    def _draw_tower(self, side: Any, name: str, channels: int, out: int, key: str) -> None:
        author = side.author
        scope = [name]
        for at in range(self.depth):
            is_last = at == self.depth - 1
            size = out if is_last else self.width
            word = author.word("dense", "fc", "dense", "layer", "hidden", "linear", "h")
            if author.counts:
                path = author.counted("dense", scope)
            elif is_last and author.flip("the last has a name", 1 / 3):
                path = [*scope, author.word("last", "out", "output", "final")]
            else:
                path = scope + author.number(word, at)
            side.module(path, "dense", f"{key} {at}", (channels, size))
            channels = size
            if self.has_norms and not is_last:
                norm = (
                    author.counted("layer norm", scope)
                    if author.counts
                    else (scope + author.number(author.layer_norm, at))
                )
                side.module(norm, "layer norm", f"{key} norm {at}", (size,))

"""Words that the whole field uses for the same thing. Nothing here knows a model or a library.

A word of one model only is never listed: the pair of sides teaches it (evidence/learned.py).
"""

from __future__ import annotations

__all__ = [
    "ALIASES",
    "CONTRASTS",
    "GENERIC",
    "JOINED",
    "KIND_WORDS",
    "NORMS",
    "ORDINALS",
    "PARALLEL",
    "PLACES",
    "RISING",
    "ROLES",
    "STAGES",
    "TURNED",
]


def _invert(table: dict[str, str]) -> dict[str, str]:
    return {word: canon for canon, words in table.items() for word in words.split()}


# What the last word of a name says about the tensor: M matrix (kernel, table), B bias, G scale of
# a norm, E its offset, U and V its moving mean and variance. The sub-kind tells kernels apart.
KIND_WORDS: dict[str, tuple[str, str]] = {
    word: (letter, sub)
    for letter, sub, words in (
        ("M", "kernel", "kernel kernels weight weights w filter filters matrix"),
        ("M", "embedding", "embedding embeddings embed table tables"),
        ("B", "bias", "bias biases b"),
        ("G", "gamma", "gamma scale g"),
        ("E", "beta", "beta offset shift"),
        ("U", "mean", "mean mu avg"),
        ("V", "variance", "variance var sigma"),
    )
    for word in words.split()
}

ALIASES: dict[str, str] = _invert(
    {
        "actor": "policy pi",
        "attention": "attn att mha attend",
        "batchnorm": "bn batchnormalization",
        "block": "blk blocks",
        "classifier": "clf classification",
        "conv": "convolution conv1d conv2d conv3d cv cnn convs",
        "cross": "encdec crossattention crossattn xattention xattn xatt",
        "deconv": "convtranspose transposedconv upconv",
        "decoder": "dec",
        "dense": "fc linear lin fullyconnected",
        "depthwise": "dw dwconv",
        "discriminator": "disc d",
        "downsample": "down downsampling",
        "embedding": "emb embed embeddings embd embeds",
        "encoder": "enc",
        "feature": "feat features feats",
        "feedforward": "ffn ffw ff mlp",
        "forward": "fw fwd",
        "backward": "bw bwd",
        "generator": "gen g",
        "groupnorm": "gn",
        "intermediate": "inter",
        "key": "k keys ks wk",
        "layer": "lyr layers",
        "layernorm": "ln layernormalization",
        "logits": "logit",
        "mean": "mu avg average",
        "output": "out o outputs outgoing",
        "input": "in inputs incoming",
        "pointwise": "pw pwconv",
        "pool": "pooler pooled pooling",
        "position": "pos positional positions",
        "prediction": "pred preds predictions",
        "proj": "projection project projector",
        "query": "q queries qs wq",
        "recurrent": "rec",
        "relative": "rel",
        "residual": "res resid",
        "segment": "seg tokentype type",
        "source": "src",
        "target": "tgt trg",
        "shortcut": "sc skip identity",
        "text": "txt",
        "token": "tok tokens word words",
        "upsample": "up upsampling",
        "trunk": "torso",
        "value": "v values vs wv vf",
        "variance": "var",
        "vision": "visual image img",
    }
)

# Two words that are one, or that two others stand for.
JOINED: dict[tuple[str, str], str] = {
    ("layer", "norm"): "layernorm",
    ("layer", "normalization"): "layernorm",
    ("batch", "norm"): "batchnorm",
    ("batch", "normalization"): "batchnorm",
    ("group", "norm"): "groupnorm",
    ("rms", "norm"): "layernorm",
    ("instance", "norm"): "instancenorm",
    ("feed", "forward"): "feedforward",
    ("fully", "connected"): "dense",
    ("token", "type"): "segment",
    ("enc", "dec"): "cross",
    ("encoder", "decoder"): "cross",
    ("encoder", "attn"): "cross attention",
    ("src", "attn"): "cross attention",
    ("conv", "transpose"): "deconv",
    # a norm before or behind a part is not of that part
    **{
        (side, part): f"{side}attention"
        for side in ("pre", "post")
        for part in ("attention", "attn")
    },
    **{
        (side, part): f"{side}feedforward"
        for side in ("pre", "post")
        for part in ("ffn", "ffw", "ff", "mlp", "feedforward")
    },
}

NORMS = frozenset({"layernorm", "batchnorm", "groupnorm", "instancenorm", "norm", "rmsnorm"})

# Where a norm stands says nothing of what it is.
PLACES = frozenset(
    {"before", "after", "first", "second", "third", "last", "final", "pre", "post", "embedding"}
)

# Words that wrap without telling: they weigh little.
GENERIC = frozenset(
    {"model", "net", "network", "module", "layer", "block", "cell", "main", "base", "backbone"}
    | {"attributes", "variable", "sequential", "feature", "functional", "tf", "for", "with"}
)

# What stands once in a model and has many names: where data come in, and where answers leave.
ROLES = _invert(
    {
        "head": "head final output prediction predictor logits classifier readout score softmax",
        "stem": "stem pre input initial first inlet entry causal",
        "cell": "lstm gru rnn recurrent core",
    }
)

# In which order data passes the parts of a block.
STAGES: dict[str, int] = {
    word: stage
    for stage, words in (
        (1, "query"),
        (2, "key"),
        (3, "value"),
        (5, "pre before input first"),
        (10, "self selfattention mixer spatial token"),
        (8, "preattention"),
        (15, "attention"),
        (18, "postattention"),
        (28, "prefeedforward"),
        (35, "postfeedforward"),
        (20, "cross encdecattention"),
        (30, "feedforward expand intermediate wi fc inner hidden gate"),
        (31, "upsample"),
        (40, "output post after contract downsample squeeze wo second outer"),
        (50, "final full last"),
    )
    for word in words.split()
}
# Words of branches that run beside each other: a counter over them has no natural order.
PARALLEL = frozenset(
    {"query", "key", "value", "branch", "tower", "head", "expert", "stream", "gate", "filter"}
    | {"path", "left", "right", "forward", "backward", "positive", "negative"}
)

# Words that stand against each other: a module of one is none of another.
CONTRASTS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "encoder decoder",
        "generator discriminator",
        "forward backward",
        "left right",
        "source target",
        "query key value",
        "actor critic",
        "student teacher",
        "positive negative",
        "upsample downsample",
        "top bottom",
        "text vision audio video",
    )
)

# Levels of a path that some count as they are made, others as those of the way down.
RISING = "upsample"

# Words whose index counts from the other end: level of detail 0 is the finest, made last.
TURNED = frozenset({"lod"})

ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
LETTERS = list("abcdefghijklmnop")
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
ORDINAL_WORDS = ["first", "second", "third", "fourth", "fifth", "sixth"]
# Runs of words that count; a word is a number only where the run stands from its beginning.
ORDINALS: tuple[dict[str, int], ...] = tuple(
    {word: at for at, word in enumerate(run)} for run in (ROMAN, LETTERS, WORDS, ORDINAL_WORDS)
)

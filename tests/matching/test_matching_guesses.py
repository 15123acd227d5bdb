"""What only the words of shared scopes speak for is a guess, and modules go as one."""

from __future__ import annotations

import graphmap

MODULES = {
    "attn.q": "attention/query",
    "attn.o": "attention/output",
    "fc1": "intermediate/dense",
    "fc2": "output/dense",
    "gate": "valve/dense",
    "mem": "memory/dense",
}
LEAVES = {"weight": "kernel", "bias": "bias"}
NAMES = {
    f"encoder.layers.{n}.{mine}.{leaf}": f"bert/encoder/layer_{n}/{theirs}/{other}"
    for n in range(6)
    for mine, theirs in MODULES.items()
    for leaf, other in LEAVES.items()
}


def shape(name: str) -> tuple[int, ...]:
    width = 64 + 48 * NAMES_AT[name]
    return (width,) if name.endswith("bias") else (width, width)


NAMES_AT = {name: at // 12 for at, pair in enumerate(NAMES.items()) for name in pair}


def test_scopes_that_all_modules_have_choose_no_module() -> None:
    found = graphmap.match(
        {name: shape(name) for name in NAMES}, {name: shape(name) for name in NAMES.values()}
    )
    wrong = {d.expected: d.actual for d in found.matched if NAMES[d.expected] != d.actual}
    assert not wrong
    assert found["encoder.layers.3.attn.q.bias"] == "bert/encoder/layer_3/attention/query/bias"
    assert found.decision("encoder.layers.3.gate.weight").status == "ambiguous"


def test_words_that_mean_themselves_elsewhere_are_not_taken_for_each_other() -> None:
    scopes = {"enc_t": "encoder_top", "dec_t": "decoder_top", "enc_b": "encoder_bottom"}
    pairs = {
        f"net/{mine}/blocks/{k}/kernel": f"{theirs}/{theirs[:3]}_{k}/w"
        for mine, theirs in scopes.items()
        for k in range(2)
    }
    pairs |= {f"net/{word}/kernel": f"{word}/w" for word in ("stem", "codes", "mixer", "head")}
    shapes = [(4, 8), (3, 8), (3, 8), (4, 8), (5, 8), (5, 8), (6, 8), (7, 8), (9, 8), (10, 8)]
    sizes = dict(zip(pairs, shapes, strict=True))
    found = graphmap.match(sizes, {pairs[name]: size for name, size in sizes.items()})
    assert not [d for d in found.matched if d.actual != pairs[d.expected]]
    assert found["net/mixer/kernel"] == "mixer/w"

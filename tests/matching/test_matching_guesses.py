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


def towers() -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Two encoders and two decoders of blocks of like shapes; one side shortens their names."""
    shapes, truth = {}, {}
    for short, long, blocks in (
        ("enc_b", "encoder_bottom", ((4, 4, 3, 8), (4, 4, 8, 8), (3, 3, 8, 8))),
        ("enc_t", "encoder_top", ((4, 4, 8, 8), (3, 3, 8, 8))),
        ("dec_t", "decoder_top", ((3, 3, 8, 8), (4, 4, 8, 8))),
        ("dec_b", "decoder_bottom", ((3, 3, 16, 8), (4, 4, 8, 8), (4, 4, 8, 3))),
    ):
        for at, kernel in enumerate(blocks):
            truth[f"vqvae/{short}/blocks/{at}/kernel"] = f"{long}/{long[:3]}_{at}/w"
            shapes[f"vqvae/{short}/blocks/{at}/kernel"] = kernel
        for at in range(2):
            for k, size in enumerate((3, 1)):
                name = f"vqvae/{short}/resblocks/{at}/conv{k}/kernel"
                truth[name] = f"{long}/residual_stack/res{size}x{size}_{at}/w"
                shapes[name] = (size, size, *((8, 6) if size == 3 else (6, 8)))
    return dict(sorted(shapes.items())), truth


def test_words_that_mean_themselves_elsewhere_are_not_taken_for_each_other() -> None:
    shapes, truth = towers()
    found = graphmap.match(shapes, {truth[name]: shape for name, shape in shapes.items()})
    assert not [d for d in found.matched if d.actual != truth[d.expected]]
    assert found["vqvae/enc_b/blocks/0/kernel"] == "encoder_bottom/enc_0/w"

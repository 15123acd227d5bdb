"""Words that a settled stack shows to go together tell like modules of another stack apart."""

import pytest

import graphmap

PROJECTIONS = ("q_proj", "k_proj", "v_proj"), ("query", "key", "value")


def attention(prefix, names, layers=4):
    return {
        f"{prefix.format(k)}/{name}/{leaf}": (4, 4) if leaf == "kernel" else (4,)
        for k in range(layers)
        for name in names
        for leaf in ("kernel", "bias")
    }


def sides(here, there):
    """An encoder with one attention, a decoder with two; truth by equal places."""
    mine = attention("enc/layer{}/self_attn", PROJECTIONS[0])
    theirs = attention("encoder/block_{}/multihead", PROJECTIONS[1])
    for one, other in zip(here, there, strict=True):
        mine |= attention(f"dec/layer{{}}/{one}", PROJECTIONS[0])
        theirs |= attention(f"decoder/block_{{}}/{other}", PROJECTIONS[1])
    return mine, theirs, dict(zip(mine, theirs, strict=True))


@pytest.mark.parametrize("there", [("multihead", "vanilla"), ("multihead", "plain_att")])
def test_the_encoder_shows_what_the_word_of_the_decoder_means(there):
    mine, theirs, truth = sides(("self_attn", "cross_attn"), there)
    found = graphmap.match(mine, dict(sorted(theirs.items())))
    assert {d.expected: d.actual for d in found.matched} == truth
    reasons = [e.why for e in found.decision("dec/layer1/cross_attn/q_proj/kernel").evidence]
    assert any("stacks show" in why for why in reasons)


def test_words_that_no_stack_shows_tell_nothing():
    mine, theirs, truth = sides(("one_attn", "other_attn"), ("plain", "vanilla"))
    found = graphmap.match(mine, dict(sorted(theirs.items())))
    assert all(truth[d.expected] == d.actual for d in found.matched)
    assert not any(d.expected.startswith("dec") for d in found.matched)

"""Slots of an optimizer that no list names are no answers to an expected weight."""

import graphmap

WEIGHTS = {f"layer_{k}/{leaf}": (4, 6) if leaf == "kernel" else (6,)
           for k in range(4) for leaf in ("kernel", "bias")}  # fmt: skip

SHAPES = {"weight": (6, 4), "bias": (6,), "extra_bias": (4,)}


def stored(word):
    """Every weight has what a factored optimizer keeps below it: rows, columns."""
    rows = dict(WEIGHTS)
    for name, shape in WEIGHTS.items():
        for at, size in enumerate(shape):
            rows[f"{name}/{word}" + (f"_{at}" if at else "")] = (size,)
    return rows


def test_factored_slots_of_an_unknown_optimizer_are_no_biases():
    expected = {f"block{k}.{leaf}": shape for k in range(4)
                for leaf, shape in SHAPES.items()}  # fmt: skip
    found = graphmap.match(expected, stored("Adafactored"))
    assert not any("Adafactored" in d.actual for d in found.matched)
    assert found.decision("block2.bias").actual == "layer_2/bias"
    assert not found.decision("block2.extra_bias").actual


def test_what_is_asked_for_by_its_word_is_an_answer():
    expected = {"net/" + name: shape for name, shape in stored("hidden").items()}
    found = graphmap.match(expected, stored("hidden"))
    assert all(d.expected == "net/" + d.actual for d in found.matched)
    assert found.decision("net/layer_1/kernel/hidden_1").status == "matched"


def test_slots_in_a_tree_of_their_own_are_no_answers():
    actual = {f"target/{name}": shape for name, shape in WEIGHTS.items()}
    actual |= {f"state/per_weight/{name}/heaviness": shape for name, shape in WEIGHTS.items()}
    expected = {f"block{k}.{leaf}": shape for k in range(4)
                for leaf, shape in SHAPES.items() if leaf != "extra_bias"}  # fmt: skip
    found = graphmap.match(expected, actual)
    assert {d.actual for d in found.matched} == {f"target/{name}" for name in WEIGHTS}


def test_factored_slots_of_kernels_alone_are_told_by_the_word_of_known_ones():
    """Those of biases have the shape of their weight, so that these are known as slots."""
    actual = dict(WEIGHTS) | {f"layer_{k}/offset": (6,) for k in range(4)}
    for name, shape in actual.copy().items():
        if len(shape) == 1:
            actual[f"{name}/Adafactor"] = shape
        else:
            actual |= {f"{name}/Adafactor": shape[:1], f"{name}/Adafactor_1": shape[1:]}
    expected = {f"block{k}.{leaf}": shape for k in range(4) for leaf, shape in SHAPES.items()}
    found = graphmap.match(expected, actual)
    assert not any("Adafactor" in d.actual for d in found.matched)


def test_moments_that_mirror_the_weights_are_no_answers():
    actual = {f"params/{name}": shape for name, shape in WEIGHTS.items()}
    actual |= {f"opt_state/0/{tree}/{name}": shape for name, shape in WEIGHTS.items()
               for tree in ("mu", "nu")} | {"opt_state/0/count": ()}  # fmt: skip
    expected = {f"net.{name.replace('/', '.')}": shape for name, shape in WEIGHTS.items()}
    found = graphmap.match(expected, actual)
    assert [d.actual for d in found.matched] == [f"params/{name}" for name in WEIGHTS]
    kept = graphmap.match(actual, actual)
    assert all(d.actual == d.expected for d in kept.matched) and len(kept.matched) == len(actual)

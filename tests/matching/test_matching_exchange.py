"""Two modules that might change places: what is chosen by a hair stays open."""

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable

LAYER = ("attention/query", "attention/key", "attention/value", "ffn/up", "ffn/down")


def stack(scope, count=2):
    return [f"{scope}/layer_{k}/{part}/{leaf}"
            for k in range(count) for part in LAYER for leaf in ("kernel", "bias")]  # fmt: skip


def side(names):
    """Kernels are square, so that shapes tell nothing but that of a gate."""
    rows = [Variable(n, (8,) if "kernel" not in n else (8, 3) if "gate" in n else (8, 8))
            for n in names]  # fmt: skip
    return Side(tuple(rows), ordered=False)


def block(scope):
    return [f"{scope}/{leaf}" for leaf in
            ("conv/kernel", "conv/bias", "norm/gamma", "norm/beta")]  # fmt: skip


def matched(expected, actual):
    found = match_variables(side(expected), side(actual)).matched
    return {d.expected: d.actual for d in found}


EXPECTED = [*stack("first_char_encoder"), *stack("last_char_encoder"), *stack("encoder", 3),
            *block("chars_to_molecules"), *block("projection")]  # fmt: skip
ACTUAL = [*stack("first_char_encoder"), *stack("last_char_encoder"), *stack("encoder", 3),
          *block("downsampler/first_char_encoder"), *block("last_char_encoder")]  # fmt: skip


def test_modules_that_might_as_well_be_exchanged_stay_open():
    found = matched(EXPECTED, ACTUAL)
    assert found == {n: n for n in (*stack("first_char_encoder"), *stack("last_char_encoder"),
                                    *stack("encoder", 3))}  # fmt: skip


def test_a_part_that_fits_nowhere_else_shows_what_the_words_of_its_scope_mean():
    extra = ["projection/gate/kernel"], ["downsampler/first_char_encoder/gate/kernel"]
    found = matched([*EXPECTED, *extra[0]], [*ACTUAL, *extra[1]])
    assert found["projection/conv/kernel"] == "downsampler/first_char_encoder/conv/kernel"
    assert found["chars_to_molecules/norm/beta"] == "last_char_encoder/norm/beta"


def test_words_do_not_tear_a_scope_in_two():
    """`static_mix` has a gate, and the only gate stands in `net/mix`."""
    parts = [f"{part}/{leaf}" for part in ("in", "hidden") for leaf in ("kernel", "bias")]
    gate = ["static_mix/gate/kernel"], ["net/mix/gate/kernel"]
    expected = [f"{scope}/{part}" for scope in ("static_mix", "position_mix") for part in parts]
    actual = [f"{scope}/{part}" for scope in ("net/static/mix", "net/mix") for part in parts]
    layers = stack("encoder", 3)
    found = matched([*layers, *expected, *gate[0]], [*layers, *actual, *gate[1]])
    assert found == {n: n for n in layers} | {gate[0][0]: gate[1][0]}

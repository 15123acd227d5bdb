"""A tree of scopes laid along the order of the code."""

from itertools import pairwise

import graphmap

CHANNELS = (4, 6, 6, 6, 10, 14, 18, 22, 26)


def block(names, inputs, outputs):
    """A bottleneck: a shortcut and two convolutions, each with its norm; shapes by name."""
    shapes = [(3, 3, inputs, outputs), (1, 1, inputs, 5), (3, 3, 5, outputs)]
    found = {}
    for name, shape in zip(names, shapes, strict=True):
        found[f"{name[0]}weight"] = shape
        found.update({f"{name[1]}{leaf}": shape[-1:] for leaf in ("gamma", "beta")})
    return found


def code():
    """In the order of the code; the words say nothing of the other side's."""
    found = {}
    for at, (one, other) in enumerate(pairwise(CHANNELS)):
        names = [(f"unit{chr(97 + at)}/{w}/", f"unit{chr(97 + at)}/{w}_n/") for w in "pqr"]
        found |= block(names, one, other)
    return found


def stored(scope_of=lambda at: f"stage/{at}"):
    """In scopes that name the shortcut last, and without scales, as slim keeps its norms."""
    found, truth = {}, {}
    mine = list(code())
    for at, (one, other) in enumerate(pairwise(CHANNELS)):
        scope = scope_of(at)
        names = [(f"{scope}/side/0/", f"{scope}/side/1/"), (f"{scope}/0/", f"{scope}/1/"),
                 (f"{scope}/2/", f"{scope}/3/")]  # fmt: skip
        row = block(names, one, other)
        truth |= dict(zip(mine[len(found) :], row, strict=False))
        found |= row
    scales = {name for name in found if name.endswith("gamma")}
    truth = {mine: other for mine, other in truth.items() if other not in scales}
    return {name: found[name] for name in sorted(found.keys() - scales)}, truth


def committed(expected, actual):
    return {d.expected: d.actual for d in graphmap.match(expected, actual).matched}


def test_scopes_are_walked_in_the_order_of_the_code():
    actual, truth = stored()
    assert committed(code(), actual) == truth


def test_an_order_that_no_walk_has_tells_nothing():
    actual, _ = stored(lambda at: f"stage/{(at * 3) % 8}")
    expected = code()
    shuffled = {name: expected[name] for name in sorted(expected, key=lambda n: (n[-3:], n))}
    assert len(committed(shuffled, actual)) < len(expected) / 2


def test_a_counter_is_walked_as_any_numbered_row():
    actual, truth = stored(lambda at: f"Stage_{at}" if at else "Stage")
    assert committed(code(), actual) == truth


def test_levels_that_are_counted_down_are_walked_from_their_end():
    actual, truth = stored(lambda at: f"level/{8 - at}")
    assert committed(code(), actual) == truth


def test_a_second_head_is_walked_around():
    """It holds what the trunk has too, so that forms do not stand equally often."""
    actual, truth = stored()
    rows = [(n, s) for n, s in code().items() if n.startswith(("unitb/p", "unitf/q"))]
    head = {f"extra_head/{name.replace('/', '_', 1)}": shape for name, shape in rows}
    assert committed(code() | head, actual) == truth


def test_a_counter_does_not_tell_equal_neighbours_where_the_head_stands_elsewhere():
    """Filter and gate of a wavenet: only a graph shows which one the counter made first."""
    names = ["pre", "post", *(f"block{b}/conv_{c}" for b in range(5) for c in "abcd")]
    shapes = {"pre": (1, 1, 4, 8), "post": (1, 1, 8, 4), "ab": (1, 2, 8, 8), "cd": (1, 1, 8, 8)}
    kernels = [shapes[n] if n in shapes else shapes["ab" if n[-1] in "ab" else "cd"] for n in names]
    expected, actual = {}, {}
    for at, (name, kernel) in enumerate(zip(names, kernels, strict=True)):
        number = {0: 0, 1: len(names) - 1}.get(at, at - 1)
        for side, module in ((expected, name), (actual, f"conv2d_{number}".removesuffix("_0"))):
            side |= {f"{module}/kernel": kernel, f"{module}/bias": kernel[-1:]}
    found = committed(expected, actual)
    assert {name.partition("/")[0] for name in found} <= {"pre", "post"}

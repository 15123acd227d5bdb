"""Words of one role vouch for what is left over where no shape is known."""

from __future__ import annotations

import pytest

import graphmap
from graphmap.matching.elimination import Leftover, find_leftovers
from graphmap.model.variable import Variable

LAYERS = tuple(
    f"block_{at}/{part}/{leaf}" for at in range(6) for part in ("up", "down")
    for leaf in ("kernel", "bias")
)  # fmt: skip


def _match(rest: dict[str, str]) -> dict[str, str]:
    """Match a stack and a few modules beside it, given as {expected: actual}."""
    truth = {name: name.replace("block_", "layers/") for name in LAYERS}
    truth |= {
        f"{mine}/{leaf}": f"{other}/{leaf}"
        for mine, other in rest.items()
        for leaf in ("kernel", "bias")
    }
    found = graphmap.match(dict.fromkeys(truth), dict.fromkeys(sorted(truth.values())))
    assert all(truth[d.expected] == d.actual for d in found.matched)
    return {d.expected: d.actual for d in found.matched if d.actual}


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [
        ("final", "logits", True),
        ("rnn", "lstm", True),
        ("pre", "stem", True),
        pytest.param("fresh", "old", False, id="a new head may stand where an old one stood"),
        pytest.param("stem", "logits", False, id="one reads, the other writes"),
    ],
)
def test_a_role_tells_what_is_left(mine: str, other: str, told: bool) -> None:
    assert (f"{mine}/kernel" in _match({mine: other})) is told


def test_roles_tell_two_leftovers_apart_that_hold_the_same() -> None:
    found = _match({"final": "stem", "pre": "logits"} | {"pre": "stem", "final": "logits"})
    assert found["pre/kernel"] == "stem/kernel"
    assert found["final/bias"] == "logits/bias"


def test_roles_are_not_asked_where_shapes_are_known() -> None:
    def rows(*names: str) -> list[Leftover]:
        return [Leftover(Variable(f"{n}/w", (4, 4)), "M", (n,)) for n in names]

    assert not find_leftovers(rows("pre", "final"), rows("logits", "stem"), 100)

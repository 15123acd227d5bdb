"""One stored layer is meant by all layers of a deep stack, and only then."""

from __future__ import annotations

import pytest

import graphmap
from graphmap.matching.running import rank_running

LEAVES = (
    "self/query/kernel", "self/query/bias", "self/key/kernel", "self/key/bias",
    "output/kernel", "output/bias", "LayerNorm/gamma", "LayerNorm/beta",
    "LayerNorm_1/gamma", "LayerNorm_1/beta",
)  # fmt: skip


def _model(layers: int, word: str = "group", leaves: tuple[str, ...] = LEAVES) -> list[str]:
    return [
        "net/embeddings/table",
        *(f"net/{word}_{at}/{leaf}" for at in range(layers) for leaf in leaves),
        "net/pooler/kernel",
        "net/pooler/bias",
    ]


def _shape(name: str) -> tuple[int, ...]:
    return (8, 8) if name.endswith(("kernel", "table")) else (8,)


@pytest.mark.parametrize("shaped", [True, False])
def test_all_layers_take_the_only_stored_one(shaped: bool) -> None:
    expected, actual = (
        {name: _shape(name) if shaped else None for name in _model(layers)} for layers in (12, 1)
    )
    found = graphmap.match(expected, actual)
    meant = {d.expected: d.actual for d in found.matched}
    assert len(meant) == len(expected)
    assert meant["net/group_7/self/key/kernel"] == "net/group_0/self/key/kernel"
    assert {d.layout for d in found.matched if "group_7" in d.expected} == {"tied"}


@pytest.mark.parametrize(
    ("layers", "stored", "word"),
    [
        pytest.param(12, 2, "group", id="two stored layers may be any of twelve"),
        pytest.param(4, 1, "group", id="a small model may have grown"),
        pytest.param(12, 1, "tower", id="towers are not layers"),
    ],
)
def test_layers_stay_open(layers: int, stored: int, word: str) -> None:
    found = graphmap.match(
        {name: _shape(name) for name in _model(layers, word)},
        {name: _shape(name) for name in _model(stored, word)},
    )
    assert not [d for d in found.matched if f"{word}_3/" in d.expected]


def test_heads_are_not_layers() -> None:
    leaves = ("dense/kernel", "dense/bias")
    found = graphmap.match(
        dict.fromkeys(_model(12, "task", leaves)), dict.fromkeys(_model(1, "task", leaves))
    )
    assert not [d for d in found.matched if "task_5/" in d.expected]


def test_counters_that_run_on_within_each_other_are_counted_from_the_inside() -> None:
    """A second model of a session once led to a KeyError here."""
    rows = {
        "net_#/block_#/dense_#": [
            ((net, 2 * net + at, 4 * net + 2 * at + k), 0)
            for net in range(3)
            for at in range(2)
            for k in range(2)
        ]
    }
    rank_running(rows)
    assert [n for n, _ in rows["net_#/block_#/dense_#"]] == [
        (net, at, k) for net in range(3) for at in range(2) for k in range(2)
    ]

"""The op tables say where each fused update takes what."""

from __future__ import annotations

import pytest

from graphmap.analysis.ops import apply_rule, is_apply, is_write


@pytest.mark.parametrize(
    ("op", "kind", "slots", "grad", "indices"),
    [
        ("ApplyGradientDescent", "GradientDescent", {}, 2, -1),
        ("ResourceApplyAdam", "Adam", {"m": 1, "v": 2}, 9, -1),
        ("SparseApplyMomentum", "Momentum", {"momentum": 1}, 3, 4),
        ("ResourceSparseApplyFtrlV2", "Ftrl", {"accum": 1, "linear": 2}, 3, 4),
        ("ApplyCenteredRMSProp", "RMSProp", {"rms": 2, "mg": 1, "momentum": 3}, 8, -1),
    ],
)
def test_positions(op: str, kind: str, slots: dict[str, int], grad: int, indices: int) -> None:
    rule = apply_rule(op)
    assert rule is not None
    assert (rule.kind, rule.slots, rule.grad, rule.indices) == (kind, slots, grad, indices)


def test_indices_move_the_scalars_behind_them() -> None:
    dense, sparse = apply_rule("ApplyMomentum"), apply_rule("SparseApplyMomentum")
    assert dense is not None and sparse is not None
    assert dense.scalars == {"learning_rate": 2, "momentum": 4}
    assert sparse.scalars == {"learning_rate": 2, "momentum": 5}


@pytest.mark.parametrize("op", ["SparseApplyAdam", "ApplyNothing", "MatMul"])
def test_no_rule(op: str) -> None:
    assert apply_rule(op) is None


def test_an_unknown_fused_update_still_writes() -> None:
    assert is_apply("ApplyShampoo") and is_write("ApplyShampoo")


@pytest.mark.parametrize(
    "op", ["Assign", "AssignSubVariableOp", "ScatterNdAdd", "ResourceScatterMin"]
)
def test_writes(op: str) -> None:
    assert is_write(op)


@pytest.mark.parametrize("op", ["ReadVariableOp", "RefSwitch", "IsVariableInitialized", "SaveV2"])
def test_reads_are_no_writes(op: str) -> None:
    assert not is_write(op)

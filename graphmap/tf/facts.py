"""What a report says, each thing with the ground it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from graphmap.model.training import TrainOp

__all__ = ["Fact", "facts_of"]


class Fact(NamedTuple):
    """One thing that a rebuild says, and on what ground.

    basis: "confirmed" (compared op by op, or read from the files), "inferred" (from dataflow or
    names), "assumed" (told by the caller, or by default), "impossible" (no file holds it).
    """

    basis: Literal["confirmed", "inferred", "assumed", "impossible"]
    text: str


def facts_of(train_op: TrainOp) -> Iterator[Fact]:
    """Yield what the files say of one train op."""
    for spec in train_op.optimizers:
        text = f"{train_op.name} is {spec.kind} over {len(spec.slots)} variables"
        fixed = [f"{k}={v}" for k, v in spec.hyperparameters.items() if not isinstance(v, dict)]
        yield Fact(
            "inferred" if spec.kind == "custom" else "confirmed",
            text + (f" ({', '.join(fixed)})" if fixed else ""),
        )
    for name in train_op.inputs:
        yield Fact("impossible", f"where {name} stood in its data is not stored")
    for text in train_op.unrecovered:
        yield Fact("impossible" if "random" in text else "inferred", f"{train_op.name}: {text}")

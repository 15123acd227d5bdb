"""What a stored graph says about its training: train ops, optimizers, slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphmap.model.graph import Dims
from graphmap.showing import Part, Sheet, Shown


class Feed(NamedTuple):
    """A placeholder that one step needs."""

    tensor: str
    dtype: str
    shape: Dims


@dataclass(frozen=True, slots=True)
class OptimizerSpec:
    """One optimizer of a train op.

    kind: class name in tf.compat.v1.train without "Optimizer", or "custom".
    hyperparameters: the constructor's argument names; a number, bool, or
        {"tensor", "source": placeholder | variable | schedule, "schedule"}.
    slots: {trained variable: {slot word: slot variable}}; every trained variable has an entry.
    non_slots: {"beta1_power": variable, ...}.
    sparse: the trained variables that are updated by IndexedSlices.
    """

    kind: str
    hyperparameters: Mapping[str, Any]
    slots: Mapping[str, Mapping[str, str]]
    non_slots: Mapping[str, str] = field(default_factory=dict)
    sparse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainOp(Shown):
    """A train op: the outermost op that a training step ran.

    name: op name. loss: tensor name that was differentiated, None where it cannot be known.
    inputs: iterator, queue or reader ops that a step draws from.
    unrecovered: one sentence for each thing the graph cannot tell.
    """

    name: str
    loss: str | None
    global_step: str | None
    feeds: tuple[Feed, ...]
    inputs: tuple[str, ...]
    optimizers: tuple[OptimizerSpec, ...]
    unrecovered: tuple[str, ...] = ()

    def _sheet(self) -> Sheet:
        kinds = ", ".join(spec.kind for spec in self.optimizers) or "no optimizer found"
        facts = (("loss", self.loss or "?"), ("global step", self.global_step or "none"))
        feeds = [(f.tensor, f.dtype, _dims(f.shape)) for f in self.feeds]
        parts = [Part("to feed", ("tensor", "dtype", "shape"), feeds, is_open=True)]
        if self.inputs:
            parts.append(Part("draws from", ("op",), [(name,) for name in self.inputs]))
        for spec in self.optimizers:
            values = [(word, _value(value)) for word, value in spec.hyperparameters.items()]
            parts.append(
                Part(f"{spec.kind}: hyper-parameters", ("name", "value"), values, is_open=True)
            )
            slots = [
                (variable, word, slot)
                for variable, own in spec.slots.items()
                for word, slot in (own.items() or [("", "")])
            ]
            title = f"{spec.kind}: slots of {len(spec.slots):,} variables"
            parts.append(Part(title, ("variable", "slot", "stored as"), slots))
        if self.unrecovered:
            parts.append(
                Part("not recovered", ("what",), [(t,) for t in self.unrecovered], is_open=True)
            )
        kept = tuple(part for part in parts if part.rows)
        return Sheet(f"train op {self.name} ({kinds})", facts, kept)


def _dims(shape: Dims) -> str:
    if shape is None:
        return "?"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value.get('source')} {value.get('tensor')}"
    return f"{value:g}" if isinstance(value, float) else str(value)

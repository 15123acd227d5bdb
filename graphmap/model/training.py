"""What a stored graph says about its training: train ops, optimizers, slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphmap.model.graph import Dims


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
class TrainOp:
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

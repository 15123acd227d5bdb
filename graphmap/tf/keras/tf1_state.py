"""What a TF1 checkpoint and its graph tell about an optimizer, in TF1's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphmap.analysis.changed_gradients import changed_gradient
from graphmap.analysis.updates import find_training
from graphmap.errors import ReconstructionError, UsageError
from graphmap.model.training import OptimizerSpec
from graphmap.model.variable import Variable
from graphmap.tf.keras.assigning import read_stored
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.keras.stored_ops import FAMILIES, family_of
from graphmap.tf.keras.stored_rate import StoredRate, cut_rate

__all__ = ["Tf1State", "is_tf1", "tf1_state"]

_TF1_KINDS = ("checkpoint", "checkpoint-v1", "saved-model")
_KIND_OF_WORDS = {
    frozenset({"m", "v"}): "Adam",
    frozenset({"momentum"}): "Momentum",
    frozenset({"accumulator"}): "Adagrad",
    frozenset({"rms", "momentum"}): "RMSProp",
    frozenset({"rms", "mg", "momentum"}): "RMSProp",
    frozenset({"accum", "accum_update"}): "Adadelta",
    frozenset({"accum", "linear"}): "Ftrl",
}


@dataclass(frozen=True)
class Tf1State:
    """A stored optimizer of TF1.

    slots: {stored weight: {word: key}}, every trained weight. powers: {name: key}. step: key.
    rate: a number, or the stored graph's schedule. hyperparameters: all others, constants.
    sparse: the weights of which each step moved some rows only.
    """

    kind: str
    hyperparameters: Mapping[str, Any]
    rate: float | StoredRate
    slots: Mapping[str, Mapping[str, str]]
    powers: Mapping[str, str]
    step: str | None
    assumed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    sparse: tuple[str, ...] = ()


@dataclass
class _Told:
    kind: str
    stored: dict[str, Any]
    slots: dict[str, dict[str, str]]
    powers: dict[str, str]
    step: str | None
    doubts: tuple[str, ...] = ()
    assumed: list[str] = field(default_factory=list)
    sparse: tuple[str, ...] = ()


def is_tf1(stored: StoredFile) -> bool:
    """Whether a file is of TF1: its slots stand under names, no object graph tells of them."""
    return stored.opened.stored.kind in _TF1_KINDS and not stored.nodes


def tf1_state(stored: StoredFile, optimizer: Any) -> Tf1State:
    """Return the state; raises ReconstructionError where class, slots or rate cannot be known.

    optimizer: {"kind": ..., "hyperparameters": {...}} with what the files do not tell, or None.
    """
    given = _given(optimizer)
    by_name = {v.name: v for v in stored.opened.variables}
    told = _from_graph(stored, by_name) or _from_names(stored)
    kind = str(given.get("kind", given.get("class_name", told.kind))).removesuffix("Optimizer")
    if told.kind and kind != told.kind and told.stored:
        raise ReconstructionError(
            f"holds the state of {told.kind}, and optimizer= says {kind}",
            where=stored.path,
            remedy="Nothing has been assigned. Leave kind out, or give the right checkpoint.",
        )
    if not kind:
        raise _no_state(stored)
    family = family_of(kind, told.stored)
    answers = dict(given.get("hyperparameters", given.get("config", {})))
    known = {**told.stored, **answers}
    rate = _rate(known.pop("learning_rate", None), stored, by_name, told.step)
    for name, value in family.arguments.items():
        if name not in known and not told.stored:
            told.assumed.append(f"{name} is {value!r}, TF1's default: no graph is stored here")
    moving = sorted(name for name, value in known.items() if isinstance(value, Mapping))
    if moving:
        raise ReconstructionError(
            f"computes {moving[0]} in its graph",
            where=stored.path,
            remedy=f'Say it: optimizer={{"hyperparameters": {{"{moving[0]}": ...}}}}.',
        )
    return Tf1State(
        kind,
        {**family.arguments, **known},
        rate,
        told.slots,
        told.powers,
        by_name[told.step].checkpoint_key if told.step in by_name else None,
        tuple(told.assumed),
        told.doubts,
        told.sparse,
    )


def _given(optimizer: Any) -> Mapping[str, Any]:
    if optimizer is None:
        return {}
    if isinstance(optimizer, Mapping):
        return optimizer
    raise UsageError(
        f"is a {type(optimizer).__name__}; for a TF1 checkpoint it says what the files do not",
        where="optimizer",
        remedy='Give {"kind": "Adam", "hyperparameters": {"learning_rate": 0.001}}, each optional.',
    )


def _from_graph(stored: StoredFile, by_name: Mapping[str, Variable]) -> _Told | None:
    train_ops = stored.opened.train_ops
    specs = [(op, spec) for op in train_ops for spec in op.optimizers]
    if not specs:
        return None
    if len(specs) > 1:
        kinds = ", ".join(f"{op.name} ({spec.kind})" for op, spec in specs[:5])
        raise ReconstructionError(
            f"trains with {len(specs)} optimizers: {kinds}; Keras has one for a model",
            where=stored.path,
            remedy="Use gmtf.reconstruct_train_op, which rebuilds all of them.",
        )
    train_op, spec = specs[0]
    if spec.kind not in FAMILIES:
        family_of(spec.kind, {})
    slots = {
        primary: {word: _key(slot, by_name, stored) for word, slot in words.items()}
        for primary, words in spec.slots.items()
    }
    powers = {n: _key(v, by_name, stored) for n, v in _powers(spec).items()}
    hyper = dict(spec.hyperparameters)
    doubts = (*train_op.unrecovered, *_changed(stored, train_op.name))
    step = train_op.global_step
    return _Told(spec.kind, hyper, slots, powers, step, doubts, sparse=spec.sparse)


def _changed(stored: StoredFile, train_op: str) -> list[str]:
    """Return a sentence where the stored graph clips or scales gradients before the update."""
    graph = stored.opened.stored.graph
    found = None if graph is None else changed_gradient(find_training(graph), train_op)
    if found is None:
        return []
    return [
        f"the stored graph changes gradients before the update takes them ({found}), which no "
        "Keras optimizer does by itself: give it the same clipping (clipnorm=, global_clipnorm=, "
        "clipvalue=) or scale the loss"
    ]


def _powers(spec: OptimizerSpec) -> dict[str, str]:
    wanted = FAMILIES[spec.kind].powers
    return {name: variable for name, variable in spec.non_slots.items() if name in wanted}


def _key(name: str, by_name: Mapping[str, Variable], stored: StoredFile) -> str:
    variable = by_name.get(name)
    if variable is None or variable.checkpoint_key is None:
        raise ReconstructionError(
            f"holds no value of {name}, which its graph trains with",
            where=stored.path,
            remedy="Nothing has been assigned. Give the checkpoint that was saved with this graph.",
        )
    return variable.checkpoint_key


def _from_names(stored: StoredFile) -> _Told:
    """Read the state off names: which slots there are, and of which weights; no options."""
    slots: dict[str, dict[str, str]] = {}
    powers: dict[str, str] = {}
    step = None
    for variable in stored.opened.variables:
        key = variable.checkpoint_key
        if key is None:
            continue
        if variable.role == "slot" and variable.slot_of and variable.slot:
            slots.setdefault(variable.slot_of, {})[variable.slot] = key
        elif variable.role == "optimizer" and variable.name.endswith(("1_power", "2_power")):
            powers[f"beta{variable.name[-7]}_power"] = key
        elif variable.role == "step":
            step = variable.name
    words = {frozenset(found) for found in slots.values()}
    kind = _KIND_OF_WORDS.get(words.pop(), "") if len(words) == 1 else ""
    return _Told(kind, {}, slots, powers, step)


def _no_state(stored: StoredFile) -> ReconstructionError:
    return ReconstructionError(
        "holds no optimizer state that is known here",
        where=stored.path,
        remedy="Nothing has been assigned. Put the .meta file beside the checkpoint, which tells "
        'the train op, or say optimizer={"kind": ..., "hyperparameters": {...}}.',
    )


def _rate(
    told: Any, stored: StoredFile, by_name: Mapping[str, Variable], step: str | None
) -> float | StoredRate:
    if isinstance(told, int | float):
        return float(told)
    if isinstance(told, Mapping):
        name = str(told["tensor"]).partition(":")[0]
        if told["source"] == "schedule":
            return cut_rate(stored.opened.stored, told["tensor"], step)
        variable = by_name.get(name)
        if told["source"] == "variable" and variable is not None and variable.checkpoint_key:
            return float(read_stored(stored, [variable.checkpoint_key])[variable.checkpoint_key])
        if "value" in told and isinstance(told["value"], int | float):
            return float(told["value"])
    source = f"feeds it through {told['tensor']}" if isinstance(told, Mapping) else "has no graph"
    raise ReconstructionError(
        f"does not tell the learning rate: it {source}",
        where=stored.path,
        remedy='Nothing has been assigned. Say it: optimizer={"hyperparameters": '
        '{"learning_rate": 0.001}}.',
    )

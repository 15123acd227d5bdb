"""Stored optimizers of Keras as JSON and as text: class, options, iterations, slots by weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphmap.api.artifact import Artifact
from graphmap.cli.console import escape, table
from graphmap.cli.wording import count, hyperparameter

if TYPE_CHECKING:
    from graphmap.model.optimizer_state import StoredOptimizer, StoredSlot

__all__ = ["optimizers_json", "optimizers_text"]

_WEAKEST = ("unknown", "inferred", "confirmed")


def optimizers_json(artifact: Artifact) -> list[dict[str, Any]]:
    """Return one object for each optimizer; every variable under its name, as in `variables`."""
    names = _names(artifact)
    return [_optimizer_json(optimizer, names) for optimizer in artifact.optimizers]


def optimizers_text(artifact: Artifact, slots: bool = True) -> list[str]:
    """Return what each optimizer keeps; with `slots` every weight and its slots."""
    names = _names(artifact)
    return [_optimizer_text(optimizer, names, slots) for optimizer in artifact.optimizers]


def _names(artifact: Artifact) -> Mapping[str, str]:
    if not artifact.optimizers:
        return {}
    return {v.checkpoint_key: v.name for v in artifact.variables if v.checkpoint_key is not None}


def _optimizer_json(optimizer: StoredOptimizer, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": optimizer.name,
        "library": optimizer.library,
        "kind": optimizer.kind,
        "wrapper": optimizer.wrapper,
        "options": None if optimizer.options is None else dict(optimizer.options),
        "iterations": _name(optimizer.iterations, names),
        "learning_rate": _name(optimizer.learning_rate, names),
        "slots": _by_weight(optimizer, names),
        "averages": {
            _name(slot.primary, names): _name(slot.key, names)
            for slot in optimizer.slots
            if slot.is_shadow and slot.primary is not None
        },
        "scalars": {word: _name(key, names) for word, key in optimizer.scalars.items()},
        "unpaired": [_name(key, names) for key in _unpaired(optimizer)],
        "basis": _bases(optimizer),
        "notes": list(optimizer.notes),
    }


def _bases(optimizer: StoredOptimizer) -> dict[str, str]:
    """Return how each fact is known; of the slots the weakest."""
    bases = [slot.basis for slot in optimizer.slots if slot.primary is not None]
    structural = "inferred" if optimizer.is_numbered else "confirmed"
    return {
        "kind": optimizer.kind_basis,
        "options": "unknown" if optimizer.options is None else "confirmed",
        "iterations": "unknown" if optimizer.iterations is None else structural,
        "slots": min(bases, key=_WEAKEST.index, default="unknown"),
    }


def _by_weight(
    optimizer: StoredOptimizer, names: Mapping[str, str]
) -> dict[str | None, dict[str, str | None]]:
    found: dict[str | None, dict[str, str | None]] = {}
    for slot in optimizer.slots:
        if slot.primary is not None and not slot.is_shadow:
            row = found.setdefault(_name(slot.primary, names), {})
            row[_word(slot, row)] = _name(slot.key, names)
    return found


def _word(slot: StoredSlot, row: Mapping[str, Any]) -> str:
    """Return a slot's word; a number where the file does not tell."""
    return slot.word if slot.word is not None else f"slot_{len(row)}"


def _unpaired(optimizer: StoredOptimizer) -> list[str]:
    return [*optimizer.unpaired, *(s.key for s in optimizer.slots if s.primary is None)]


def _name(key: str | None, names: Mapping[str, str]) -> str | None:
    return names.get(key, key) if key is not None else None


def _optimizer_text(optimizer: StoredOptimizer, names: Mapping[str, str], with_slots: bool) -> str:
    told = _optimizer_json(optimizer, names)
    bases = told["basis"]
    kind = optimizer.kind or "of an unknown class"
    inside = f" in a {optimizer.wrapper}" if optimizer.wrapper else ""
    library = f", {optimizer.library}" if optimizer.library else ""
    lines = [f"optimizer {escape(optimizer.name)}"]
    rows = [("class", f"{kind}{inside}{library} ({bases['kind']})")]
    if optimizer.options is not None:
        values = [
            _option(key, value)
            for key, value in optimizer.options.items()
            if value is not None and value is not False and key != "name"
        ]
        rows.append(("options", f"{'  '.join(values)} ({bases['options']})"))
    else:
        rows.append(("options", "the file does not tell"))
    rows.append(("iterations", f"{told['iterations'] or 'not stored'} ({bases['iterations']})"))
    rows.append(("rate", told["learning_rate"] or "not stored"))
    rows += [(word, name) for word, name in told["scalars"].items()]
    slots = told["slots"]
    words = list(dict.fromkeys(word for row in slots.values() for word in row))
    summary = f"{', '.join(words)} of {count(len(slots), 'weight')} ({bases['slots']})"
    rows.append(("slots", summary if words else "none that can be paired"))
    if told["averages"]:
        rows.append(("averages", f"of {count(len(told['averages']), 'weight')}"))
    if told["unpaired"]:
        rows.append(("not paired", count(len(told["unpaired"]), "variable")))
    rows += [("not told", note) for note in optimizer.notes]
    lines += [f"  {key + ':':<13} {escape(str(value))}" for key, value in rows]
    if with_slots and slots:
        body = [
            [escape(w or ""), *(escape(row.get(k) or "") for k in words)]
            for w, row in slots.items()
        ]
        lines += ["", *(f"  {line}" for line in table(["weight", *words], body).split("\n"))]
    return "\n".join(lines)


def _option(name: str, value: Any) -> str:
    """Return `name=value`; of an object, such as a schedule, its class and options."""
    if not isinstance(value, Mapping):
        return hyperparameter(name, value)
    inner = value.get("config")
    inner = inner if isinstance(inner, Mapping) else {}
    told = ", ".join(_option(str(k), v) for k, v in inner.items() if k != "name" and v is not None)
    return f"{name}={value.get('class_name')}({told})"

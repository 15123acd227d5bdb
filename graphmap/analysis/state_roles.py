"""Roles of variables that the state of a Keras optimizer tells."""

from __future__ import annotations

from graphmap.analysis.optimizer_states import find_optimizers
from graphmap.analysis.slot_names import RoleTriple, role
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Basis

__all__ = ["state_roles"]


def state_roles(stored: StoredModel) -> dict[str, tuple[RoleTriple, Basis]]:
    """Return the role of each variable of an optimizer, and how it is known, by name."""
    names = {tensor.key: tensor.name for tensor in stored.tensors}
    structural: Basis = "confirmed" if stored.objects else "inferred"
    found: dict[str, tuple[RoleTriple, Basis]] = {}
    for optimizer in find_optimizers(stored):
        for key in (optimizer.learning_rate, *optimizer.scalars.values()):
            if key in names:
                found[names[key]] = role("optimizer"), structural
        if optimizer.iterations in names:
            found[names[optimizer.iterations]] = role("step"), structural
        for key in optimizer.unpaired:
            if key in names:
                found[names[key]] = role("slot"), "unknown"
        for slot in optimizer.slots:
            if slot.key not in names:
                continue
            primary = names.get(slot.primary) if slot.primary is not None else None
            basis = slot.basis if primary is not None else "unknown"
            if slot.is_shadow:
                found[names[slot.key]] = role("shadow", primary), basis
            else:
                found[names[slot.key]] = role("slot", primary, slot.word), basis
        for copy, key in optimizer.copies.items():
            if copy in names and names.get(key) in found:
                found[names[copy]] = found[names[key]]
    return found

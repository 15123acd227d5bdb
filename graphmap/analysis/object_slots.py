"""Slots whose primaries an object graph names exactly."""

from __future__ import annotations

from graphmap.analysis.slot_names import RoleTriple
from graphmap.model.stored import StoredModel

__all__ = ["object_slots"]


def object_slots(stored: StoredModel) -> dict[str, RoleTriple]:
    """Return the slots that an object graph pairs with their primaries, by name."""
    names = {tensor.key: tensor.name for tensor in stored.tensors}
    return {
        names[pair.slot_key]: ("slot", names[pair.primary_key], pair.slot)
        for pair in stored.slot_variables
        if pair.slot_key in names and pair.primary_key in names
    }

"""The optimizers that a container keeps the state of, whatever Keras wrote it; TF1's are no part.

A TF1 checkpoint keeps slots under names of their own, which its graph's update ops tell.
"""

from __future__ import annotations

from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.model.stored import StoredModel

__all__ = ["find_optimizers"]


def find_optimizers(stored: StoredModel) -> tuple[StoredOptimizer, ...]:
    """Return every optimizer whose variables are stored, with what belongs to which weight.

    Class and options come from the file's config where it has one (basis confirmed), else from the
    names of its variables (inferred). Nothing is read but indexes, headers and configs.
    """
    if stored.objects:
        from graphmap.analysis.object_optimizers import object_optimizers

        found = object_optimizers(stored)
        return tuple(_told(one, stored) for one in found) if len(found) == 1 else found
    if stored.kind.startswith("keras"):
        from graphmap.analysis.keras_optimizers import file_optimizers

        return file_optimizers(stored)
    return ()


def _told(optimizer: StoredOptimizer, stored: StoredModel) -> StoredOptimizer:
    """Add what the Keras metadata of a SavedModel tell of its one optimizer."""
    if stored.keras is None:
        return optimizer
    from graphmap.analysis.keras_optimizers import told_class

    kind, options, wrapper = told_class(stored.keras)
    if kind is None:
        return optimizer
    return optimizer._replace(kind=kind, kind_basis="confirmed", options=options, wrapper=wrapper)

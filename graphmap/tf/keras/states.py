"""The one optimizer of a file whose state is meant, or why there is none."""

from __future__ import annotations

from graphmap.errors import ReconstructionError, UsageError
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.stored import StoredFile

__all__ = ["find_state"]


def find_state(stored: StoredFile) -> StoredOptimizer:
    """Return the stored optimizer.

    Raises ReconstructionError where none is stored, UsageError where several are.
    """
    found = stored.optimizers
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"holds {len(found)} optimizers: {', '.join(one.name for one in found[:5])}",
            where=stored.path,
            remedy="Save one model with its optimizer a file.",
        )
    raise ReconstructionError(
        f"holds no optimizer state: {_reason(stored)}",
        where=stored.path,
        remedy="Nothing has been assigned. Take an .h5 or a tf.train.Checkpoint of the run, or "
        "train with a fresh optimizer.",
    )


def _reason(stored: StoredFile) -> str:
    facts = stored.opened.stored.keras
    kind = stored.opened.stored.kind
    if facts is not None and facts.optimizer is not None:
        name = str(facts.optimizer.get("class_name")).rpartition(">")[2]
        config = facts.optimizer.get("config")
        told = config if isinstance(config, dict) else {}
        is_legacy = ".legacy" in str(facts.optimizer.get("module"))
        is_legacy = is_legacy or bool(told.get("is_legacy_optimizer", "decay" in told))
        if is_legacy and kind == "keras-zip":
            return f"Keras does not write that of legacy.{name} into this kind of file"
        return f"it was saved with {name} before any training step"
    if kind == "saved-model":
        return "model.export() and signatures leave it out"
    return "it was saved without its optimizer, before training, or with a legacy optimizer"

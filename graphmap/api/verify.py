"""Checking every stored value against what the container says of it."""

from __future__ import annotations

from graphmap.errors import ArtifactError, MissingDataError, MissingDependencyError
from graphmap.model.stored import StoredModel

__all__ = ["verify_data"]


def verify_data(stored: StoredModel) -> tuple[str, ...]:
    """Read all values of a container, one after the other; () where it is sound or has none.

    One sentence for each damaged value; values that one missing or short file should hold share
    a sentence. Memory: no more than one value at a time.
    """
    if stored.values is None:
        return ()
    found: list[str] = []
    absent: dict[str, list[str]] = {}  # file: what it lacks
    for tensor in stored.tensors:
        try:
            stored.values.verify(tensor.key)
        except MissingDataError as cause:
            absent.setdefault(cause.where, []).append(cause.message)
        except (ArtifactError, MissingDependencyError) as cause:
            place = "" if cause.where in ("", tensor.key) else f"{cause.where}: "
            found.append(f"{tensor.name}: {place}{cause.message}")
    for file, reasons in absent.items():
        more = f"; so for {len(reasons) - 1} more values" if len(reasons) > 1 else ""
        found.append(f"{file}: {reasons[0]}{more}")
    return tuple(found)

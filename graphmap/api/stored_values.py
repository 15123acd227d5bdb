"""Values of an artifact as the matcher asks for them: a few at a time, none of the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmap.api.artifact import Artifact
from graphmap.errors import ArtifactError, MissingDependencyError
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    import numpy

__all__ = ["StoredValues", "values_of"]

LARGEST = 64 << 20  # bytes of a value that is read; larger ones are compared by checksum only
MOST = 4 << 30  # bytes that are read of one side


def values_of(artifact: Artifact) -> StoredValues | None:
    """Return the values of an artifact, None where it holds none."""
    stored = artifact.opened.stored
    is_frozen = stored.graph is not None and any(v.basis == "inferred" for v in artifact.variables)
    return StoredValues(artifact) if stored.values is not None or is_frozen else None


class StoredValues:
    """Checksums from the index, values on demand; what can't be read is as if it were absent."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._checksum: Any = getattr(artifact.opened.stored.values, "checksum", None)
        self._left = MOST

    def checksum(self, variable: Variable) -> object:
        """Return (bytes, stored checksum), or None."""
        if self._checksum is None or variable.checkpoint_key is None:
            return None
        return self._checksum(variable.checkpoint_key)

    def read(self, variable: Variable) -> numpy.ndarray | None:
        """Return the value, checksum verified; None where it is absent, damaged or too large."""
        size = variable.bytes
        if size is not None and (size > LARGEST or size > self._left):
            return None
        try:
            value = self._artifact.read(variable.name)
        except (ArtifactError, MissingDependencyError):
            return None
        self._left -= value.nbytes
        return value

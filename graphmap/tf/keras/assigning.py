"""Values into live Keras variables: every fault first, then assign, then read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.errors import MissingDataError, RestoreError
from graphmap.tf.keras.flavour import dtype_of, shape_of, value_of
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.runtime import tensorflow

if TYPE_CHECKING:
    import numpy

__all__ = ["Put", "put_values", "read_stored"]


class Put(NamedTuple):
    """A value for a live variable. name: for people."""

    name: str
    variable: Any
    value: numpy.ndarray


def read_stored(stored: StoredFile, keys: Iterable[str]) -> dict[str, numpy.ndarray]:
    """Read values by key, checksums verified; raises MissingDataError, CorruptArtifactError."""
    values = stored.opened.stored.values
    if values is None:
        raise MissingDataError(
            f"is a {stored.opened.stored.kind} without values",
            where=stored.path,
            remedy="Give the checkpoint or the Keras file itself.",
        )
    return {key: values.read(key) for key in dict.fromkeys(keys)}


def put_values(puts: Sequence[Put], where: str) -> None:
    """Assign every value and read each back; raises RestoreError, before anything is assigned."""
    puts = [put._replace(value=_as_stored(put)) for put in puts]
    faults = [fault for put in puts if (fault := _fault(put)) is not None]
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise RestoreError(
            f"{len(faults)} of {len(puts)} variables cannot be restored: "
            f"{'; '.join(faults[:5])}{more}",
            where=where,
            remedy="Nothing has been assigned. Check that model and file belong together.",
        )
    for put in puts:
        put.variable.assign(put.value)
    wrong = [p.name for p in puts if value_of(p.variable).tobytes() != p.value.tobytes()]
    if wrong:
        raise RestoreError(
            f"{len(wrong)} of {len(puts)} variables do not hold the stored bytes after the "
            f"restore: {', '.join(wrong[:5])}",
            where=where,
            remedy="Do not train on: something else writes these variables.",
        )


def _as_stored(put: Put) -> numpy.ndarray:
    """Return the value in C order, small floats that were read as plain bytes as what they are."""
    import numpy

    wanted = tensorflow().dtypes.as_dtype(dtype_of(put.variable)).as_numpy_dtype
    value = numpy.asarray(put.value, order="C")
    is_plain = value.dtype != wanted and value.dtype.kind in "uV"
    if is_plain and value.dtype.itemsize == numpy.dtype(wanted).itemsize:
        value = value.view(wanted)
    return value


def _fault(put: Put) -> str | None:
    import numpy

    if put.value.shape != shape_of(put.variable):
        return (
            f"{put.name} has shape {list(shape_of(put.variable))} in the model, "
            f"{list(put.value.shape)} in the file"
        )
    wanted = dtype_of(put.variable)
    found = numpy.dtype(put.value.dtype).name
    return None if found == wanted else f"{put.name} is {wanted} in the model, {found} in the file"

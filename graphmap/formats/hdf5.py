"""HDF5 weights of Keras, read with pyfive, a reader in pure Python, through a guarded file.

pyfive is not made for hostile bytes, so it sees the file through `_Guarded`, which bounds how much
is read in all: a loop in the file's structure ends there. What it declares is compared with the
file's size before anything is decoded. docs/adr/0011-hdf5.md tells why not h5py.
"""

from __future__ import annotations

import json
import warnings as python_warnings
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from graphmap.errors import (
    ArtifactError,
    CorruptArtifactError,
    MissingDataError,
    UnsupportedArtifactError,
)
from graphmap.files import map_file
from graphmap.formats.dtypes import NAMES
from graphmap.formats.hdf5_checks import hdf5_defects
from graphmap.formats.hdf5_file import pyfive_file
from graphmap.formats.hdf5_walk import walk
from graphmap.formats.keras_facts import keras_file
from graphmap.model.sentences import capped
from graphmap.model.stored import StoredModel, StoredTensor

if TYPE_CHECKING:
    import numpy

__all__ = ["open_hdf5", "read_hdf5", "read_hdf5_bytes", "stored_texts"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_RANK = 32  # H5S_MAX_RANK
_READS = 20_000_000  # calls; a file of 100,000 datasets takes 2 million
_REREADS = 64  # times the file's size that may be read in all while it is listed
_SLACK = 64 << 20  # bytes on top of that, for small files
_DEFLATE = 1032  # the most that one byte of deflate stands for (zlib.net/zlib_tech.html)
_LEAST = 16 << 20  # bytes that a compressed value may take in any case
_AT_ONCE = 64 << 20  # bytes of a compressed value that are unpacked at once to look at it
_REMEDY = "Copy the file again from where it came."
_WORDS = frozenset(NAMES.values())


class _BudgetError(Exception):
    """More was read than a sound file asks for."""


class _Guarded:
    """A file in memory for pyfive; `size` bytes at `base`, reads counted."""

    closed = False

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0
        self._calls = 0
        self._bytes = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; returns the position."""
        start = (0, self._at, len(self._data))[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return at most what is there; raises _BudgetError."""
        end = len(self._data) if size is None or size < 0 else self._at + size
        piece = bytes(self._data[self._at : end])
        self._at += len(piece)
        self._calls += 1
        self._bytes += len(piece)
        if self._calls > _READS or self._bytes > _REREADS * len(self._data) + _SLACK:
            raise _BudgetError
        return piece

    def close(self) -> None:
        """Nothing is held open."""


class _Values:
    """Reads values by the path of their dataset."""

    def __init__(
        self, datasets: dict[str, Any], elsewhere: set[str], size: int, where: str
    ) -> None:
        self._datasets = datasets
        self._elsewhere = elsewhere
        self._size = size
        self._where = where

    def read(self, key: str) -> numpy.ndarray:
        """Return a value; chunks are decompressed. Raises KeyError, CorruptArtifactError."""
        value = self._load(key, self._sound(key), ())
        if value.dtype.kind in "OSU":
            return _strings(value)
        return value.astype(value.dtype.newbyteorder("<"), copy=False)

    def verify(self, key: str) -> None:
        """Raise as `read` does; Keras stores no checksums. Of a large value, rows at a time."""
        dataset = self._sound(key)
        rows = dataset.shape[0] if dataset.shape else 0
        wanted = prod(dataset.shape) * dataset.dtype.itemsize
        if dataset.chunks is None or wanted <= _AT_ONCE or rows < 2:
            self._load(key, dataset, ())
            return
        depth = int(dataset.chunks[0])
        step = max(1, _AT_ONCE * rows // wanted // depth) * depth
        for start in range(0, rows, step):
            self._load(key, dataset, slice(start, start + step))

    def _sound(self, key: str) -> Any:
        """Return a dataset whose bytes can be there; raises KeyError, ArtifactError."""
        dataset = self._datasets[key]
        if key in self._elsewhere:  # pyfive would return whatever bytes it finds
            raise MissingDataError(
                f"keeps the value of {key} elsewhere, which is not opened",
                where=self._where,
                remedy="Save the weights into one file with Keras.",
            )
        wanted = prod(dataset.shape) * dataset.dtype.itemsize
        if dataset.chunks is None and wanted > self._size:
            raise MissingDataError(
                f"has no room for the {wanted:,} bytes of {key}", where=self._where, remedy=_REMEDY
            )
        if wanted > max(_LEAST, _DEFLATE * self._size):
            raise CorruptArtifactError(
                f"declares {wanted:,} bytes for {key}, more than it could hold",
                where=self._where,
                remedy=_REMEDY,
            )
        return dataset

    def _load(self, key: str, dataset: Any, part: slice | tuple[()]) -> numpy.ndarray:
        import numpy

        try:
            return numpy.asarray(dataset[part])
        except Exception as cause:  # pyfive raises whatever the bytes led it to
            raise _told(cause, self._where, f"the value of {key}") from cause


def read_hdf5(path: str, typed: str) -> StoredModel:
    """List the weights in an HDF5 file as Keras writes it; raises CorruptArtifactError."""
    return read_hdf5_bytes(map_file(path), path, typed, "keras-h5")


def read_hdf5_bytes(data: memoryview, where: str, typed: str, kind: str) -> StoredModel:
    """As `read_hdf5`, for the bytes of a file inside another one.

    Names: what `weight_names` of the groups tell, where that is unique; else the dataset's path.
    """
    file = _open(data, where)
    _check_length(data, where)
    try:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            found = walk(file)
            paths = {address: path for path, address in found.addresses.items()}
            defects = list(hdf5_defects(data, file, paths))
    except Exception as cause:  # pyfive raises whatever the bytes led it to
        raise _told(cause, where, "its structure") from cause
    datasets, names, warnings = found.datasets, found.names, found.warnings
    ghosts = sorted(names.keys() - datasets.keys())
    if ghosts:
        warnings.append(f"{where}: weight_names tells of {ghosts[0]}, which is not there")
    warnings += [f"{where}: {defect}" for defect in defects]
    version = _version(file)
    config = _config(file, "model_config", where, warnings)
    training = _config(file, "training_config", where, warnings)
    uses: dict[str, int] = {}
    for path in datasets:
        name = names.get(path, path)
        uses[name] = uses.get(name, 0) + 1
    tensors = tuple(
        _tensor(path, dataset, names.get(path, path), uses, len(data), where, warnings)
        for path, dataset in sorted(datasets.items())
    )
    return StoredModel(
        path=typed,
        kind=kind,
        producer=f"keras {version}" if version else None,
        tensors=tensors,
        container=where,
        keras=keras_file(found, version, config, training),
        values=_Values(datasets, found.elsewhere, len(data), where),
        warnings=capped(warnings),
    )


def _open(data: memoryview, where: str) -> Any:
    if bytes(data[:8]) != _SIGNATURE:
        raise CorruptArtifactError("is no HDF5 file", where=where, remedy=_REMEDY)
    try:
        return pyfive_file(_Guarded(data))
    except Exception as cause:  # pyfive raises whatever the bytes led it to
        raise _told(cause, where, "its header") from cause


def open_hdf5(path: str) -> Any:
    """Return pyfive's File of a file that `read_hdf5` has read; its reads are bounded."""
    return _open(map_file(path), path)


def _check_length(data: memoryview, where: str) -> None:
    """Raise where a file is shorter than its superblock tells (format specification II.A)."""
    at = {0: 40, 1: 44, 2: 28, 3: 28}.get(data[8], 0)  # of the end-of-file address, by version
    width = data[13 if data[8] < 2 else 9]
    if not at or width != 8:
        return
    told = int.from_bytes(data[at : at + 8], "little")
    if len(data) < told < 1 << 63:
        raise CorruptArtifactError(
            f"has {len(data):,} bytes of {told:,}: its end is missing", where=where, remedy=_REMEDY
        )


def _tensor(
    path: str,
    dataset: Any,
    name: str,
    uses: dict[str, int],
    size: int,
    where: str,
    warnings: list[str],
) -> StoredTensor:
    shape = tuple(int(extent) for extent in dataset.shape or ())
    if len(shape) > _MAX_RANK or any(e < 0 for e in shape) or prod(shape) >= 1 << 63:
        raise CorruptArtifactError(
            f"declares an impossible shape for {path}", where=where, remedy=_REMEDY
        )
    word = _word(dataset.dtype)
    nbytes = prod(shape) * dataset.dtype.itemsize if word != "string" else None
    if nbytes is not None and nbytes > max(_LEAST, _DEFLATE * size):
        warnings.append(f"{where}: {path} declares {nbytes:,} bytes, more than the file could hold")
    return StoredTensor(path, name if uses[name] == 1 else path, shape, word, nbytes)


def _word(dtype: Any) -> str:
    """Return TensorFlow's word for a type of HDF5."""
    kind = getattr(dtype, "kind", "O")
    if kind in "OSU":
        return "string"
    name = str(getattr(dtype, "name", dtype))
    return name if name in _WORDS else f"HDF5 type {name}"[:60]


def _strings(value: numpy.ndarray) -> numpy.ndarray:
    import numpy

    flat = [one if isinstance(one, bytes) else str(one).encode() for one in value.ravel()]
    array = numpy.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(value.shape)


def _config(file: Any, name: str, where: str, warnings: list[str]) -> Any:
    """Return a stored config; one that is no JSON is a warning: the weights are there without."""
    try:
        config = file.attrs.get(name)
        return None if config is None else json.loads(config)
    except RecursionError:
        warnings.append(f"{where}: its {name} is nested too deeply")
    except Exception as cause:  # pyfive raises whatever the bytes led it to
        warnings.append(f"{where}: its {name} is no JSON ({str(cause)[:80]})")
    return None


def stored_texts(path: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, text) of those attributes of the root that can be read."""
    try:
        attributes = _open(map_file(path), path).attrs
    except ArtifactError:
        return
    for name in names:
        try:
            text = attributes.get(name)
        except Exception:  # pyfive raises whatever the bytes led it to; the caller looks on
            continue
        if isinstance(text, (str, bytes)):
            yield name, text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text)


def _version(file: Any) -> str | None:
    try:
        version = file.attrs.get("keras_version")
        if version is None and "model_weights" in file:
            version = file["model_weights"].attrs.get("keras_version")
    except Exception:  # what wrote the file is not worth an error
        return None
    text = version.decode("ascii", "replace") if isinstance(version, bytes) else version
    return text[:32] if isinstance(text, str) else None


def _told(cause: Exception, where: str, what: str) -> ArtifactError:
    """Return one clear error for whatever pyfive raised."""
    if isinstance(cause, ArtifactError):
        return cause
    if isinstance(cause, NotImplementedError):
        return UnsupportedArtifactError(
            f"uses a part of HDF5 that is not read ({str(cause)[:80]})",
            where=where,
            remedy="Save the model again with Keras, or load it with h5py.",
        )
    if isinstance(cause, _BudgetError):
        reason = "its structure goes round in circles"
    elif isinstance(cause, RecursionError):
        reason = "it is nested too deeply"
    else:
        reason = f"{type(cause).__name__}: {cause}".replace("\n", " ")[:100]
    return CorruptArtifactError(
        f"cannot be read as HDF5: {what} is damaged ({reason})", where=where, remedy=_REMEDY
    )

"""Values into another container, one tensor in memory at a time.

Sources: safetensors format (github.com/huggingface/safetensors README); numpy's .npy (NEP 1) in a
zip; HDF5 through h5py; TensorFlow's tensor bundle.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from graphmap.errors import MissingDependencyError, UnsupportedArtifactError
from graphmap.formats.bundle import Entry, shard_path
from graphmap.formats.bundle_writer import HEADER, encode_entry, string_bytes, with_shards
from graphmap.formats.crc import crc_of_buffer, mask
from graphmap.formats.dtypes import NAMES
from graphmap.formats.safetensors import DTYPES
from graphmap.formats.table_writer import table_bytes
from graphmap.names import parent_scopes
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import shards_at

if TYPE_CHECKING:
    import numpy

__all__ = ["WRITERS", "Pairs", "is_checkpoint", "write_checkpoint", "writer_for"]

Pairs = Iterable[tuple[str, "numpy.ndarray"]]
Write = Callable[[Staging, str, list[str], Pairs, Mapping[str, str]], None]

_SAFE = {name: word for word, name in DTYPES.items()}
_ENTRY_ROOM = 64 + 21 * 12  # bytes: words, two offsets and ten sizes of 20 digits
_NUMBERS = {name: number for number, name in NAMES.items()}
_PLAIN = "biufc"  # kinds of numpy types that .npy and HDF5 know
_H5_START, _H5_EACH = 1 << 18, 1 << 12  # bytes for what HDF5 keeps beside values, for each value
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: same input, same bytes


def _write_safetensors(
    staging: Staging, out: str, names: list[str], pairs: Pairs, metadata: Mapping[str, str]
) -> None:
    """Write the header last: it tells shapes, and room for it is left at the beginning."""
    room = (
        len(json.dumps(metadata)) + 64 + sum(len(json.dumps(name)) + _ENTRY_ROOM for name in names)
    )
    room += -room % 8
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    with staging.create(out) as stream:
        stream.seek(8 + room)
        position = 0
        for name, value in pairs:
            data = _bytes_of(value)
            kind = _SAFE.get(value.dtype.name)
            if kind is None:
                raise _unfit(name, value.dtype.name, "safetensors")
            stream.write(data)
            end = position + data.nbytes
            header[name] = {
                "dtype": kind, "shape": list(value.shape), "data_offsets": [position, end]
            }  # fmt: skip
            position = end
        encoded = json.dumps(header, separators=(",", ":")).encode()
        stream.seek(0)
        stream.write(room.to_bytes(8, "little") + encoded.ljust(room))


def _write_npz(
    staging: Staging, out: str, names: list[str], pairs: Pairs, metadata: Mapping[str, str]
) -> None:
    import numpy

    with staging.create(out) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, value in pairs:
            if value.dtype.kind not in _PLAIN:
                raise _unfit(name, value.dtype.name, "npz")
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(info, "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, value, allow_pickle=False)


def _write_h5(
    staging: Staging, out: str, names: list[str], pairs: Pairs, metadata: Mapping[str, str]
) -> None:
    try:
        import h5py
    except ImportError as cause:
        raise MissingDependencyError(
            "writing HDF5 needs the package h5py", where=out, remedy="pip install 'graphmap[h5]'"
        ) from cause
    scopes = {scope for name in names for scope in parent_scopes(name)}
    both = next((name for name in names if name in scopes), None)
    if both is not None:
        raise UnsupportedArtifactError(
            "is a value and the scope of other values, which HDF5 cannot hold",
            where=both,
            remedy="Leave optimizer state out with --no-slots, or use .safetensors.",
        )
    temporary = staging.place(out)
    slack = _H5_START + _H5_EACH * len(names)
    staging.check_room(temporary, slack)
    with h5py.File(temporary, "w") as file:
        for key, text in metadata.items():
            if len(text) < 60_000:  # an attribute holds at most 64 KB
                file.attrs[f"graphmap.{key}"] = text
        for name, value in pairs:
            texts = sum(map(len, value.flat)) if value.dtype == object else 0
            staging.check_room(temporary, value.nbytes + texts + slack)
            if value.dtype == object:
                file.create_dataset(name, data=value, dtype=h5py.string_dtype("ascii"))
            elif value.dtype.kind not in _PLAIN:
                raise _unfit(name, value.dtype.name, "HDF5")
            else:
                file.create_dataset(name, data=value)


def write_checkpoint(
    staging: Staging, out: str, names: list[str], pairs: Pairs, metadata: Mapping[str, str]
) -> None:
    """Write one data file in the order of the values, and the index last."""
    out = out.removesuffix(".index")
    shards = 2 if shards_at(out) == 1 else 1  # the one that is there stays whole until the end
    entries: dict[bytes, bytes] = {}
    position = 0
    with staging.create(shard_path(out, 0, shards)) as stream:
        for name, value in pairs:
            if value.dtype == object:
                stored, crc = string_bytes(_strings(value))
                data, number = memoryview(stored), _NUMBERS["string"]
            else:
                data = _bytes_of(value)
                crc = crc_of_buffer(data)
                known = _NUMBERS.get(value.dtype.name)
                if known is None:
                    raise _unfit(name, value.dtype.name, "a checkpoint")
                number = known
            stream.write(data)
            entry = Entry(number, value.shape, 0, position, data.nbytes, mask(crc), ())
            entries[name.encode("utf-8", "surrogateescape")] = encode_entry(entry)
            position += data.nbytes
    if shards > 1:
        staging.write(shard_path(out, 1, shards), [])
    header = with_shards(HEADER, shards)
    staging.write(f"{out}.index", [table_bytes([(b"", header), *sorted(entries.items())])])


WRITERS: dict[str, Write] = {
    ".safetensors": _write_safetensors,
    ".npz": _write_npz,
    ".h5": _write_h5,
    ".hdf5": _write_h5,
}


def writer_for(out: str) -> Write | None:
    """Return what writes a file of this suffix; a name without one of them is a prefix."""
    if is_checkpoint(out):
        return write_checkpoint
    return WRITERS.get(os.path.splitext(out)[1].lower())


def is_checkpoint(out: str) -> bool:
    """Whether a name is that of a checkpoint: model.ckpt, model.ckpt-500, model.index."""
    return ".ckpt" in os.path.basename(out) or out.endswith(".index")


def _bytes_of(value: numpy.ndarray) -> memoryview:
    """Return the bytes of an array in C order, little-endian."""
    import numpy

    if value.dtype == object:
        return memoryview(b"")
    value = numpy.ascontiguousarray(value)
    if value.dtype.byteorder == ">":
        value = value.astype(value.dtype.newbyteorder("<"))
    return value.reshape(-1).view(numpy.uint8).data


def _strings(value: numpy.ndarray) -> list[bytes]:
    return [
        text if isinstance(text, bytes) else str(text).encode() for text in value.ravel().tolist()
    ]


def _unfit(name: str, dtype: str, container: str) -> UnsupportedArtifactError:
    what = "strings" if dtype == "object" else f"values of type {dtype}"
    remedy = "Leave it out with --only" if dtype == "object" else "Convert it: --dtype float32"
    return UnsupportedArtifactError(
        f"holds {what}, which {container} cannot hold", where=name, remedy=f"{remedy}."
    )

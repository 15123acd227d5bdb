"""Encoding index entries and string tensors of a tensor bundle, byte for byte as TensorFlow does.

Source: tensorflow/core/protobuf/tensor_bundle.proto, util/tensor_bundle/tensor_bundle.cc.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphmap.formats.bundle import Entry
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.wire import encode_field, fields, write_varint

__all__ = ["HEADER", "encode_entry", "encode_field", "string_bytes", "with_shards"]

HEADER = b"\x08\x01\x1a\x02\x08\x01"  # one shard, little-endian, version 1


def encode_entry(entry: Entry) -> bytes:
    """Return a BundleEntryProto; fields of value zero are left out, as protobuf does."""
    dims = b"".join(
        encode_field(2, encode_field(1, extent) if extent else b"") for extent in entry.shape
    )
    out = encode_field(1, entry.dtype) if entry.dtype else b""
    out += encode_field(2, dims)
    for number, value in ((3, entry.shard), (4, entry.offset), (5, entry.size)):
        if value:
            out += encode_field(number, value)
    if entry.crc:
        out += b"\x35" + entry.crc.to_bytes(4, "little")
    for part in entry.slices:
        extents = b""
        for start, length in part:
            extent = encode_field(1, start) if start else b""
            extents += encode_field(1, extent + (encode_field(2, length) if length >= 0 else b""))
        out += encode_field(7, extents)
    return out


def string_bytes(values: Iterable[bytes]) -> tuple[bytes, int]:
    """Return (stored bytes, checksum) of a string tensor: lengths, their checksum, the bytes."""
    values = list(values)
    crc = 0
    for value in values:
        crc = crc_of_bytes(len(value).to_bytes(4, "little"), crc)
    stored = b"".join(write_varint(len(value)) for value in values)
    rest = mask(crc).to_bytes(4, "little") + b"".join(values)
    return stored + rest, crc_of_bytes(rest, crc)


def with_shards(header: bytes, shards: int) -> bytes:
    """Return a BundleHeaderProto with another number of data files, all else as it was."""
    rest = b"".join(encode_field(number, value) for number, value in fields(header) if number != 1)
    return encode_field(1, shards) + rest

"""A safetensors file under other names: another header before the same bytes.

Source: github.com/huggingface/safetensors, "Format": 8 bytes of length, a JSON header, the buffer.
"""

from __future__ import annotations

import json
import os
from typing import Any

from graphmap.errors import MissingDataError, UnsupportedArtifactError
from graphmap.files import read_file, stays_inside
from graphmap.formats.safetensors import (
    INDEX_LIMIT,
    INDEX_SUFFIX,
    METADATA,
    read_header,
    weight_map_of,
)
from graphmap.rewrite.checkpoint import Keys
from graphmap.rewrite.staging import Range, Staging

__all__ = ["stage_safetensors", "stage_sharded"]


def stage_safetensors(staging: Staging, source: str, out: str, keys: Keys) -> None:
    """Write `out` with every tensor under its new keys; bytes that none names are left out.

    The format wants the buffer used from end to end, so what is left out moves what follows. Raises
    CorruptArtifactError, and UnsupportedArtifactError where one value would get several names.
    """
    header, start, _, _ = read_header(source)
    told = {key: value for key, value in header.items() if key != METADATA}
    by_place = sorted(told.items(), key=lambda item: (item[1]["data_offsets"], item[0]))
    new: dict[str, Any] = {METADATA: header[METADATA]} if METADATA in header else {}
    pieces: list[bytes | Range] = []
    position = 0
    for key, entry in by_place:
        names = keys(key)
        if len(names) > 1:
            raise UnsupportedArtifactError(
                "would be stored under several names, which this format has no way to share",
                where=key,
                remedy="Use graphmap convert, which writes it once for each name.",
            )
        first, last = entry["data_offsets"]
        for name in names:
            end = position + last - first
            new[name] = {**entry, "data_offsets": [position, end]}
            pieces.append(Range(source, start + first, last - first))
            position = end
    encoded = json.dumps(new, separators=(",", ":"), ensure_ascii=False).encode()
    encoded += b" " * (-len(encoded) % 8)
    staging.write(out, [len(encoded).to_bytes(8, "little") + encoded, *_joined(pieces)])


def stage_sharded(staging: Staging, index: str, out: str, keys: Keys) -> None:
    """Write the files of an index and the index itself, last; `out` ends as the index does.

    Raises as `stage_safetensors`, and MissingDataError where a file is missing.
    """
    content = json.loads(read_file(index, INDEX_LIMIT))
    weight_map = weight_map_of(read_file(index, INDEX_LIMIT), index)
    shards = sorted(set(weight_map.values()))
    stem = out.removesuffix(INDEX_SUFFIX)
    names = {
        shard: f"{os.path.basename(stem)}-{number:05d}-of-{len(shards):05d}.safetensors"
        for number, shard in enumerate(shards, 1)
    }
    for shard in shards:
        source = os.path.join(os.path.dirname(index), shard)
        if not os.path.isfile(source) or not stays_inside(source, index):
            raise MissingDataError(
                "is missing, or a link out of its folder",
                where=source,
                remedy="Put the file beside its index.",
            )
        stage_safetensors(staging, source, os.path.join(os.path.dirname(out), names[shard]), keys)
    content["weight_map"] = {
        new: names[shard] for key, shard in sorted(weight_map.items()) for new in keys(key)
    }
    staging.write(out, [json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"])


def _joined(pieces: list[bytes | Range]) -> list[bytes | Range]:
    """Join ranges that follow one another: a whole buffer is one copy."""
    joined: list[bytes | Range] = []
    for piece in pieces:
        last = joined[-1] if joined else b""
        if (
            isinstance(piece, Range)
            and isinstance(last, Range)
            and (last.path, last.start + last.size) == (piece.path, piece.start)
        ):
            joined[-1] = Range(last.path, last.start, last.size + piece.size)
        else:
            joined.append(piece)
    return joined

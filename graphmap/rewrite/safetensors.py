"""A safetensors file under other names: another header before the same bytes.

Source: github.com/huggingface/safetensors, "Format": 8 bytes of length, a JSON header, the buffer.
"""

from __future__ import annotations

import json
from typing import Any

from graphmap.errors import UnsupportedArtifactError
from graphmap.formats.safetensors import METADATA, read_header
from graphmap.rewrite.checkpoint import Keys
from graphmap.rewrite.staging import Range, Staging

__all__ = ["stage_safetensors"]


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

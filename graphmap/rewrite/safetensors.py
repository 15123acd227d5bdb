"""A safetensors file under other names: another header before the same bytes.

Source: github.com/huggingface/safetensors, "Format": 8 bytes of length, a JSON header, the buffer.
"""

from __future__ import annotations

import json
from typing import Any

from graphmap.errors import CorruptArtifactError, UnsupportedArtifactError
from graphmap.files import open_regular
from graphmap.rewrite.checkpoint import Keys
from graphmap.rewrite.staging import Range, Staging

__all__ = ["stage_safetensors"]

_HEADER_LIMIT = 100_000_000  # bytes, the format's own
_METADATA = "__metadata__"


def stage_safetensors(staging: Staging, source: str, out: str, keys: Keys) -> None:
    """Write `out` with every tensor under its new keys; bytes that none names are left out.

    The format wants the buffer used from end to end, so what is left out moves what follows. Raises
    CorruptArtifactError, and UnsupportedArtifactError where one value would get several names.
    """
    header, start = _header(source)
    told = {key: value for key, value in header.items() if key != _METADATA}
    by_place = sorted(told.items(), key=lambda item: (item[1]["data_offsets"], item[0]))
    new: dict[str, Any] = {_METADATA: header[_METADATA]} if _METADATA in header else {}
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


def _header(path: str) -> tuple[dict[str, Any], int]:
    """Return (header, where the buffer begins); raises CorruptArtifactError."""
    with open(open_regular(path), "rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        length = int.from_bytes(stream.read(8), "little")
        if length > min(_HEADER_LIMIT, size - 8):
            raise _corrupt("its header would be longer than the file", path)
        text = stream.read(length)
    try:
        header = json.loads(text)
        if not isinstance(header, dict):
            raise ValueError("its header is no object")
        for key, entry in header.items():
            if key != _METADATA:
                first, last = entry["data_offsets"]
                if not 0 <= first <= last <= size - 8 - length:
                    raise ValueError(f"{key} lies outside the file")
    except (ValueError, TypeError, KeyError, RecursionError) as cause:
        raise _corrupt(f"its header cannot be read ({cause})", path) from cause
    return header, 8 + length


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


def _corrupt(message: str, where: str) -> CorruptArtifactError:
    return CorruptArtifactError(message, where=where, remedy="Copy the file again.")

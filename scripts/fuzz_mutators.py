"""Ways to damage a file: blind ones, and ones that know tables, protos and their checksums.

A blind flip in a checkpoint index is caught by a checksum at once; what lies behind it is only
reached by writing the table anew with right checksums around a wrong entry.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from random import Random

from graphmap.errors import GraphmapError
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.footer import MAGIC, is_table
from graphmap.formats.sstable import read_table
from graphmap.formats.table_writer import Block, table_bytes
from graphmap.formats.wire import WireError, read_varint, write_varint

__all__ = ["BLIND", "mutate"]

Mutator = Callable[[bytes, Random, Sequence[bytes]], bytes]

_NUMBERS = (
    0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
    2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1,
)  # fmt: skip
_TEXTS = (
    b"", b"\0", b"\xff\xfe", b"../../x", b"/etc/passwd", b"^", b":0", b"a:-1", b"loc:@nowhere",
    b"<script>", b"\x1b[31m", "\u202e\ud7ff".encode(), b"[1,", b"{" * 200, b"9" * 5000,
    b"n" * 70000,
)  # fmt: skip
_MOST_ADDED = 32 << 20  # bytes by which a repeated field may make a file longer


def mutate(data: bytes, random: Random, others: Sequence[bytes]) -> tuple[str, bytes]:
    """Return (name of the mutator, damaged bytes), which differ from `data`."""
    ways = [*_BLIND, *_proper(data)]
    for _ in range(20):
        way = random.choice(ways)
        try:
            found = way(data, random, others)
        except (WireError, GraphmapError, zipfile.BadZipFile, IndexError, ValueError):
            continue
        if found != data:
            return way.__name__.strip("_"), found
    return "cut_end", data[: len(data) // 2]


def _proper(data: bytes) -> list[Mutator]:
    """The mutators that know the kind of file, as often as the blind ones."""
    if is_table(data[-48:]):
        return [_entry_of_table, _entry_of_table, _key_of_table, _block_of_table, _snappy_block]
    if data[:4] == b"PK\3\4":
        return [_member_of_zip] * 4
    if data[8:9] == b"{":
        return [_safetensors_header] * 4
    if b"\0" in data[:4096] or data[:1] in (b"\x0a", b"\x08"):
        return [_field] * 5
    return [_text] * 3


# Blind ---------------------------------------------------------------------------------------


def _flip(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 8, 64))):
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def _cut_end(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    return data[: random.randrange(len(data))]


def _cut_middle(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start, length = random.randrange(len(data)), _length(data, random)
    return data[:start] + data[start + length :]


def _repeat(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start, length = random.randrange(len(data)), _length(data, random)
    return data[: start + length] * 1 + data[start : start + length] + data[start + length :]


def _splice(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    other = random.choice(others) if others else data
    start, length = random.randrange(max(1, len(other))), _length(other, random)
    at = random.randrange(len(data))
    piece = other[start : start + length]
    return data[:at] + piece + data[at + random.choice((0, len(piece))) :]


def _number(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    at, number = random.randrange(len(data)), random.choice(_NUMBERS)
    if random.random() < 0.5:
        piece = write_varint(number)
    else:
        piece = number.to_bytes(8, "little")[: random.choice((1, 2, 4, 8))]
    return data[:at] + piece + data[at + len(piece) :]


def _text(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + random.choice(_TEXTS) + data[at + random.choice((0, 1, 8)) :]


_BLIND: tuple[Mutator, ...] = (_flip, _cut_end, _cut_middle, _repeat, _splice, _number)
BLIND = frozenset(way.__name__.strip("_") for way in _BLIND)  # those that make no checksum anew


def _length(data: bytes, random: Random) -> int:
    return random.choice((1, 2, 4, 8, 64, 512, max(1, len(data) // 3)))


# Protocol buffers ----------------------------------------------------------------------------

Span = tuple[int, int, int, int]  # start of the tag, start of the payload, end, wire type


def _spans(data: bytes) -> list[Span]:
    """Return the fields of a message; raises WireError."""
    found, position = [], 0
    while position < len(data):
        start = position
        tag, position = read_varint(data, position)
        kind = tag & 7
        if kind == 0:
            payload = position
            _, position = read_varint(data, position)
        elif kind == 2:
            size, position = read_varint(data, position)
            payload = position
            position += size
        elif kind in (1, 5):
            payload = position
            position += 8 if kind == 1 else 4
        else:
            raise WireError("has a group")
        if position > len(data) or not tag >> 3:
            raise WireError("ends too early")
        found.append((start, payload, position, kind))
    return found


def _field(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Change one field somewhere in a message; the lengths around it stay right."""
    spans = _spans(data)
    start, payload, end, kind = random.choice(spans)
    tag = write_varint(read_varint(data, start)[0])
    if kind == 2 and random.random() < 0.8 and end > payload:
        try:
            inner = _field(data[payload:end], random, others)
        except (WireError, IndexError):
            inner = _payload(data[payload:end], random, others)
        return data[:start] + tag + write_varint(len(inner)) + inner + data[end:]
    choice = random.randrange(6)
    if choice == 0:
        return data[:start] + data[end:]
    if choice == 1:
        room = max(1, _MOST_ADDED // (end - start))
        return data[:end] + data[start:end] * min(random.choice((1, 2, 1000)), room) + data[end:]
    if choice == 2:
        other = random.choice(spans)
        return data[:start] + data[other[0] : other[2]] + data[end:]
    if kind == 0:
        return data[:payload] + write_varint(random.choice(_NUMBERS)) + data[end:]
    if kind == 2:
        inner = _payload(data[payload:end], random, others)
        return data[:start] + tag + write_varint(len(inner)) + inner + data[end:]
    return data[:payload] + _flip(data[payload:end], random, others) + data[end:]


def _payload(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    choice = random.randrange(5)
    if choice == 0 and data:
        return _flip(data, random, others)
    if choice == 1:
        return data * random.choice((2, 300))
    if choice == 2:  # nested in itself, as deep as protobuf allows and deeper
        for _ in range(random.choice((5, 99, 150))):
            data = b"\x0a" + write_varint(len(data)) + data
        return data
    return random.choice(_TEXTS)


# Tables --------------------------------------------------------------------------------------


def _entries(data: bytes) -> list[tuple[bytes, bytes]]:
    return list(read_table(data, "").items())


def _entry_of_table(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    rows = _entries(data)
    at = random.choice((0, random.randrange(len(rows))))
    key, value = rows[at]
    way = random.choice((_field, _field, _field, _payload, _number))
    rows[at] = (key, way(value, random, others) if value else random.choice(_TEXTS))
    return table_bytes(rows)


def _key_of_table(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    rows = _entries(data)
    at = random.randrange(len(rows))
    choice = random.randrange(4)
    if choice == 0:
        del rows[at]
    elif choice == 1:
        rows.insert(at, rows[at])
    elif choice == 2:
        other = random.randrange(len(rows))
        rows[at], rows[other] = rows[other], rows[at]
    else:
        rows[at] = (random.choice((*_TEXTS, rows[at][0][:-1])), rows[at][1])
        rows.sort()
    return table_bytes(rows)


def _block(rows: Sequence[tuple[bytes, bytes]], interval: int) -> bytes:
    block = Block(interval)
    for key, value in rows:
        block.add(key, value)
    return block.finish()


def _sealed(block: bytes, kind: int) -> bytes:
    body = block + bytes([kind])
    return body + mask(crc_of_bytes(body)).to_bytes(4, "little")


def _around(block: bytes, kind: int) -> bytes:
    """Return a table of one data block with right checksums, whatever the block holds."""
    empty, out = _block([], 16), bytearray(_sealed(block, kind))
    handles = []
    index = _block([(b"\xff", write_varint(0) + write_varint(len(block)))], 1)
    for part in (empty, index):
        handles.append(write_varint(len(out)) + write_varint(len(part)))
        out += _sealed(part, 0)
    return bytes(out + b"".join(handles).ljust(40, b"\0") + MAGIC)


def _block_of_table(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    block = _block(_entries(data)[:200], 16)
    way = random.choice((_flip, _number, _cut_end, _splice, _repeat))
    return _around(way(block, random, others), random.choice((0, 0, 0, 1, 2)))


def _snappy_block(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    block = _block(_entries(data)[:200], 16)
    packed = bytearray(write_varint(random.choice((len(block), *_NUMBERS))))
    for start in range(0, len(block), 60):
        piece = block[start : start + 60]
        packed += bytes([(len(piece) - 1) << 2]) + piece
    return _around(_flip(bytes(packed), random, others), 1)


# Archives ------------------------------------------------------------------------------------


def _member_of_zip(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        infos = old.infolist()
        chosen = random.randrange(len(infos))
        for at, info in enumerate(infos):
            content = old.read(info)
            if at == chosen and content:
                content = random.choice((*_BLIND, _text))(content, random, others)
            new.writestr(zipfile.ZipInfo(info.filename), content)
    return out.getvalue()


def _safetensors_header(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    size = int.from_bytes(data[:8], "little")
    header = random.choice((*_BLIND, _text, _text))(data[8 : 8 + size], random, others)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]

"""The table format: what is written is read, and no damage goes unseen."""

import pytest
from bundle_writer import table_bytes
from fuzz_mutators import _around

from graphmap.errors import CorruptArtifactError
from graphmap.formats.crc import _in_python, crc_of_buffer, crc_of_bytes, mask
from graphmap.formats.snappy import SnappyError, decompress
from graphmap.formats.sstable import read_table

SMALL = [(b"", b"header"), (b"a/kernel", b"x" * 40), (b"a/kernel/Adam", b""), (b"b", b"y")]
LARGE = [(f"layer_{number:06d}/kernel".encode(), b"v" * 30) for number in range(20_000)]


@pytest.mark.parametrize("entries", [SMALL, LARGE, []], ids=["one block", "many blocks", "empty"])
def test_what_is_written_is_read(entries):
    assert list(read_table(table_bytes(entries), "t").items()) == entries


def test_every_flipped_byte_is_an_error():
    good = table_bytes(SMALL)
    padding = range(len(good) - 48, len(good) - 8)  # the footer's zeros mean nothing
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 0x41
        if position in padding and good[position] == 0:
            continue
        with pytest.raises(CorruptArtifactError):
            read_table(bytes(bad), "t")


def test_every_cut_is_an_error():
    good = table_bytes(SMALL)
    for end in range(len(good)):
        with pytest.raises(CorruptArtifactError, match="no table footer"):
            read_table(good[:end], "t")


def test_keys_out_of_order_are_an_error():
    with pytest.raises(CorruptArtifactError, match="out of order"):
        read_table(table_bytes([(b"b", b""), (b"a", b"")]), "t")


def test_checksums_agree_whoever_computes_them():
    data = bytes(range(256)) * 5
    assert crc_of_bytes(data) == crc_of_buffer(memoryview(data), 0) == _in_python(data, 0)
    assert _in_python(b"123456789", 0) == 0xE3069283  # the standard's check value
    assert crc_of_bytes(b"6789", crc_of_bytes(b"12345")) == 0xE3069283
    assert mask(0) == 0xA282EAD8


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x00", b""),
        (b"\x05\x10hello", b"hello"),
        (b"\x08\x04ab\x09\x02", b"abababab"),
        (b"\x06\x08abc\x0a\x03\x00", b"abcabc"),
    ],
)
def test_snappy(packed, plain):
    assert decompress(packed) == plain


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x05\x10hell",  # literal past the end
        b"\x08\x04ab\x09\x03",  # copy from before the start
        b"\x09\x04ab\x09\x02",  # shorter than declared
        b"\x04\x04ab\x09\x02",  # longer than declared
        b"\xff\xff\xff\xff\x0f\x00",  # declares 4 GiB
    ],
)
def test_broken_snappy(packed):
    with pytest.raises(SnappyError):
        decompress(packed)


def test_a_block_without_restart_points_is_an_error():
    block = b"\0\1\1ab" + bytes(4)
    with pytest.raises(CorruptArtifactError, match="claims 0 restart points"):
        read_table(_around(block, 0), "t")

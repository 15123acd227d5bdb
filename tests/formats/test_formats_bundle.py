"""Checkpoints: listing, values, and every damage with its own answer."""

from pathlib import Path

import numpy
import pytest
from bundle_writer import HEADER, entry_bytes, field, string_bytes, table_bytes, write_bundle

from graphmap.errors import ArtifactError, CorruptArtifactError, MissingDataError
from graphmap.formats.bundle import read_bundle
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.footer import MAGIC
from graphmap.formats.mapped_table import MappedTable
from graphmap.formats.registry import read_artifact
from graphmap.formats.slices import slice_key
from graphmap.formats.sstable import index_of_blocks
from graphmap.formats.table_writer import Block
from graphmap.formats.values import BundleValues
from graphmap.formats.wire import write_varint

KERNEL = numpy.arange(12, dtype="<f4").reshape(3, 4)


@pytest.fixture
def prefix(tmp_path):
    prefix = tmp_path / "model.ckpt-5"
    write_bundle(
        prefix,
        {
            "net/kernel": (1, (3, 4), KERNEL.tobytes()),
            "net/bias": (1, (0,), b""),
            "global_step": (9, (), (5).to_bytes(8, "little")),
        },
    )
    return prefix


def write_index(prefix, entries):
    (prefix.parent / f"{prefix.name}.index").write_bytes(table_bytes([(b"", HEADER), *entries]))


def test_listing_and_values(prefix):
    model = read_artifact(str(prefix))
    assert (model.kind, model.warnings, model.graph) == ("checkpoint", (), None)
    assert [tuple(tensor) for tensor in model.tensors] == [
        ("global_step", "global_step", (), "int64", 8),
        ("net/bias", "net/bias", (0,), "float32", 0),
        ("net/kernel", "net/kernel", (3, 4), "float32", 48),
    ]
    assert model.values.read("global_step") == 5
    assert numpy.array_equal(model.values.read("net/kernel"), KERNEL)
    assert model.values.read("net/bias").shape == (0,)


def test_a_key_that_is_not_there(prefix):
    with pytest.raises(KeyError):
        read_artifact(str(prefix)).values.read("net/nothing")


def test_a_flipped_byte_of_a_value_is_an_error(prefix):
    data = prefix.parent / f"{prefix.name}.data-00000-of-00001"
    bad = bytearray(data.read_bytes())
    bad[-1] ^= 1
    data.write_bytes(bad)
    values = read_artifact(str(prefix)).values
    with pytest.raises(CorruptArtifactError, match="checksum"):
        values.read("net/kernel")
    assert values.read("global_step") == 5


def test_a_missing_data_file_is_a_warning_until_values_are_wanted(prefix):
    (prefix.parent / f"{prefix.name}.data-00000-of-00001").unlink()
    model = read_artifact(str(prefix))
    assert len(model.tensors) == 3
    assert "missing" in model.warnings[0]
    with pytest.raises(MissingDataError, match="missing"):
        model.values.read("net/kernel")


def test_a_short_data_file_is_a_warning_until_values_are_wanted(prefix):
    data = prefix.parent / f"{prefix.name}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])
    model = read_artifact(str(prefix))
    assert model.warnings == ("net/kernel: lies past the end of its data file, which is too short",)
    with pytest.raises(MissingDataError, match="too short"):
        model.values.read("net/kernel")


def test_every_cut_of_an_index_is_an_artifact_error(prefix):
    index = prefix.parent / f"{prefix.name}.index"
    whole = index.read_bytes()
    for end in range(len(whole)):
        index.write_bytes(whole[:end])
        with pytest.raises(ArtifactError):
            read_artifact(str(prefix))


BAD_ENTRIES = [
    (b"\xff" * 12, "number of over ten bytes"),
    (field(1, 1) + field(2, field(3, 1)), "unknown rank"),
    (field(1, 1) + field(2, field(2, field(1, 2**64 - 1))), "size of -1"),
    (field(1, 1) + field(2, field(2, field(1, 2**40)) * 2), "2^63"),
    (field(1, 1) + field(2, field(2, field(1, 1)) * 300), "rank 300"),
    (entry_bytes(77, (1,), 0, 4, 0), "unknown dtype 77"),
    (entry_bytes(1, (3,), 0, 4, 0), "shape and type need 12"),
    (entry_bytes(1, (1,), 0, 4, 0, shard=3), "data file 3 of 1"),
    (entry_bytes(1, (1,), 2**40, 4, 0), "past the end"),
]


@pytest.mark.parametrize(("entry", "words"), BAD_ENTRIES)
def test_a_bad_entry_is_a_warning_and_the_others_are_listed(prefix, entry, words):
    write_index(prefix, [(b"bad", entry), (b"good", entry_bytes(1, (), 0, 4, 0))])
    bundle = read_bundle(str(prefix))
    assert "good" in [tensor.name for tensor in bundle.tensors]
    assert len(bundle.warnings) == 1
    assert bundle.warnings[0].startswith("bad: ")
    assert words in bundle.warnings[0]


def test_a_key_that_is_not_utf8_is_shown_with_escapes(prefix):
    write_index(prefix, [(b"w\xff", entry_bytes(1, (), 0, 4, 0))])
    assert [tensor.name for tensor in read_bundle(str(prefix)).tensors] == ["w\\xff"]


def test_an_index_without_a_header_is_an_error(prefix):
    (prefix.parent / f"{prefix.name}.index").write_bytes(
        table_bytes([(b"w", entry_bytes(1, (), 0, 4, 0))])
    )
    with pytest.raises(CorruptArtifactError, match="header"):
        read_bundle(str(prefix))


def test_string_tensors(tmp_path):
    stored, crc = string_bytes([b"one", b"", b"three"])
    write_bundle(tmp_path / "m", {"words": (7, (3,), stored)})
    index = table_bytes([(b"", HEADER), (b"words", entry_bytes(7, (3,), 0, len(stored), crc))])
    (tmp_path / "m.index").write_bytes(index)
    values = BundleValues(read_bundle(str(tmp_path / "m")))
    assert list(values.read("words")) == [b"one", b"", b"three"]


@pytest.mark.parametrize(("count", "cut"), [(4, 0), (2**40, 0), (3, 1)])
def test_broken_string_tensors(tmp_path, count, cut):
    stored, crc = string_bytes([b"one", b"", b"three"])
    write_bundle(tmp_path / "m", {"words": (7, (3,), stored)})
    entry = entry_bytes(7, (count,), 0, len(stored) - cut, crc)
    (tmp_path / "m.index").write_bytes(table_bytes([(b"", HEADER), (b"words", entry)]))
    with pytest.raises(CorruptArtifactError):
        BundleValues(read_bundle(str(tmp_path / "m"))).read("words")


def sliced(parts):
    """A full-name entry of shape (4, 3) with the given slices."""
    encoded = b""
    for part in parts:
        extents = b"".join(field(1, field(1, start) + field(2, length)) for start, length in part)
        encoded += field(7, extents)
    return field(1, 1) + field(2, field(2, field(1, 4)) + field(2, field(1, 3))) + encoded


def write_partitioned(prefix, parts):
    data, entries = b"", [(b"emb", sliced(parts))]
    for part in parts:
        (start, length), _ = part
        value = numpy.arange(start * 3, (start + length) * 3, dtype="<f4").tobytes()
        crc = crc_of_bytes(value)
        entry = entry_bytes(1, (length, 3), len(data), len(value), crc)
        entries.append((slice_key(b"emb", part), entry))
        data += value
    write_index(prefix, sorted(entries))
    (prefix.parent / f"{prefix.name}.data-00000-of-00001").write_bytes(data)


def test_a_partitioned_variable_is_one_tensor(tmp_path):
    write_partitioned(tmp_path / "p", [((0, 2), (0, 3)), ((2, 2), (0, 3))])
    model = read_artifact(str(tmp_path / "p"))
    assert [(tensor.name, tensor.shape, tensor.nbytes) for tensor in model.tensors] == [
        ("emb", (4, 3), 48)
    ]
    assert numpy.array_equal(model.values.read("emb"), numpy.arange(12, dtype="f4").reshape(4, 3))


@pytest.mark.parametrize(
    "parts",
    [
        [((0, 2), (0, 3))],  # a gap
        [((0, 3), (0, 3)), ((2, 2), (0, 3))],  # an overlap
        [((0, 2), (0, 3)), ((3, 2), (0, 3))],  # outside
    ],
)
def test_pieces_that_do_not_cover_are_an_error(tmp_path, parts):
    write_partitioned(tmp_path / "p", parts)
    model = read_artifact(str(tmp_path / "p"))
    assert model.warnings[0].startswith("emb: ")
    with pytest.raises(CorruptArtifactError):
        model.values.read("emb")


def test_big_endian_values(tmp_path):
    value = numpy.arange(3, dtype=">f4").tobytes()
    write_bundle(tmp_path / "b", {"w": (1, (3,), value)})
    entry = entry_bytes(1, (3,), 0, 12, crc_of_bytes(value))
    header = field(1, 1) + field(2, 1)
    (tmp_path / "b.index").write_bytes(table_bytes([(b"", header), (b"w", entry)]))
    model = read_artifact(str(tmp_path / "b"))
    assert list(model.values.read("w")) == [0, 1, 2]
    assert len(model.warnings) == 1 and "big-endian" in model.warnings[0]


def test_bfloat16(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    value = numpy.array([1, 2.5], dtype=ml_dtypes.bfloat16)
    write_bundle(tmp_path / "h", {"w": (14, (2,), value.tobytes())})
    model = read_artifact(str(tmp_path / "h"))
    assert model.tensors[0].dtype == "bfloat16"
    assert list(model.values.read("w").astype(float)) == [1, 2.5]


def test_masked_checksum_of_nothing():
    assert entry_bytes(1, (0,), 0, 0, 0).endswith(mask(0).to_bytes(4, "little"))


def compressed(table):
    """Return a table whose data blocks are snappy streams of literals."""
    out, index = bytearray(), Block(1)

    def append(block, kind):
        place = write_varint(len(out)) + write_varint(len(block))
        framed = block + bytes([kind])
        out.extend(framed + mask(crc_of_bytes(framed)).to_bytes(4, "little"))
        return place

    for offset, size, last in index_of_blocks(table, "table"):
        block = table[offset : offset + size]
        pieces = [block[at : at + 60] for at in range(0, size, 60)]
        literals = b"".join(bytes([len(piece) - 1 << 2]) + piece for piece in pieces)
        index.add(last, append(write_varint(size) + literals, 1))
    footer = append(Block(1).finish(), 0) + append(index.finish(), 0)
    return bytes(out) + footer.ljust(40, b"\0") + MAGIC


def test_compressed_blocks_are_read_as_plain_ones(prefix):
    plain = read_artifact(str(prefix))
    index = Path(f"{prefix}.index")
    index.write_bytes(compressed(index.read_bytes()))
    model = read_artifact(str(prefix))
    assert model.tensors == plain.tensors and model.warnings == plain.warnings
    for tensor in model.tensors:
        assert numpy.array_equal(model.values.read(tensor.key), plain.values.read(tensor.key))


def test_a_mapped_table_of_compressed_blocks():
    entries = [(b"%04d" % number, bytes(number)) for number in range(300)]
    table = MappedTable(memoryview(compressed(table_bytes(entries))), "table")
    assert all(table[key] == value for key, value in entries)
    assert b"absent" not in table and b"0300" not in table


def test_a_mapped_table_verifies_what_it_gives():
    data = bytearray(table_bytes([(b"a", b"x" * 300_000), (b"b", b"y" * 10)]))
    data[1000] ^= 1  # inside the first value, a block of its own
    table = MappedTable(memoryview(bytes(data)), "table")
    assert b"a" in table and table[b"b"] == b"y" * 10
    with pytest.raises(CorruptArtifactError, match="checksum"):
        table[b"a"]

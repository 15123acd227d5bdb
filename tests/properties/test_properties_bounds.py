"""Files of a few KB that declare huge things: docs/malformed.md lists the bounds that they meet.

Each is read in a process of its own, whose address space ends at 1 GiB and whose CPU time at 20 s.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy
import pytest
from bundle_writer import HEADER, entry_bytes, field, string_bytes, table_bytes, write_bundle
from fuzz_mutators import _around, _block, _sealed

import graphmap
from graphmap.errors import ArtifactError
from graphmap.formats.bundle import OBJECT_GRAPH_KEY
from graphmap.formats.footer import MAGIC
from graphmap.formats.slices import slice_key
from graphmap.formats.wire import write_varint as varint
from graphmap.schema import message_class

ROOM = 1 << 30  # bytes of address space
SECONDS = 20  # of CPU
HUGE = (1 << 62) - 1


def shape(*sizes: int) -> bytes:
    return b"".join(field(2, field(1, size)) for size in sizes)


def index(path: Path, *rows: tuple[bytes, bytes], header: bytes = HEADER) -> None:
    write_bundle(path / "m", {"w": (1, (6,), bytes(24))})
    (path / "m.index").write_bytes(table_bytes([(b"", header), *rows]))


def entry(dims: bytes, size: int, dtype: int = 1) -> bytes:
    return field(1, dtype) + field(2, dims) + field(5, size)


def handles_of_one_block(path: Path) -> None:
    """An index block of 40,000 handles, each of the same large block without an entry."""
    filler = b"\0" * (1 << 20) + (1 << 18).to_bytes(4, "little")  # restart points only
    out = bytearray(_sealed(filler, 0))
    handle = varint(0) + varint(len(filler))
    rows = [(str(10**6 + at).encode(), handle) for at in range(40_000)]
    footer = b""
    for block in (_block([], 16), _block(rows, 16)):
        footer += varint(len(out)) + varint(len(block))
        out += _sealed(block, 0)
    (path / "m.index").write_bytes(bytes(out) + footer.ljust(40, b"\0") + MAGIC)


def pieces(path: Path) -> None:
    """20,000 pieces along the second axis: comparing each with each would take an hour."""
    count = 20_000
    parts = [((0, 1), (at, 1)) for at in range(count - 1)] + [((0, 1), (5, 1))]
    encoded = [
        b"".join(field(1, field(1, start) + field(2, size)) for start, size in part)
        for part in parts
    ]
    whole = entry(shape(1, count), 0) + b"".join(field(7, part) for part in encoded)
    rows = {slice_key(b"w", part): entry_bytes(1, (1, 1), 0, 4, 0) for part in parts}
    index(path, *sorted(rows.items()), (b"w", whole))


def snappy_bomb(path: Path) -> None:
    packed = varint(1 << 40) + b"\x04ab" + b"\xfe\x02\x00" * 1000
    (path / "m.index").write_bytes(_around(packed, 1))


def long_object_graph(path: Path) -> None:
    chain = b"".join(field(1, field(1, field(1, at + 1) + field(2, b"x"))) for at in range(500))
    ring = chain + field(1, field(1, field(1, 0) + field(2, b"x")))
    stored, crc = string_bytes([ring])
    write_bundle(path / "m", {OBJECT_GRAPH_KEY: (7, (), stored)})
    row = (OBJECT_GRAPH_KEY.encode(), entry_bytes(7, (), 0, len(stored), crc))
    (path / "m.index").write_bytes(table_bytes([(b"", HEADER), row]))


def constant(path: Path, *sizes: int) -> None:
    """A weight of a frozen graph, one value for all its elements."""
    graph = message_class("GraphDef")()
    node = graph.node.add(name="w", op="Const")
    node.attr["dtype"].type = 1
    tensor = node.attr["value"].tensor
    tensor.dtype = 1
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.append(1.0)
    graph.node.add(name="y", op="MatMul", input=["w", "w"])
    (path / "g.pb").write_bytes(graph.SerializeToString())


def nested(path: Path) -> None:
    inner = b""
    for _ in range(3000):
        inner = b"\x0a" + varint(len(inner)) + inner
    (path / "g.pb").write_bytes(field(1, field(1, b"a") + field(2, b"NoOp")) + inner)


def v1_splat(path: Path) -> None:
    dims = shape(1 << 30)
    part = field(1, b"")
    meta = field(1, b"w") + field(2, dims) + field(3, 1) + field(4, part)
    proto = message_class("TensorProto")(dtype=1, float_val=[1.0]).SerializeToString()
    saved = field(1, b"w") + field(2, part) + field(3, proto)
    rows = [(b"", field(1, field(1, meta))), (slice_key(b"w", ((0, -1),)), field(2, saved))]
    (path / "m.ckpt").write_bytes(table_bytes(rows))


def hdf5(path: Path, **options: object) -> None:
    with h5py.File(path / "m.h5", "w") as file:
        file.create_dataset("w", dtype="f4", **options)


def zip_that_lies(path: Path) -> None:
    with zipfile.ZipFile(path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    data = (path / "m.keras").read_bytes()
    small = struct.pack("<II", 8, 8)
    (path / "m.keras").write_bytes(data.replace(small, struct.pack("<II", 8, 0xFFFFFFF0)))


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda path: (path / name).write_text(content)


def tensors(**rows: object) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        header = json.dumps(rows).encode()
        (path / "m.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))

    return write


CASES = {  # what is there, and what is told of it
    "data files": (lambda p: index(p, header=field(1, (1 << 20) - 1)), "m", "10000|more data"),
    "too many data files": (lambda p: index(p, header=field(1, 1 << 62)), "m", "names 46116"),
    "elements": (lambda p: index(p, (b"w", entry(shape(HUGE, 4), 24))), "m", "2^63"),
    "bytes": (lambda p: index(p, (b"w", entry(shape(6), HUGE))), "m", "type need 24"),
    "rank": (lambda p: index(p, (b"w", entry(shape(*[1] * 300), 4))), "m", "rank 300"),
    "strings": (lambda p: index(p, (b"w", entry(shape(1 << 30), 24, 7))), "m", "1073741824"),
    "pieces": (pieces, "m", "overlap or leave gaps"),
    "handles": (handles_of_one_block, "m", "more blocks than"),
    "restart points": (
        lambda p: (p / "m.index").write_bytes(_around(b"\xff\xff\xff\x7f", 0)), "m", "2147483647"
    ),
    "snappy": (snappy_bomb, "m", "over the limit"),
    "object graph": (long_object_graph, "m", ""),
    "state file of lines": (text("checkpoint", "\n" * 300_000), ".", "no checkpoint"),
    "path in a state file": (
        text("checkpoint", f'model_checkpoint_path: "{"a/" * 5_000}"'), ".", "no checkpoint"
    ),
    "constant": (lambda p: constant(p, 1 << 20, 1 << 20), "g.pb", ""),
    "nested proto": (nested, "g.pb", "break off or are damaged"),
    "nested text": (
        text("g.pbtxt", "node { attr { value { list { " * 1500), "g.pbtxt", "text form"
    ),
    "V1 splat": (v1_splat, "m.ckpt", "elements"),
    "header": (
        lambda p: (p / "m.safetensors").write_bytes(struct.pack("<Q", 99_000_000) + b"{}" * 9),
        "m.safetensors", "no kind",
    ),
    "tensor": (
        tensors(w={"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 8]}),
        "m.safetensors", "impossible",
    ),
    "offsets": (
        tensors(w={"dtype": "U8", "shape": [HUGE], "data_offsets": [0, HUGE]}),
        "m.safetensors", "too short",
    ),
    "digits": (
        text("n.json", f'[{{"name": "w", "shape": [{"9" * 9000}]}}]'), "n.json", "JSON|shape"
    ),
    "dataset": (lambda p: hdf5(p, shape=(1 << 20, 1 << 20)), "m.h5", "4,398,046,511,104"),
    "compressed dataset": (
        lambda p: hdf5(p, shape=(1 << 20, 1 << 20), chunks=(64, 64), compression="gzip"),
        "m.h5", "more than",
    ),
    "archive": (zip_that_lies, "m.keras", "unpack to too much"),
}  # fmt: skip


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are Linux's")
@pytest.mark.parametrize("case", CASES)
def test_a_huge_number_takes_no_memory(tmp_path, case):
    make, target, told = CASES[case]
    make(tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "graphmap", "inspect", target, "--verify-data"],
        cwd=tmp_path,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        preexec_fn=limited,
    )
    said = result.stderr
    assert result.returncode in (0, 2), said
    assert "Traceback" not in said and "internal error" not in said, said
    if told:
        assert any(word in said for word in told.split("|")), said
    else:
        assert result.returncode == 0, said


def test_the_files_are_small(tmp_path):
    """The law is about small files; three cases are about what would take long, not much."""
    for at, (case, (make, _, _)) in enumerate(CASES.items()):
        folder = tmp_path / str(at)
        folder.mkdir()
        make(folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
        assert size < 70_000 or case in ("pieces", "handles", "state file of lines"), case


@pytest.mark.parametrize(("dtype", "rank"), [(9999, 1), (1, 100)])
def test_a_constant_that_numpy_cannot_hold_is_one_error(tmp_path, dtype, rank):
    constant(tmp_path, *[1] * rank)
    graph = message_class("GraphDef")()
    graph.ParseFromString((tmp_path / "g.pb").read_bytes())
    graph.node[0].attr["value"].tensor.dtype = dtype
    graph.node[0].attr["value"].tensor.tensor_content = bytes(4)
    del graph.node[0].attr["value"].tensor.float_val[:]
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    stored = graphmap.load(tmp_path / "g.pb").opened.stored.graph
    with pytest.raises(ArtifactError, match=r"cannot be read as numbers|beyond what numpy"):
        stored.nodes[0].attrs["value"].array()


def test_a_value_that_is_repeated_too_often_is_not_expanded(tmp_path):
    constant(tmp_path, 1 << 15, 1 << 15)
    with pytest.raises(ArtifactError, match="holds 1 values"):
        graphmap.load(tmp_path / "g.pb").read("w")
    constant(tmp_path, 1 << 10, 1 << 10)
    value = graphmap.load(tmp_path / "g.pb").read("w")
    assert value.shape == (1024, 1024) and numpy.all(value == 1)

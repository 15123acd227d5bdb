"""Laws of every reader: no damage ends in anything but an error of ours, or facts with a warning.

What a checksum or a length covers is never lost without a word. Where a format has neither (a
GraphDef that ends between two nodes is a shorter GraphDef), only the first law holds.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import h5py
import numpy
import pytest
from bundle_writer import field, table_bytes
from fuzz_mutators import mutate
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphmap
from graphmap.errors import GraphmapError
from graphmap.formats.slices import slice_key
from graphmap.formats.wire import WireError, fields
from graphmap.schema import message_class

FIXTURES = Path(__file__).parents[2] / "fixtures"
KERNEL = numpy.arange(12, dtype="<f4").reshape(4, 3)
LAW = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Kind(NamedTuple):
    """One file of an artifact, and what its format can notice.

    cuts, flips: "told" where every one ends in an error, a warning or the same facts.
    """

    folder: str  # under fixtures/, copied whole; "" for none
    file: str
    target: str
    cuts: str = "told"
    flips: str = "any"


KINDS = {
    "index": Kind("weights_only", "model.ckpt-5.index", "model.ckpt-5", flips="told"),
    "data": Kind("weights_only", "model.ckpt-5.data-00000-of-00001", "model.ckpt-5", flips="told"),
    "pieces": Kind("partitioned", "model.ckpt.index", "model.ckpt", flips="told"),
    "objects": Kind("object_checkpoint", "object.ckpt.index", "object.ckpt", flips="told"),
    "V1": Kind("", "v1.ckpt", "v1.ckpt", flips="told"),
    "graph": Kind("", "graph.pb", "graph.pb", cuts="between fields"),
    "meta": Kind("adam_saver", "model.ckpt-5.meta", "model.ckpt-5", cuts="between fields"),
    "saved model": Kind("adam_saved_model", "saved_model.pb", ".", cuts="between fields"),
    "text graph": Kind("", "graph.pbtxt", "graph.pbtxt", cuts="between lines"),
    "safetensors": Kind("", "m.safetensors", "m.safetensors"),
    "h5": Kind("", "m.h5", "m.h5"),
    "keras": Kind("", "m.keras", "m.keras", flips="told"),
    "shards": Kind("", "m.safetensors.index.json", "m.safetensors.index.json"),
    "map": Kind("", "map.json", "map.json"),
}


def v1_checkpoint() -> bytes:
    """A V1 checkpoint of one variable in two slices."""
    shape = b"".join(field(2, field(1, size)) for size in KERNEL.shape)
    parts = (((0, 2), (0, 3)), ((2, 2), (0, 3)))
    encoded = [
        b"".join(field(1, field(1, start) + field(2, length)) for start, length in part)
        for part in parts
    ]
    meta = field(1, b"w") + field(2, shape) + field(3, 1) + b"".join(field(4, e) for e in encoded)
    rows = [(b"", field(1, field(1, meta) + field(2, field(1, 0))))]
    for part, code in zip(parts, encoded, strict=True):
        values = KERNEL[part[0][0] : part[0][0] + 2].ravel()
        proto = message_class("TensorProto")(dtype=1, float_val=values)
        saved = field(1, b"w") + field(2, code) + field(3, proto.SerializeToString())
        rows.append((slice_key(b"w", part), field(2, saved)))
    return table_bytes(rows)


def h5_bytes() -> bytes:
    """A model of Keras 2."""
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["keras_version"] = "2.9.0"
        weights = file.create_group("model_weights/dense")
        weights.attrs["weight_names"] = [b"dense/kernel:0"]
        weights["dense/kernel:0"] = KERNEL
        weights.create_dataset("packed", data=KERNEL, chunks=(2, 3), compression="gzip")
    return out.getvalue()


def keras_bytes() -> bytes:
    """An archive of Keras 3."""
    weights, out = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = KERNEL
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights.getvalue())
    return out.getvalue()


def safetensors_bytes() -> bytes:
    """One value."""
    row = {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}
    text = json.dumps({"w": row}).encode()
    return len(text).to_bytes(8, "little") + text + KERNEL.tobytes()


def write_artifact(kind: Kind, folder: Path) -> Path:
    """Make the sound artifact; returns the file that is damaged."""
    if kind.folder:
        shutil.copytree(FIXTURES / kind.folder, folder, dirs_exist_ok=True)
        return folder / kind.file
    meta = message_class("MetaGraphDef")()
    meta.ParseFromString((FIXTURES / "adam_saver/model.ckpt-5.meta").read_bytes())
    del meta.graph_def.node[12:]
    (folder / "m.safetensors").write_bytes(safetensors_bytes())
    contents = {
        "v1.ckpt": v1_checkpoint,
        "graph.pb": meta.graph_def.SerializeToString,
        "graph.pbtxt": lambda: text_format.MessageToString(meta.graph_def).encode(),
        "m.safetensors": safetensors_bytes,
        "m.safetensors.index.json": lambda: b'{"weight_map": {"w": "m.safetensors"}}',
        "m.h5": h5_bytes,
        "m.keras": keras_bytes,
        "map.json": lambda: b'{"a": "b", "c": "d"}',
    }
    (folder / kind.file).write_bytes(contents[kind.file]())
    return folder / kind.file


def facts(path: Path) -> tuple[object, bool]:
    """Return (all that an artifact tells, whether anything was warned of)."""
    if path.name == "map.json":
        return dict(graphmap.NameMap.load(path)), False
    artifact = graphmap.load(path)
    warnings = (*artifact.warnings, *artifact.verify_data())
    graph = artifact.opened.stored.graph
    nodes = [node[:4] for node in graph.nodes] if graph is not None else []
    tensors = artifact.tensors()
    rows = {v.name: (v.shape, v.dtype) for v in artifact.variables}
    values = {name: digest(tensors[name]) for name in tensors}
    _ = artifact.train_ops, artifact.graph, graphmap.audit(artifact)
    return (rows, values, nodes), bool(warnings)


def digest(value: numpy.ndarray) -> str:
    data = repr(value.tolist()).encode() if value.dtype == object else value.tobytes()
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module", params=KINDS)
def sound(request, tmp_path_factory):
    """Return (kind, its file, its target, its bytes, its facts); the artifact is sound again."""
    kind = KINDS[request.param]
    folder = tmp_path_factory.mktemp("damage")
    file = write_artifact(kind, folder)
    target = folder / kind.target
    expected, _ = facts(target)
    assert expected, "a law about nothing"
    return kind, file, target, file.read_bytes(), expected


def outcome(file: Path, data: bytes, target: Path, expected: object) -> str:
    """Read damaged bytes; returns told, same or silent. Any other exception leaves."""
    file.write_bytes(data)
    try:
        found, warned = facts(target)
    except GraphmapError as error:
        assert error.message and "\n" not in error.message
        return "told"
    return "told" if warned else "same" if found == expected else "silent"


def is_whole(data: bytes, cuts: str) -> bool:
    """Tell whether a message that was cut is a shorter one, which no reader can tell."""
    if cuts == "between lines":
        return data.rstrip().endswith(b"}") and data.count(b"{") == data.count(b"}")
    try:
        return cuts == "between fields" and bool(list(fields(data)))
    except WireError:
        return False


@LAW
@given(part=st.floats(0, 1, exclude_max=True))
def test_a_cut_is_told(sound, part):
    kind, file, target, data, expected = sound
    shorter = data[: int(len(data) * part)]
    found = outcome(file, shorter, target, expected)
    assert found != "silent" or is_whole(shorter, kind.cuts)


@LAW
@given(part=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_flipped_byte_is_told_where_a_checksum_covers_it(sound, part, bits):
    kind, file, target, data, expected = sound
    damaged = bytearray(data)
    damaged[int(len(data) * part)] ^= bits
    assert outcome(file, bytes(damaged), target, expected) != "silent" or kind.flips == "any"


@LAW
@given(seed=st.integers(0, 1 << 32))
def test_lengths_fields_and_entries_that_lie_end_in_no_other_exception(sound, seed):
    _, file, target, data, expected = sound
    _, damaged = mutate(data, Random(seed), [data])
    outcome(file, damaged, target, expected)

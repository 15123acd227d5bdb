"""Defects of containers that a reader tells of and reads past."""

import pytest
from bundle_writer import HEADER, entry_bytes, field, string_bytes, table_bytes, write_bundle

import graphmap
from graphmap.errors import MissingDataError
from graphmap.formats.bundle import OBJECT_GRAPH_KEY
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.registry import read_artifact
from graphmap.formats.saved_objects import object_defects
from graphmap.schema import message_class

FLOATS = bytes(24)


def warnings(path):
    return read_artifact(str(path)).warnings


def header(*version):
    return field(1, 1) + field(3, b"".join(field(*part) for part in version))


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ([(1, 99), (2, 99)], "asks for a reader of version 99"),
        ([(1, 1), (3, 1)], "readers of version 1 cannot read it"),
        ([(1, 1), (3, b"\1\7")], "readers of version 1 cannot read it"),
    ],
)
def test_a_header_that_shuts_this_reader_out(tmp_path, version, sentence):
    write_bundle(tmp_path / "m", {"w": (1, (6,), FLOATS)})
    entry = entry_bytes(1, (6,), 0, 24, 0)
    (tmp_path / "m.index").write_bytes(table_bytes([(b"", header(*version)), (b"w", entry)]))
    (found,) = warnings(tmp_path / "m")
    assert sentence in found


def test_a_resource_is_no_value(tmp_path):
    write_bundle(tmp_path / "m", {"w": (1, (6,), FLOATS)})
    entry = entry_bytes(20, (6,), 0, 24, 0)
    (tmp_path / "m.index").write_bytes(table_bytes([(b"", HEADER), (b"w", entry)]))
    (found,) = warnings(tmp_path / "m")
    assert found == "w: has the type resource, of which no value can be stored"


def object_checkpoint(folder, encoded):
    stored, crc = string_bytes([encoded])
    write_bundle(folder / "m", {"w": (1, (6,), FLOATS), OBJECT_GRAPH_KEY: (7, (), stored)})
    rows = [(OBJECT_GRAPH_KEY.encode(), entry_bytes(7, (), 0, len(stored), crc))]
    rows.append((b"w", entry_bytes(1, (6,), len(stored), 24, 0)))
    (folder / "m.index").write_bytes(table_bytes([(b"", HEADER), *rows]))


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (field(1, field(1, 9) + field(2, b"x")), "refers to objects that are not there"),
        (field(1, field(1, 2**64 - 1)), "refers to objects that are not there"),
        (field(3, field(1, 77) + field(2, b"m") + field(3, 0)), "refers to objects that are not"),
        (
            field(2, field(1, b"VARIABLE_VALUE") + field(3, b"ghost")),
            "keys that are not there: ghost",
        ),
    ],
)
def test_an_object_graph_that_names_what_is_not_there(tmp_path, node, sentence):
    object_checkpoint(tmp_path, field(1, node))
    (found,) = warnings(tmp_path / "m")
    assert sentence in found


SAVED = {
    "objects past its 1": field(1, field(1, field(1, 99))),
    "objects past its 2": field(1, b"") + field(1, field(15, field(1, 5))),
    "functions that are not there: ghost": field(1, field(6, field(1, b"ghost"))),
    "asset files past the 1": field(1, field(5, field(1, 7))),
    "over 2^63: v": field(1, field(7, field(2, field(2, field(1, 2**62)) * 2) + field(6, b"v"))),
    "ends inside a number": b"\x0a",
}


@pytest.mark.parametrize("sentence", SAVED)
def test_a_saved_object_graph_that_names_what_is_not_there(sentence):
    (found,) = object_defects(SAVED[sentence], {"f"}, 1)
    assert sentence in found


def test_a_sound_object_graph():
    concrete = field(2, field(1, b"g"))
    objects = field(1, field(1, field(1, 1)) + field(5, b"")) + field(1, field(6, field(1, b"f")))
    assert object_defects(objects + field(1, field(8, field(1, b"g"))) + concrete, {"f"}, 1) == ()


def test_graph_and_checkpoint_that_differ(tmp_path):
    write_bundle(tmp_path / "m", {"v": (1, (6,), FLOATS), "w": (1, (2, 3), FLOATS)})
    meta = message_class("MetaGraphDef")()
    for name, dtype in (("v", 3), ("w", 1)):
        node = meta.graph_def.node.add(name=name, op="VariableV2")
        node.attr["dtype"].type = dtype
        for size in (6,):
            node.attr["shape"].shape.dim.add(size=size)
    (tmp_path / "m.meta").write_bytes(meta.SerializeToString())
    assert graphmap.load(tmp_path / "m").warnings == (
        "graph and checkpoint differ in the shape of w",
        "graph and checkpoint differ in the type of v",
    )


def link_out(folder, name):
    outside = folder / "outside"
    outside.mkdir()
    (folder / "in" / name).rename(outside / name)
    (folder / "in" / name).symlink_to(outside / name)


def test_a_data_file_that_links_out_of_its_folder_is_not_opened(tmp_path):
    (tmp_path / "in").mkdir()
    write_bundle(tmp_path / "in/m", {"w": (1, (6,), FLOATS)})
    link_out(tmp_path, "m.data-00000-of-00001")
    artifact = graphmap.load(tmp_path / "in/m")
    assert "links out of its folder" in artifact.warnings[0]
    with pytest.raises(MissingDataError, match="leads out of its folder"):
        artifact.read("w")


def test_a_cache_that_keeps_every_file_as_a_link_is_read(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    write_bundle(tmp_path / "blobs/m", {"w": (1, (6,), FLOATS)})
    for at, file in enumerate(sorted(p.name for p in (tmp_path / "blobs").iterdir())):
        (tmp_path / "blobs" / file).rename(tmp_path / "blobs" / f"{at}")
        (tmp_path / "snapshot" / file).symlink_to(f"../blobs/{at}")
    artifact = graphmap.load(tmp_path / "snapshot/m")
    assert artifact.warnings == ()
    assert artifact.read("w").shape == (6,)


def test_variables_that_link_out_of_a_saved_model_are_not_opened(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/variables").mkdir()
    write_bundle(tmp_path / "in/variables/variables", {"secret": (1, (6,), FLOATS)})
    model = message_class("SavedModel")(saved_model_schema_version=1)
    node = model.meta_graphs.add().graph_def.node.add(name="w", op="VarHandleOp")
    node.attr["dtype"].type = 1
    (tmp_path / "in/saved_model.pb").write_bytes(model.SerializeToString())
    link_out(tmp_path, "variables")
    stored = read_artifact(str(tmp_path / "in"))
    assert stored.tensors == ()
    assert any("links out of its folder" in text for text in stored.warnings)


STATES = {
    "unknown field 'evil'": 'model_checkpoint_path: "m"\nevil: "x"\n',
    "more than once": 'model_checkpoint_path: "m"\nmodel_checkpoint_path: "n"\n',
}


@pytest.mark.parametrize("sentence", STATES)
def test_a_state_file_that_tensorflow_refuses(tmp_path, sentence):
    write_bundle(tmp_path / "m", {"w": (1, (6,), FLOATS)})
    (tmp_path / "checkpoint").write_text(STATES[sentence])
    (found,) = warnings(tmp_path)
    assert sentence in found


def test_a_name_that_is_no_text(tmp_path):
    write_bundle(tmp_path / "m", {"w": (1, (6,), FLOATS)})
    entry = entry_bytes(1, (6,), 0, 24, 0)
    (tmp_path / "m.index").write_bytes(table_bytes([(b"", HEADER), (b"\xff", entry)]))
    assert [t.name for t in read_artifact(str(tmp_path / "m")).tensors] == ["\\xff"]
    assert "is not UTF-8" in warnings(tmp_path / "m")[0]


@pytest.mark.parametrize(("order", "is_sound"), [("big", True), ("little", False)])
def test_strings_of_a_big_endian_machine(tmp_path, order, is_sound):
    """Lengths and checksums of strings are in the order of the writer (tensor_bundle.cc)."""
    size = (5).to_bytes(4, order)
    stored = b"\5" + mask(crc_of_bytes(size)).to_bytes(4, order) + b"hello"
    crc = crc_of_bytes(stored[1:], crc_of_bytes(size))
    write_bundle(tmp_path / "m", {"s": (7, (), stored)})
    header = field(1, 1) + field(2, 1) + field(3, field(1, 1))
    row = (b"s", entry_bytes(7, (), 0, len(stored), crc))
    (tmp_path / "m.index").write_bytes(table_bytes([(b"", header), row]))
    artifact = graphmap.load(tmp_path / "m")
    assert "big-endian" in artifact.warnings[0]
    assert bool(artifact.verify_data()) != is_sound
    if is_sound:
        assert artifact.read("s") == b"hello"


def test_a_file_that_is_not_what_its_name_says(tmp_path):
    graph = message_class("GraphDef")()
    graph.node.add(name="x", op="NoOp")
    (tmp_path / "g.pbtxt").write_bytes(graph.SerializeToString())
    assert "is binary, though named .pbtxt" in warnings(tmp_path / "g.pbtxt")[0]
    (tmp_path / "g.meta").write_bytes(graph.SerializeToString())
    assert "is of the kind graphdef, though named .meta" in warnings(tmp_path / "g.meta")[0]

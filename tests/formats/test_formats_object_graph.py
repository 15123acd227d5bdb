"""Object checkpoints: full names, shortened keys, exact slots."""

from bundle_writer import HEADER, entry_bytes, field, string_bytes, table_bytes, write_bundle

from graphmap.formats.bundle import OBJECT_GRAPH_KEY
from graphmap.formats.registry import read_artifact
from graphmap.model.meta import SlotVariable

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
KERNEL, BIAS, SLOT = f"net/kernel{VALUE}", f"net/bias{VALUE}", f"net/kernel/.S/m{VALUE}"


def attribute(full_name, key):
    return field(2, field(1, b"VARIABLE_VALUE") + field(2, full_name) + field(3, key.encode()))


def write(prefix, object_graph, *keys):
    stored, crc = string_bytes([object_graph])
    tensors = dict.fromkeys(keys, (1, (), b"\0" * 4))
    write_bundle(prefix, {OBJECT_GRAPH_KEY: (7, (), stored), **tensors})
    entry = entry_bytes(7, (), 0, len(stored), crc)
    entries = [(b"", HEADER), (OBJECT_GRAPH_KEY.encode(), entry)]
    for number, key in enumerate(sorted(keys)):
        entries.append((key.encode(), entry_bytes(1, (), len(stored) + 4 * number, 4, 0)))
    (prefix.parent / f"{prefix.name}.index").write_bytes(table_bytes(entries))


def names(prefix):
    model = read_artifact(str(prefix))
    return model, {tensor.key: tensor.name for tensor in model.tensors}


def test_full_names_and_slots(tmp_path):
    root = field(1, field(1, field(1, 1) + field(2, b"net")))
    slots = field(1, field(3, field(1, 2) + field(2, b"m") + field(3, 4)))
    kernel, bias = field(1, attribute(b"dense/kernel", KERNEL)), field(1, attribute(b"", BIAS))
    slot = field(1, attribute(b"Adam/dense/kernel/m", SLOT))
    write(tmp_path / "ckpt-1", root + slots + kernel + bias + slot, KERNEL, BIAS, SLOT)
    model, found = names(tmp_path / "ckpt-1")
    assert model.kind == "object-checkpoint"
    assert model.warnings == ()
    assert found == {
        "_CHECKPOINTABLE_OBJECT_GRAPH": "_CHECKPOINTABLE_OBJECT_GRAPH",
        KERNEL: "dense/kernel",
        BIAS: "net/bias",
        SLOT: "Adam/dense/kernel/m",
    }
    assert model.slot_variables == (SlotVariable(KERNEL, "m", SLOT, 1),)


def test_a_full_name_that_stands_twice_is_not_used(tmp_path):
    graph = field(1, attribute(b"w", KERNEL)) + field(1, attribute(b"w", BIAS))
    write(tmp_path / "ckpt-1", graph, KERNEL, BIAS)
    _, found = names(tmp_path / "ckpt-1")
    assert (found[KERNEL], found[BIAS]) == ("net/kernel", "net/bias")


def test_a_full_name_that_is_another_ones_short_key_is_not_used(tmp_path):
    graph = field(1, attribute(b"net/bias", KERNEL)) + field(1, attribute(b"", BIAS))
    write(tmp_path / "ckpt-1", graph, KERNEL, BIAS)
    _, found = names(tmp_path / "ckpt-1")
    assert len(set(found.values())) == 3


def test_a_broken_object_graph_is_a_warning(tmp_path):
    write(tmp_path / "ckpt-1", b"\xff\xff", KERNEL)
    model, found = names(tmp_path / "ckpt-1")
    assert found[KERNEL] == "net/kernel"
    assert "object graph" in model.warnings[0]


def test_ids_past_the_list_are_left_out(tmp_path):
    graph = field(1, field(3, field(1, 7) + field(2, b"m") + field(3, 2**40)))
    write(tmp_path / "ckpt-1", graph, KERNEL)
    assert read_artifact(str(tmp_path / "ckpt-1")).slot_variables == ()

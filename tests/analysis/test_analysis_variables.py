"""Every variable once, with the role that structure proves or names suggest."""

from __future__ import annotations

import subprocess
import sys

import pytest
from analysis_graphs import GraphBuilder, constant, function, node, sgd_graph, tensor

from graphmap.analysis.saver_keys import parse_slice
from graphmap.analysis.variables import find_variables
from graphmap.model.graph import FunctionRef
from graphmap.model.meta import ObjectNode, SlotVariable, VariableDef
from graphmap.model.stored import MetaInfo, StoredModel, StoredTensor
from graphmap.model.variable import Part, Variable


def listed(*tensors: StoredTensor) -> dict[str, Variable]:
    found = find_variables(StoredModel("m", "checkpoint", tensors=tensors))
    assert len(found) == len(tensors)
    return {variable.name: variable for variable in found}


def by_name(stored: StoredModel) -> dict[str, Variable]:
    found = find_variables(stored)
    assert [variable.name for variable in found] == sorted(variable.name for variable in found)
    return {variable.name: variable for variable in found}


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("net/w/Adam", "m"),
        ("net/w/Adam_1", "v"),
        ("net/w/Adam_3", "v"),
        ("net/w/Momentum", "momentum"),
        ("net/w/Adagrad", "accumulator"),
        ("net/w/Adadelta_1", "accum_update"),
        ("net/w/Ftrl_1", "linear"),
        ("net/w/RMSProp", "rms"),
        ("net/w/RMSProp_1", "momentum"),
        ("net/w/adam_m", "m"),
        ("net/w/adam_v", "v"),
        ("net/w/MyOwnAdam_1", "v"),
        ("opt/net/w/Adam", "m"),
        ("net/net/w/RMSProp", "rms"),
        ("Adam/net/w/m", "m"),
        ("Adam/m/net/w", "m"),
    ],
)
def test_a_slot_by_its_name_and_shape(name: str, slot: str) -> None:
    found = listed(tensor("net/w", 3, 4), tensor(name, 3, 4))[name]
    assert (found.role, found.slot_of, found.slot, found.basis) == (
        "slot", "net/w", slot, "inferred",
    )  # fmt: skip


def test_centered_rmsprop_has_three_slots() -> None:
    names = ("w/RMSProp", "w/RMSProp_1", "w/RMSProp_2")
    found = listed(tensor("w", 2), *(tensor(name, 2) for name in names))
    assert [found[name].slot for name in names] == ["rms", "mg", "momentum"]


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        pytest.param("net/w/bias", (4,), id="a child of another shape"),
        pytest.param("net/w/Adam", (4,), id="a slot word, but of another shape"),
        pytest.param("net/kernel", (3, 4), id="a sibling"),
        pytest.param("other/Adam", (3, 4), id="no such base"),
        pytest.param("Momentum", (3, 4), id="only the word"),
        pytest.param("net/wx", (3, 4), id="a longer name"),
        pytest.param("bn/moving_mean/average", (4,), id="statistics are weights"),
    ],
)
def test_weights_are_left_alone(name: str, sizes: tuple[int, ...]) -> None:
    found = listed(tensor("net/w", 3, 4), tensor(name, *sizes))[name]
    assert (found.role, found.slot_of, found.slot, found.basis) == ("weight", None, None, "unknown")


@pytest.mark.parametrize(
    ("name", "dtype", "role"),
    [
        ("global_step", "int64", "step"),
        ("global_step", "float32", "step"),
        ("train/global_step", "int64", "step"),
        ("Adam/iter", "int64", "step"),
        ("save_counter", "int64", "step"),
        ("beta1_power", "float32", "optimizer"),
        ("opt/beta2_power_1", "float32", "optimizer"),
        ("Adam/learning_rate", "float32", "optimizer"),
        ("Adam/beta_1", "float32", "optimizer"),
        ("_CHECKPOINTABLE_OBJECT_GRAPH", "string", "other"),
        ("temperature", "float32", "weight"),
    ],
)
def test_scalars(name: str, dtype: str, role: str) -> None:
    assert listed(tensor(name, dtype=dtype))[name].role == role


def test_an_average_by_its_name() -> None:
    name = "w/ExponentialMovingAverage"
    found = listed(tensor("w", 2), tensor(name, 2))[name]
    assert (found.role, found.slot_of, found.slot) == ("shadow", "w", None)


def test_the_order_of_the_container_changes_nothing() -> None:
    tensors = [tensor(n, 2) for n in ("b/Adam_1", "w", "b", "w/Adam", "b/Adam", "w.1", "w/Adam_1")]
    assert listed(*tensors) == listed(*reversed(tensors))


def test_an_object_graph_pairs_slots_exactly() -> None:
    value = "/.ATTRIBUTES/VARIABLE_VALUE"
    slot_key = f"layer/kernel/.OPTIMIZER_SLOT/optimizer/m{value}"
    tensors = (
        tensor("dense/kernel", 2, key=f"layer/kernel{value}"),
        tensor("strange name", 2, key=slot_key),
    )
    pair = SlotVariable(f"layer/kernel{value}", "m", slot_key, 0)
    objects = (ObjectNode(),)
    stored = StoredModel(
        "m", "object-checkpoint", tensors=tensors, slot_variables=(pair,), objects=objects
    )
    found = by_name(stored)["strange name"]
    assert (found.role, found.slot_of, found.slot, found.basis) == (
        "slot", "dense/kernel", "m", "confirmed",
    )  # fmt: skip


def test_no_heavy_import_without_a_graph() -> None:
    code = (
        "import sys\n"
        "from graphmap.analysis.variables import find_variables\n"
        "from graphmap.model.stored import StoredModel, StoredTensor\n"
        "w = StoredTensor('w', 'w', (2,), 'float32', 8)\n"
        "find_variables(StoredModel('m', 'checkpoint', tensors=(w,)))\n"
        "heavy = {'numpy', 'google.protobuf', 'networkx', 'tensorflow'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_structure_speaks_before_names() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("w/child", 2, 2)
    build.variable("odd", 2, 2)
    build.const("lr", 0.1)
    build.add("ApplyMomentum", "train", "w", "odd", "lr", gradient, "lr")
    found = by_name(build.stored())
    assert (found["odd"].role, found["odd"].slot_of, found["odd"].basis) == (
        "slot", "w", "confirmed",
    )  # fmt: skip
    assert found["w/child"].basis == "inferred"
    assert (found["w"].role, found["w"].basis) == ("weight", "confirmed")


def saver(build: GraphBuilder, *saved: tuple[str, str, str], scope: str = "save") -> None:
    """saved: (checkpoint key, slice spec, saved tensor)."""
    keys, slices, tensors = zip(*saved, strict=True)
    build.add("Const", f"{scope}/names", value=constant([k.encode() for k in keys], "string"))
    build.add("Const", f"{scope}/slices", value=constant([s.encode() for s in slices], "string"))
    build.add("SaveV2", f"{scope}/SaveV2", "file", f"{scope}/names", f"{scope}/slices", *tensors)


def test_a_saver_tells_which_key_is_which_variable() -> None:
    build = sgd_graph("w")
    saver(build, ("old/name", "", "w"), ("global_step", "", "global_step/read"))
    found = by_name(build.stored(tensor("old/name", 2, 2), tensor("global_step", dtype="int64")))
    assert set(found) == {"w", "global_step"}
    assert (found["w"].checkpoint_key, found["w"].node) == ("old/name", "w")
    assert (found["global_step"].role, found["global_step"].basis) == ("step", "confirmed")


def test_parts_are_one_variable() -> None:
    build = GraphBuilder()
    build.variable("emb/part_0", 10, 5)
    build.variable("emb/part_1", 10, 5)
    saver(build, ("emb", "20 5 10,10:0,5", "emb/part_1"), ("emb", "20 5 0,10:0,5", "emb/part_0"))
    found = by_name(build.stored(tensor("emb", 20, 5)))
    assert set(found) == {"emb"}
    assert found["emb"].shape == (20, 5) and found["emb"].node is None
    assert found["emb"].parts == (
        Part("emb/part_0", (0, 0), (10, 5)),
        Part("emb/part_1", (10, 0), (10, 5)),
    )
    assert by_name(build.stored())["emb"].shape == (20, 5)


def test_a_save_op_in_a_function() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "kernel")
    build.add("StatefulPartitionedCall", "save", "file", "kernel", f=FunctionRef("save_fn"))
    names = node("Const", "names", value=constant([b"layer/kernel"], "string"))
    slices = node("Const", "slices", value=constant([b""], "string"))
    read = node("ReadVariableOp", "read", "handle")
    inputs = ("prefix", "names:output:0", "slices:output:0", "read:value:0")
    save = node("SaveV2", "SaveV2", *inputs)
    build.functions = [function("save_fn", ["prefix", "handle"], names, slices, read, save)]
    found = by_name(build.stored(tensor("layer/kernel", 2)))
    assert found["kernel"].checkpoint_key == "layer/kernel"


def test_a_variable_that_only_the_graph_has() -> None:
    build = sgd_graph("w")
    found = by_name(build.stored(tensor("w", 2, 2), tensor("extra", 1)))
    assert found["w"].checkpoint_key == "w" and found["w"].bytes == 4
    assert found["global_step"].checkpoint_key is None
    assert found["global_step"].shape == () and found["global_step"].dtype == "int64"
    assert found["extra"].node is None


def test_collections_tell_weights_and_local_variables() -> None:
    build = GraphBuilder()
    build.variable("frozen", 2)
    build.variable("metric", 2)
    collections = {
        "trainable_variables": (VariableDef("frozen", True, False, None),),
        "local_variables": (VariableDef("metric", False, False, None),),
    }
    found = by_name(build.stored(meta=MetaInfo(variables=collections)))
    assert (found["frozen"].role, found["frozen"].basis) == ("weight", "confirmed")
    assert (found["metric"].role, found["metric"].basis) == ("other", "confirmed")


def test_an_average_by_its_update() -> None:
    build = sgd_graph("w")
    build.variable("shadow", 2, 2)
    build.add("Sub", "difference", "shadow/read", "w/read")
    build.add("Mul", "scaled", "difference", "rate")
    build.add("AssignSub", "average", "shadow", "scaled", "^train")
    found = by_name(build.stored())["shadow"]
    assert (found.role, found.slot_of, found.basis) == ("shadow", "w", "confirmed")


def test_a_gradient_accumulator_is_state_of_the_optimizer() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("sum", 2, 2)
    build.add("AssignAdd", "accumulate", "sum", gradient)
    assert by_name(build.stored())["sum"].role == "optimizer"


def test_a_frozen_graph_keeps_its_weights_in_constants() -> None:
    build = GraphBuilder()
    build.const("w", [[1.0, 2.0]])
    build.const("scalar", 1.0)
    build.const("axis", [0, 1], dtype="int32")
    (found,) = find_variables(build.stored())
    assert found == Variable("w", (1, 2), "float32", basis="inferred", node="w")


@pytest.mark.parametrize(
    ("spec", "offset", "shape"),
    [("", (), ()), ("20 5 0,10:0,5", (0, 0), (10, 5)), ("7 -", (0,), (7,))],
)
def test_slice_specs(spec: str, offset: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert parse_slice(spec) == (offset, shape)

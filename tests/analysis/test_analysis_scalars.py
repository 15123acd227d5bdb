"""Constant scalars: what Python computes is what numpy computes, bit for bit."""

from __future__ import annotations

import struct
import subprocess
import sys

import numpy
import pytest
from analysis_graphs import GraphBuilder, constant
from hypothesis import example, given
from hypothesis import strategies as st

from graphmap.analysis.scalars import ARITHMETIC, Scalar, compute, shortest
from graphmap.analysis.values import Frame, Value, number
from graphmap.formats.attrs import tensor_value
from graphmap.formats.tensors import decode_tensor
from graphmap.model.graph import GraphModel, Node
from graphmap.schema import message_class

floats32 = st.floats(width=32)
NUMBERS = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19}


def proto_of(array: numpy.ndarray, *, in_content: bool):
    proto = message_class("TensorProto")()
    proto.dtype = NUMBERS[array.dtype.name]
    if in_content:
        proto.tensor_content = array.tobytes()
    elif array.dtype.name == "float16":
        proto.half_val.extend(array.view("uint16").tolist())
    else:
        field = {"float32": "float_val", "float64": "double_val", "int32": "int_val"}
        getattr(proto, field.get(array.dtype.name, f"{array.dtype.name}_val")).extend(
            array.tolist()
        )
    return proto


@given(floats32)
@example(0.0)
@example(-0.0)
@example(1e-45)
@example(3.4028234663852886e38)
@example(9.999999717180685e-10)
def test_the_shortest_float32_is_that_of_numpy(value: float) -> None:
    ours, theirs = shortest(Scalar("float32", value)), float(str(numpy.float32(value)))
    assert struct.pack("<d", ours) == struct.pack("<d", theirs) or ours != ours


def test_powers_of_two_are_shortened_to_themselves() -> None:
    # at these a float32's neighbours lie at unlike distances; numpy may choose another decimal
    for power in range(-149, 128):
        value = 2.0**power
        assert numpy.float32(shortest(Scalar("float32", value))) == numpy.float32(value)


@given(st.sampled_from(sorted(ARITHMETIC)), floats32, floats32)
@example("RealDiv", 1.0, 0.0)
@example("Mul", 3e38, 3e38)
@example("Sqrt", -1.0, 0.0)
@example("Sub", 1.0, 0.8999999761581421)
def test_arithmetic_is_that_of_numpy(op: str, a: float, b: float) -> None:
    values = [Scalar("float32", a), Scalar("float32", b)]
    if op in {"Neg", "Sqrt", "Square", "Exp", "Log", "Floor", "Cos"}:
        values.pop()
    found = compute(op, values)
    with numpy.errstate(all="ignore"):
        wanted = getattr(numpy, ARITHMETIC[op])(*[numpy.float32(v.value) for v in values])
    assert found is not None and found.dtype == "float32"
    assert struct.pack("<d", found.value) == struct.pack("<d", wanted.item()) or wanted != wanted


def test_unlike_types_are_promoted_as_numpy_does() -> None:
    assert compute("Add", [Scalar("float32", 0.5), Scalar("int64", 2)]) == ("float64", 2.5)


@pytest.mark.parametrize("in_content", [True, False])
@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.1, "float32"), (0.1, "float64"), (-7, "int32"), (1 << 40, "int64"), (True, "bool"),
     (0.1, "float16")],
)  # fmt: skip
def test_one_value_is_read_as_numpy_reads_it(value, dtype: str, in_content: bool) -> None:
    array = numpy.array([value], dtype)
    proto = proto_of(array, in_content=in_content)
    node = Node("c", "Const", (), "", {"value": tensor_value(proto)})
    wanted = float(str(array[0])) if array.dtype.kind == "f" else array[0].item()
    assert number(Value(Frame(GraphModel((node,))), 0)) == wanted
    assert decode_tensor(proto, dtype, ()).item() == array.item()


def test_a_uniform_tensor_is_a_number_and_another_is_none() -> None:
    builder = GraphBuilder()
    builder.add("Const", "same", value=constant([0.5, 0.5]))
    builder.add("Const", "other", value=constant([0.5, 0.25]))
    frame = Frame(GraphModel(tuple(builder.nodes)))
    assert [number(Value(frame, at)) for at in (0, 1)] == [0.5, None]


def test_a_rate_is_folded_without_numpy() -> None:
    code = (
        "import sys\n"
        "from graphmap.analysis.scalars import Scalar, compute, shortest\n"
        "one, beta = Scalar('float32', 1.0), Scalar('float32', 0.8999999761581421)\n"
        "print(shortest(compute('Sub', [one, beta])), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.100000024", "False"]

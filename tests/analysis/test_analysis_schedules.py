"""Schedules are named with their constants where they are plain."""

from __future__ import annotations

import pytest
from analysis_graphs import GraphBuilder

from graphmap.analysis.schedules import describe
from graphmap.analysis.values import Frame, Value


def described(build: GraphBuilder, name: str) -> object:
    graph = build.graph()
    return describe(Value(Frame(graph), graph.index[name]))


def progress(build: GraphBuilder, steps: float = 100.0) -> str:
    build.variable("global_step", dtype="int64")
    build.add("Cast", "step", "global_step/read")
    build.const("steps", steps)
    return build.add("RealDiv", "progress", "step", "steps")


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential(staircase: bool) -> None:
    build = GraphBuilder()
    power = progress(build)
    if staircase:
        power = build.add("Floor", "floor", power)
    build.const("initial", 0.1)
    build.const("rate", 0.5)
    build.add("Pow", "pow", "rate", power)
    build.add("Mul", "lr", "initial", "pow")
    assert described(build, "lr") == {
        "tensor": "lr:0",
        "source": "schedule",
        "schedule": {"kind": "exponential_decay", "initial": 0.1, "decay_rate": 0.5,
                     "decay_steps": 100.0, "staircase": staircase},
    }  # fmt: skip


def test_polynomial() -> None:
    build = GraphBuilder()
    progress(build)
    for name, value in (("one", 1.0), ("power", 2.0), ("range", 0.09), ("end", 0.01)):
        build.const(name, value)
    build.add("Sub", "left", "one", "progress")
    build.add("Pow", "pow", "left", "power")
    build.add("Mul", "mul", "range", "pow")
    build.add("AddV2", "lr", "mul", "end")
    found = described(build, "lr")
    assert isinstance(found, dict) and found["schedule"] == {
        "kind": "polynomial_decay", "initial": 0.1, "end": 0.01, "power": 2.0, "decay_steps": 100.0,
    }  # fmt: skip


def test_piecewise_constant_of_control_flow_v1() -> None:
    build = GraphBuilder()
    step = build.variable("global_step", dtype="int64")
    build.const("boundary", 5, dtype="int64")
    build.add("LessEqual", "early", step, "boundary")
    build.add("Switch", "switch", "early", "early")
    build.add("Identity", "switch_f", "switch:0")
    build.add("Identity", "switch_t", "switch:1")
    build.const("high", 0.1, "^switch_t")
    build.const("low", 0.01, "^switch_f")
    build.add("Merge", "lr", "low", "high")
    found = described(build, "lr")
    assert isinstance(found, dict) and found["schedule"] == {
        "kind": "piecewise_constant", "boundaries": [5], "values": [0.1, 0.01],
    }  # fmt: skip


def test_anything_else_names_what_it_reads() -> None:
    build = GraphBuilder()
    progress(build)
    build.add("Tanh", "lr", "progress")
    found = described(build, "lr")
    assert isinstance(found, dict) and found["schedule"] == {
        "kind": "expression", "depends_on": ["global_step:0"],
    }  # fmt: skip


def test_constant_arithmetic_is_a_number() -> None:
    build = GraphBuilder()
    build.const("one", 1.0)
    build.const("beta", 0.9)
    build.add("Sub", "rest", "one", "beta")
    assert described(build, "rest") == pytest.approx(0.1, rel=1e-6)


def test_a_ring_of_values_ends() -> None:
    build = GraphBuilder()
    build.add("Mul", "a", "b", "b")
    build.add("Mul", "b", "a", "a")
    found = described(build, "a")
    assert isinstance(found, dict) and found["schedule"]["kind"] == "expression"

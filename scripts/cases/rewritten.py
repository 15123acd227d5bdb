"""Cases of two programs: old TF1 code and a Keras rewrite of it, checked by equal outputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.case import Case
from cases.nets import tf1, variables_of

SOURCE = (
    "old TF1 code and a Keras rewrite, both written out in scripts/cases; truth = which value goes "
    "where, checked by equal outputs after copying random values"
)


@dataclass
class Side:
    """A built graph: its inputs are placeholders (or Keras inputs) of one order."""

    graph: Any
    inputs: list[Any]
    output: Any
    variables: list[Any]


@dataclass(frozen=True)
class Carry:
    """Where one expected variable gets its value: an actual one, and what is done to it."""

    actual: str
    change: Callable[[np.ndarray], np.ndarray] = field(default=lambda value: value)
    layout: str = "same"


@dataclass(frozen=True)
class Rewrite:
    """Two programs. carry: names of actual and expected variables -> {expected: Carry}."""

    id: str
    family: str
    kind: str
    needs: str
    actual: Callable[[bool], Side]
    expected: Callable[[], Side]
    carry: Callable[[list[str], list[str]], dict[str, Carry]]
    notes: str = ""


def rewritten_case(spec: Rewrite) -> Case:
    """Build all, copy random values over, compare outputs, return the case."""
    trained, plain, asked = spec.actual(True), spec.actual(False), spec.expected()
    plain_names, names = ([v.op.name for v in s.variables] for s in (plain, asked))
    carry = spec.carry(plain_names, names)
    if set(carry) != set(names):
        raise ValueError(f"{spec.id}: not every expected variable has a source")
    random = np.random.RandomState(3)
    values = {}
    for variable in plain.variables:
        value = random.standard_normal(variable.shape.as_list()).astype(np.float32)
        fan = max(1, int(np.prod(value.shape[:-1])))
        name = variable.op.name
        values[name] = value / np.sqrt(fan) if value.ndim > 1 else value * 0.2
        if name.endswith("variance"):
            values[name] = 0.5 + np.abs(value)
    wanted = {name: one.change(values[one.actual]) for name, one in carry.items()}
    outputs = [_run(plain, values), _run(asked, wanted)]
    if not np.allclose(*outputs, rtol=1e-3, atol=1e-4) or np.std(outputs[0]) < 1e-6:
        raise ValueError(f"{spec.id}: the truth does not compute the same")
    return Case(
        spec.id,
        spec.family,
        spec.kind,
        spec.needs,
        variables_of(trained.graph),
        variables_of(asked.graph),
        {row[0]: carry[row[0]].actual for row in variables_of(asked.graph)},
        SOURCE,
        spec.notes,
        {name: one.layout for name, one in carry.items() if one.layout != "same"},
        actual_graph=trained.graph.as_graph_def(),
        expected_graph=asked.graph.as_graph_def(),
    )


def _run(side: Side, values: dict[str, np.ndarray]) -> np.ndarray:
    feeds = {}
    for at, tensor in enumerate(side.inputs):
        shape = [size or 2 for size in tensor.shape.as_list()]
        feeds[tensor] = np.random.RandomState(at).standard_normal(shape)
    with side.graph.as_default(), tf1.Session(graph=side.graph) as session:
        session.run(tf1.global_variables_initializer())
        for variable in side.variables:
            variable.load(values[variable.op.name], session)
        return session.run(side.output, feeds)


def trained(graph: Any, losses: list[Any], optimizer: Any) -> None:
    """Add a training step to the graph."""
    loss = tf.add_n([tf.reduce_mean(tf.square(one)) for one in losses])
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        optimizer.minimize(loss, tf1.train.get_or_create_global_step())


def rewritten_cases(specs: tuple[Rewrite, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: rewritten_case(spec)  # type: ignore[misc]

"""Training steps that lie whole in a function: forward, gradients and update in one body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.analysis.updates import Training, find_training
from graphmap.analysis.writes import trace_variable
from graphmap.model.graph import Function, GraphModel
from graphmap.model.training import OptimizerSpec

__all__ = ["InnerTraining", "find_inner_trainings", "inner_losses", "renamed"]


class InnerTraining(NamedTuple):
    """What a body that takes gradients trains. names: {argument: the caller's variable}."""

    function: Function
    training: Training
    names: Mapping[str, str]


def find_inner_trainings(graph: GraphModel, position: int) -> Iterator[InnerTraining]:
    """Yield the training of each body that a node calls and that takes gradients itself."""
    sources = graph.topology.inputs[position]
    for name, skipped in calls_of(graph.nodes[position], graph):
        function = graph.function_index.get(name)
        if function is None:
            continue
        body = body_graph(function, graph)
        training = find_training(GraphModel(body.nodes))  # flat: what it calls is not entered
        if not training.calls:
            continue
        names = {}
        for at, (argument, _) in enumerate(function.inputs):
            if at + skipped < len(sources):
                variable = trace_variable(graph, sources[at + skipped][0])
                if variable >= 0:
                    names[argument] = graph.nodes[variable].name
        yield InnerTraining(function, training, names)


def inner_losses(graph: GraphModel, position: int) -> list[str]:
    """Return the outputs of a call that are the tensors its body differentiates."""
    found = []
    for inner in find_inner_trainings(graph, position):
        nodes = inner.training.graph.nodes
        ys = {nodes[s.y.node].name for c in inner.training.calls for s in c.seeds if s.y}
        for output, (argument, _) in enumerate(inner.function.outputs):
            if _origin(inner, inner.function.returns.get(argument, "")) in ys:
                found.append(f"{graph.nodes[position].name}:{output}")
    return found


def _origin(inner: InnerTraining, returned: str) -> str:
    """Return the node that makes a returned value; results pass an Identity on their way out."""
    graph = inner.training.graph
    position = graph.index.get(returned.partition(":")[0], -1)
    while position >= 0 and graph.nodes[position].op == "Identity":
        sources = graph.topology.inputs[position]
        position = sources[0][0] if sources else -1
    return graph.nodes[position].name if position >= 0 else ""


def renamed(spec: OptimizerSpec, names: Mapping[str, str]) -> OptimizerSpec:
    """Return a spec of a body in the caller's names."""
    told = {word: _renamed_source(value, names) for word, value in spec.hyperparameters.items()}
    slots = {
        names.get(primary, primary): {word: names.get(slot, slot) for word, slot in own.items()}
        for primary, own in spec.slots.items()
    }
    return OptimizerSpec(
        kind=spec.kind,
        hyperparameters=told,
        slots=slots,
        non_slots={word: names.get(state, state) for word, state in spec.non_slots.items()},
        sparse=tuple(names.get(primary, primary) for primary in spec.sparse),
    )


def _renamed_source(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get("tensor"), str):
        return value
    argument, _, output = value["tensor"].rpartition(":")
    if argument not in names:
        return value
    told = {"tensor": f"{names[argument]}:{output}", "source": "variable", "schedule": None}
    return {**value, **told}

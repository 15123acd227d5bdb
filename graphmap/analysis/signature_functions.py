"""The function behind a signature: TF2 exports one call for each, around which nothing is computed.

Keras and tf.function put wrappers around it, whose bodies only call the next; those are passed.
Source: tensorflow/python/saved_model/signature_serialization.py.
"""

from __future__ import annotations

from typing import NamedTuple

from graphmap.analysis.functions import calls_of, plain_input
from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.model.meta import Signature
from graphmap.names import CONTROL, parse_input

__all__ = ["CalledFunction", "signature_function"]

_HANDED_ON = frozenset({"Identity", "IdentityN", "NoOp"})  # all that a wrapper does beside its call
_DEPTH_LIMIT = 32  # wrappers


class CalledFunction(NamedTuple):
    """A library function as a signature calls it.

    node: the call in the top-level graph. nodes: of the body. functions: all that it calls.
    variables: names of the variable nodes that it captures, in the order of its arguments.
    """

    name: str
    node: str
    nodes: int
    functions: tuple[str, ...]
    variables: tuple[str, ...]


def signature_function(graph: GraphModel, signature: Signature) -> CalledFunction | None:
    """Return what computes a signature, or None where the top-level graph itself does."""
    producers = {parse_input(info.tensor).node for info in signature.outputs.values()}
    if len(producers) != 1:
        return None
    node = graph.find(producers.pop())
    if node is None:
        return None
    function = graph.function_index.get(_only_call(node, graph) or "")
    if function is None:
        return None
    arguments: list[str | None] = [*_data_inputs(node)]
    for _ in range(_DEPTH_LIMIT):
        inner = _wrapped(function, graph)
        if inner is None:
            break
        names = {name: at for at, (name, _) in enumerate(function.inputs)}
        places = [names.get(source) for source in _data_inputs(inner[0])]
        arguments = [
            arguments[at] if at is not None and at < len(arguments) else None for at in places
        ]
        function = inner[1]
    nodes = [graph.find(name) for name in arguments if name is not None]
    captured = [found.name for found in nodes if found is not None and found.op in VARIABLE_OPS]
    return CalledFunction(
        function.name,
        node.name,
        len(function.nodes),
        _reached(function, graph),
        tuple(dict.fromkeys(captured)),
    )


def _data_inputs(node: Node) -> list[str]:
    parsed = [parse_input(plain_input(text)) for text in node.inputs]
    return [one.node for one in parsed if one.output != CONTROL]


def _only_call(node: Node, graph: GraphModel) -> str | None:
    """Return the function that a node calls, where it is the only one and gets all inputs."""
    calls = calls_of(node, graph)
    return calls[0][0] if len(calls) == 1 and calls[0][1] == 0 else None


def _wrapped(function: Function, graph: GraphModel) -> tuple[Node, Function] | None:
    """Return the call of a body that does nothing else, with the function that it calls."""
    working = [node for node in function.nodes if node.op not in _HANDED_ON]
    if len(working) != 1:
        return None
    inner = graph.function_index.get(_only_call(working[0], graph) or "")
    return None if inner is None else (working[0], inner)


def _reached(function: Function, graph: GraphModel) -> tuple[str, ...]:
    """Return the names of all functions that a body calls, directly or not, sorted."""
    found: set[str] = set()
    stack = [function]
    while stack:
        for node in stack.pop().nodes:
            for name, _ in calls_of(node, graph):
                called = graph.function_index.get(name)
                if called is not None and name not in found:
                    found.add(name)
                    stack.append(called)
    return tuple(sorted(found))

"""Calls of functions that take a resource variable, replaced by the bodies of the functions.

A ref variable cannot be an argument, so a graph that holds its variables as refs needs the body
itself. What the body does when it is called (its control outputs) becomes what others wait for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from graphmap.names import CONTROL, parse_input

__all__ = ["Body", "calls", "carried", "inline_call", "instantiate", "rewire", "takes_any"]

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_CARRIERS = frozenset({"Identity", "Switch", "Enter"})


class Body(NamedTuple):
    """A function body among the nodes of a graph.

    results: what it returns, as inputs. done: control inputs that wait for all that it does.
    """

    nodes: list[Any]
    results: list[str]
    done: list[str]


def carried(nodes: Collection[Any], variables: Collection[str]) -> set[str]:
    """Return the names of variables and of the nodes that hand their handles on."""
    users: dict[str, list[str]] = {}
    for node in nodes:
        if node.op in _CARRIERS and node.input:
            users.setdefault(parse_input(node.input[0]).node, []).append(node.name)
    found = set(variables)
    stack = list(variables)
    while stack:
        for name in users.get(stack.pop(), ()):
            if name not in found:
                found.add(name)
                stack.append(name)
    return found


def takes_any(node: Any, handles: Collection[str]) -> bool:
    """Whether a node has one of these as a data input."""
    return any(parse_input(text).node in handles for text in node.input if text[:1] != "^")


def calls(node: Any, functions: Mapping[str, Any]) -> bool:
    """Whether a node is a plain call of a function."""
    return _called(node, functions) in functions


def _called(node: Any, functions: Mapping[str, Any]) -> str:
    if node.op in functions:
        return str(node.op)
    return str(node.attr["f"].func.name) if node.op in _CALLS else ""


def inline_call(
    call: Any, functions: Mapping[str, Any], handles: Collection[str], there: Collection[str]
) -> tuple[list[Any], list[str]]:
    """Return a body to put in the place of its call, under the call's name, and its results.

    there: names of the nodes around it.
    """
    function = functions[_called(call, functions)]
    data = [text for text in call.input if not text.startswith("^")]
    waits = [text for text in call.input if text.startswith("^")]
    # a body starts when all arguments are there: what it reads, it reads then
    start = type(call)(name=f"{call.name}/start", op="NoOp")
    inner = [start]
    for text, argument in zip(data, function.signature.input_arg, strict=False):
        name = parse_input(text).node
        if name in handles:
            continue
        if name not in there:  # of the new graph; only a tensor of it can be waited for
            name = f"{start.name}/{argument.name}"
            copy = type(call)(name=name, op="Identity", input=[text])
            copy.attr["T"].type = argument.type
            inner.append(copy)
        start.input.append(f"^{name}")
    start.input.extend(waits)
    body = instantiate(function, call.name, data, start)
    own = {node.name for node in body.nodes}
    end = type(call)(name=call.name, op="NoOp")  # who waited for the call waits for its effects
    results = dict.fromkeys(f"^{parse_input(text).node}" for text in body.results)
    known = [text for text in results if text[1:] in own or text[1:] in there]
    waits = [text for text in known if text not in body.done]
    end.input.extend([*dict.fromkeys(body.done), *waits, f"^{start.name}"])
    return [*inner, *body.nodes, end], body.results


def instantiate(function: Any, scope: str, arguments: Sequence[str], start: Any) -> Body:
    """Copy the body of a function under a scope; no node of it runs before `start`."""
    named = dict(zip((a.name for a in function.signature.input_arg), arguments, strict=False))
    sizes = _Outputs(function)
    nodes = []
    for node in function.node_def:
        new = type(start)()
        new.CopyFrom(node)
        new.name = f"{scope}/{node.name}"
        new.device = ""
        del new.input[:]
        own = [_outer(text, named, scope, sizes) for text in node.input]
        new.input.extend([*own, f"^{start.name}"])
        nodes.append(new)
    returned = [function.ret[output.name] for output in function.signature.output_arg]
    results = [_outer(text, named, scope, sizes) for text in returned]
    return Body(nodes, results, [f"^{scope}/{name}" for name in function.control_ret.values()])


def rewire(nodes: Sequence[Any], results: Mapping[str, Sequence[str]]) -> None:
    """Let the inputs of nodes be the results of what stands for a node that has gone."""

    def now(text: str) -> str:
        source, output = parse_input(text)
        while output != CONTROL and source in results:  # an argument may be handed on as a result
            text = results[source][output]
            source, output = parse_input(text)
        return text

    for node in nodes:
        inputs = [now(text) for text in node.input]
        if inputs != list(node.input):
            del node.input[:]
            node.input.extend(inputs)


class _Outputs:
    """Where the outputs of a name begin: `node:values:1` counts within `values`."""

    def __init__(self, function: Any) -> None:
        self._nodes = {node.name: node for node in function.node_def}

    def place(self, name: str, output: str, index: int) -> int:
        from tensorflow.python.framework import op_def_registry

        node = self._nodes.get(name)
        definition = op_def_registry.get(node.op) if node is not None else None
        if node is None or definition is None:
            return index
        first = 0
        for argument in definition.output_arg:
            if argument.name == output:
                return first + index
            if argument.number_attr:
                first += int(node.attr[argument.number_attr].i)
            elif argument.type_list_attr:
                first += len(node.attr[argument.type_list_attr].list.type)
            else:
                first += 1
        return index


def _outer(text: str, arguments: Mapping[str, str], scope: str, sizes: _Outputs) -> str:
    """Turn an input of a body into one of the graph around it."""
    if text.startswith("^"):
        name = text[1:]
        if name in arguments:
            return f"^{parse_input(arguments[name]).node}"
        return f"^{scope}/{name}"
    parts = text.split(":")
    if parts[0] in arguments and len(parts) == 1:
        return arguments[parts[0]]
    if len(parts) == 3:
        return f"{scope}/{parts[0]}:{sizes.place(parts[0], parts[1], int(parts[2]))}"
    return f"{scope}/{text}"

"""Calls of functions that take a resource variable, replaced by the bodies of the functions.

A ref variable cannot be an argument, so a graph that holds its variables as refs needs the body
itself. What the body does when it is called (its control outputs) becomes what others wait for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from graphmap.names import CONTROL, parse_input

__all__ = ["inline_calls"]

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_MAX_CALLS = 1_000


def inline_calls(nodes: list[Any], library: Any, variables: Collection[str]) -> list[Any]:
    """Return the nodes without the plain calls that take one of these variables.

    Conditionals and loops over functions stay: they have no body to put in their place.
    """
    functions = {function.signature.name: function for function in library.function}
    for _ in range(_MAX_CALLS):
        handles = _handles(nodes, variables)
        call = next((node for node in nodes if _takes_variable(node, handles, functions)), None)
        if call is None:
            break
        nodes = _inline(nodes, call, functions, handles)
    return nodes


def _handles(nodes: list[Any], variables: Collection[str]) -> set[str]:
    found = set(variables)
    for node in nodes:  # producers stand before consumers where TensorFlow wrote the graph
        if node.op == "Identity" and node.input and parse_input(node.input[0]).node in found:
            found.add(node.name)
    return found


def _takes_variable(node: Any, handles: set[str], functions: Mapping[str, Any]) -> bool:
    name = _called(node, functions)
    if name not in functions:
        return False
    return any(parse_input(text).node in handles for text in node.input if text[:1] != "^")


def _called(node: Any, functions: Mapping[str, Any]) -> str:
    if node.op in functions:
        return str(node.op)
    return str(node.attr["f"].func.name) if node.op in _CALLS else ""


def _inline(
    nodes: list[Any], call: Any, functions: Mapping[str, Any], handles: Collection[str]
) -> list[Any]:
    """Put a body in the place of its call, under the call's name."""
    function = functions[_called(call, functions)]
    data = [text for text in call.input if not text.startswith("^")]
    waits = [text for text in call.input if text.startswith("^")]
    names = [argument.name for argument in function.signature.input_arg]
    arguments = dict(zip(names, data, strict=False))
    sizes = _Outputs(function)
    # a body starts when all arguments are there: what it reads, it reads then
    start = type(call)(name=f"{call.name}/start", op="NoOp")
    inner = [start]
    there = {node.name for node in nodes}
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
    for node in function.node_def:
        new = type(node)()
        new.CopyFrom(node)
        new.name = f"{call.name}/{node.name}"
        new.device = ""
        del new.input[:]
        own = [_outer(text, arguments, call.name, sizes) for text in node.input]
        new.input.extend([*own, f"^{start.name}"])
        inner.append(new)
    results = [
        _outer(function.ret[output.name], arguments, call.name, sizes)
        for output in function.signature.output_arg
    ]
    known = {node.name for node in inner} | there
    done = [f"^{call.name}/{name}" for name in function.control_ret.values()]
    end = type(call)(name=call.name, op="NoOp")  # who waited for the call waits for its effects
    results_done = [text for text in _controls_of(results, done) if text[1:] in known]
    end.input.extend([*dict.fromkeys(done), *results_done, f"^{start.name}"])
    out = [*inner, end]
    for node in nodes:
        if node.name == call.name:
            continue
        _rewire(node, call.name, results)
        out.append(node)
    return out


def _controls_of(results: list[str], done: list[str]) -> list[str]:
    found = dict.fromkeys(f"^{parse_input(text).node}" for text in results)
    return [text for text in found if text not in done]


def _rewire(node: Any, name: str, results: list[str]) -> None:
    inputs = []
    for text in node.input:
        source, output = parse_input(text)
        inputs.append(results[output] if source == name and output != CONTROL else text)
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

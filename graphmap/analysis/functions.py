"""Function bodies as graphs, and which nodes call them.

In a body, the arguments become `_Arg` nodes in front, so that every analysis of a graph works on
a body too. Source of the input grammar: function.proto (`argument` or `node:output_name:index`).
"""

from __future__ import annotations

from graphmap.model.graph import Function, FunctionRef, GraphModel, Node

__all__ = ["Call", "body_graph", "calls_of", "plain_input"]

# op type: (attrs that hold functions, inputs before the first argument)
_CALLERS = {
    "If": (("then_branch", "else_branch"), 1),
    "StatelessIf": (("then_branch", "else_branch"), 1),
    "Case": (("branches",), 1),
    "StatelessCase": (("branches",), 1),
    "While": (("body", "cond"), 0),
    "StatelessWhile": (("body", "cond"), 0),
    "PartitionedCall": (("f",), 0),
    "StatefulPartitionedCall": (("f",), 0),
    "RemoteCall": (("f",), 1),
    "SymbolicGradient": (("f",), 0),
}
Call = tuple[str, int]  # function name, data inputs of the node before the first argument


def calls_of(node: Node, graph: GraphModel) -> tuple[Call, ...]:
    """Return what a node calls; () for an ordinary op."""
    found = _CALLERS.get(node.op)
    if found is None:
        return ((node.op, 0),) if node.op in graph.function_index else ()
    attrs, skipped = found
    names: list[str] = []
    for attr in attrs:
        value = node.attrs.get(attr)
        is_list = isinstance(value, tuple) and not isinstance(value, FunctionRef)
        entries: tuple[object, ...] = value if is_list else (value,)  # type: ignore[assignment]
        names += [entry.name for entry in entries if isinstance(entry, FunctionRef)]
    return tuple((name, skipped) for name in names)


def body_graph(function: Function, graph: GraphModel) -> GraphModel:
    """Return a body as a graph; position i < len(function.inputs) is argument i.

    An output name is dropped: `split:output:1` becomes `split:1`, the index within that name.
    """
    arguments = tuple(Node(name, "_Arg", (), "", {"T": dtype}) for name, dtype in function.inputs)
    nodes = tuple(
        node._replace(inputs=tuple(plain_input(text) for text in node.inputs))
        for node in function.nodes
    )
    return GraphModel(arguments + nodes, graph.functions)


def plain_input(text: str) -> str:
    """Drop the name of the output from an input of a body: `split:output:1` is `split:1`."""
    parts = text.split(":")
    return f"{parts[0]}:{parts[2]}" if len(parts) == 3 else text

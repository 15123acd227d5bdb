"""A graph with its function calls opened: what a call computes stands where the call stood.

TensorFlow 2 keeps a model's computation in function bodies; from outside every variable enters one
and the same op. Loops are opened once and branches both, as it is places that matter, not values.
"""

from __future__ import annotations

from graphmap.analysis.functions import body_graph, calls_of, plain_input
from graphmap.model.function_check import is_bomb
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.names import CONTROL, parse_input

__all__ = ["inline_calls"]

MOST_NODES = 400_000  # of the opened graph; beyond, calls stay closed
DEEPEST = 24  # calls within calls; a body that calls itself stays closed


def inline_calls(graph: GraphModel) -> GraphModel:
    """Return the graph with all calls opened; itself where it has none or too many.

    Names of top-level nodes stay. An output of a call becomes an Identity (of a branch: a Merge).
    """
    if not graph.functions or not any(calls_of(node, graph) for node in graph.nodes):
        return graph
    if is_bomb(graph):
        return graph
    opened = _Opened(graph)
    opened.add(graph.nodes, "", ())
    return GraphModel(tuple(opened.nodes), graph.functions)


class _Opened:
    """The nodes of the opened graph, as they come."""

    def __init__(self, graph: GraphModel) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.bodies: dict[str, GraphModel] = {}

    def add(self, nodes: tuple[Node, ...], prefix: str, within: tuple[str, ...]) -> None:
        """Add the nodes of a body, or of the whole graph, under a prefix."""
        called = {node.name: self._open(node, within) for node in nodes}
        for node in nodes:
            inputs = tuple(_moved(text, prefix, called) for text in node.inputs)
            bodies = called[node.name]
            if not bodies:
                self.nodes.append(node._replace(name=prefix + node.name, inputs=inputs))
                continue
            self._add_call(node, inputs, prefix, bodies, within)

    def _open(self, node: Node, within: tuple[str, ...]) -> list[tuple[Function, int]]:
        """Return the functions of a call that can be opened, each with the inputs to skip."""
        found = []
        if len(within) >= DEEPEST or len(self.nodes) > MOST_NODES:
            return []
        for name, skipped in calls_of(node, self.graph):
            function = self.graph.function_index.get(name)
            if function is not None and name not in within:
                found.append((function, skipped))
        if node.op in ("While", "StatelessWhile"):
            found = found[:1]  # the body; what the condition reads decides no place
        return found

    def _add_call(
        self,
        node: Node,
        inputs: tuple[str, ...],
        prefix: str,
        bodies: list[tuple[Function, int]],
        within: tuple[str, ...],
    ) -> None:
        data = [text for text in inputs if not text.startswith("^")]
        returns: list[list[str]] = []
        for at, (function, skipped) in enumerate(bodies):
            inner = f"{prefix}{node.name}/{at}/"
            if function.name not in self.bodies:
                self.bodies[function.name] = body_graph(function, self.graph)
            body = self.bodies[function.name].nodes
            given = data[skipped:]
            for place, (name, _) in enumerate(function.inputs):
                source = (given[place],) if place < len(given) else ()
                self.nodes.append(Node(inner + name, "Identity", source, "", {}))
            self.add(body[len(function.inputs) :], inner, (*within, function.name))
            called = {n.name: self._open(n, (*within, function.name)) for n in body}
            returns.append(
                [
                    _moved(plain_input(function.returns.get(name, name)), inner, called)
                    for name, _ in function.outputs
                ]
            )
        for slot in range(max(map(len, returns))):
            sources = tuple(row[slot] for row in returns if slot < len(row))
            op = "Identity" if len(sources) == 1 else "Merge"
            self.nodes.append(Node(_output(prefix + node.name, slot), op, sources, "", {}))


def _output(name: str, slot: int) -> str:
    return f"{name}/returned/{slot}"


def _moved(text: str, prefix: str, called: dict[str, list[tuple[Function, int]]]) -> str:
    """Rewrite an input: under the prefix, and to the returned value where it is of a call."""
    name, slot = parse_input(text)
    if slot == CONTROL:
        return f"^{prefix}{name}"
    if called.get(name):
        return _output(prefix + name, slot)
    return f"{prefix}{name}:{slot}"

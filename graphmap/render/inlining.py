"""Function calls of a SavedModel opened up, so that the model is seen and not its wrappers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.analysis.ops import PLACEHOLDER_OPS
from graphmap.model.function_check import is_bomb
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.model.stored import StoredModel
from graphmap.names import CONTROL, op_name, parse_input, scope_of

__all__ = ["RETURN", "inline_calls", "plain_function"]

RETURN = "Outputs"  # op of the node that stands for a signature's call: it gathers the outputs
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_CALL_SCOPE = re.compile(r"(?:(?:Stateful)?PartitionedCall(?:_\d+)?/)+")
_WRITTEN = re.compile(r"^__(?:inference|forward)_(?:signature_wrapper_)?|_\d+$")
_MOST_WRAPPERS = 20
_MOST_NODES = 100_000  # bodies call each other; a bomb must end


def inline_calls(stored: StoredModel, graph: GraphModel) -> GraphModel:
    """Return the graph with the calls of its signatures replaced by their bodies.

    A call that only wraps another disappears. Arguments are replaced by what is passed, so that
    captured variables keep their own names. Loops and conditions stay ops. Of several signatures
    each becomes a scope of its name; one that calls what another calls is not opened twice.
    Calls that unfold to millions stay closed.
    """
    wanted: dict[str, str] = {}
    for key, signature in sorted(stored.meta.signatures.items()):
        for info in signature.outputs.values():
            wanted.setdefault(op_name(info.tensor), key)
    if not graph.functions or not any(_single_call(node, graph) for node in graph.nodes):
        return graph
    if is_bomb(graph):  # what is drawn of it would be one repeated pattern
        return graph
    inliner = _Inliner(graph, wanted)
    inliner.run()
    return GraphModel(inliner.result(), graph.functions, graph.producer)


def _single_call(node: Node, graph: GraphModel) -> Function | None:
    if node.op not in _CALLS and node.op not in graph.function_index:
        return None
    calls = calls_of(node, graph)
    return graph.function_index.get(calls[0][0]) if len(calls) == 1 else None


class _Inliner:
    """wanted: {call: the signature that returns its outputs}."""

    def __init__(self, graph: GraphModel, wanted: Mapping[str, str]) -> None:
        self.graph = graph
        self.wanted = wanted
        calls = [name for name in wanted if name in graph.index]
        self.is_alone = len(calls) < 2
        self.opened: dict[object, str] = {}  # {what is called: the signature that shows it}
        self.nodes: list[Node] = []
        self.names = {node.name for node in graph.nodes}
        self.copies: dict[str, int] = {}
        self.alias: dict[tuple[str, int], str] = {}  # (call, output): tensor of the body

    def run(self) -> None:
        stack: list[tuple[Node, frozenset[str]]] = [
            (node, frozenset()) for node in reversed(self.graph.nodes)
        ]
        while stack:
            node, around = stack.pop()
            function = _single_call(node, self.graph)
            is_top = not around
            if (
                function is None
                or function.name in around
                or (is_top and self.wanted and node.name not in self.wanted)
                or len(self.names) + len(function.nodes) > _MOST_NODES
            ):
                self.nodes.append(node)
                continue
            if is_top and node.name in self.wanted:
                key = self.wanted[node.name]
                attrs = {"signature": key.encode()}
                first = self.opened.setdefault(self._called(node, function), key)
                outputs = tuple(f"{node.name}:{k}" for k in range(len(function.outputs)))
                if first != key:
                    attrs["same_as"], outputs = first.encode(), self._fed(node)
                self.nodes.append(Node(node.name, RETURN, outputs, node.device, attrs))
                if first != key:
                    continue
            body = self._body(node, function)
            inside = around | {function.name}
            stack.extend((inner, inside) for inner in reversed(body))

    def _fed(self, call: Node) -> tuple[str, ...]:
        """Return the inputs of a call that are fed."""
        named = ((text, self.graph.find(parse_input(text).node)) for text in call.inputs)
        return tuple(text for text, node in named if node and node.op in PLACEHOLDER_OPS)

    def _called(self, call: Node, function: Function) -> object:
        """Return what a call computes: the function behind all wrappers, and what is captured."""
        captured = frozenset(call.inputs).difference(self._fed(call))
        for _ in range(_MOST_WRAPPERS):
            inner = [node for node in function.nodes if node.op not in ("Identity", "NoOp")]
            following = _single_call(inner[0], self.graph) if len(inner) == 1 else None
            if following is None:
                break
            function = following
        return function.name, captured

    def _body(self, call: Node, function: Function) -> list[Node]:
        """Return the body's nodes under names of the outer graph; note what the call returns."""
        given = [text for text in call.inputs if not text.startswith("^")]
        passed = dict(zip((name for name, _ in function.inputs), given, strict=False))
        inner = body_graph(function, self.graph).nodes[len(function.inputs) :]
        prefix = ""
        if not self.is_alone and call.name in self.wanted:
            prefix = f"{self.wanted[call.name]}/"
        elif "/" in call.name:
            prefix = f"{scope_of(call.name)}/"
        if any(prefix + node.name in self.names for node in inner):
            prefix = f"{prefix}{plain_function(function.name)}/"
        known = {
            node.name: self._free_name(prefix + _CALL_SCOPE.sub("", node.name)) for node in inner
        }
        for place, (output, _) in enumerate(function.outputs):
            head, *rest = function.returns.get(output, "").split(":")
            index = rest[-1] if rest else "0"
            self.alias[call.name, place] = _outer(f"{head}:{index}", known, passed)
        return [
            node._replace(
                name=known[node.name],
                inputs=tuple(_outer(text, known, passed) for text in node.inputs),
            )
            for node in inner
        ]

    def _free_name(self, name: str) -> str:
        found = name
        while found in self.names:
            self.copies[name] = self.copies.get(name, 0) + 1
            found = f"{name}_{self.copies[name]}"
        self.names.add(found)
        return found

    def result(self) -> tuple[Node, ...]:
        """Return the nodes with every use of a call replaced by what the call returns."""
        return tuple(
            node._replace(inputs=tuple(self._resolved(text) for text in node.inputs))
            for node in self.nodes
        )

    def _resolved(self, text: str) -> str:
        for _ in range(len(self.alias)):
            reference = parse_input(text)
            found = self.alias.get((reference.node, reference.output))
            if found is None:
                break
            text = found
        return text


def plain_function(function: str) -> str:
    """Return a function's name as it was written.

    >>> plain_function("__inference_block_123"), plain_function("block")
    ('block', 'block')
    """
    return _WRITTEN.sub("", function) or function


def _outer(text: str, known: Mapping[str, str], passed: Mapping[str, str]) -> str:
    """Return an input of a body as an input of the outer graph."""
    name, output = parse_input(text)
    if output == CONTROL:
        return f"^{known.get(name, passed.get(name, name).lstrip('^').partition(':')[0])}"
    if name in passed:
        return passed[name]
    return f"{known.get(name, name)}:{output}"

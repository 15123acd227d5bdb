"""Loops and conditions of TensorFlow 2 opened up: their functions' ops in a scope of their own.

`While` becomes what TensorFlow 1 stored: a Merge for each value that changes, fed by the start and
by a NextIteration; what the body hands on unchanged keeps its own name. `If` becomes both branches
with a Merge of their results. So one way of drawing serves both.
(TensorFlow's own lowering does the same before it runs them: `core/common_runtime/lower_while_op`.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.names import CONTROL, parse_input, scope_of
from graphmap.render.inlining import plain_function

__all__ = ["has_control_flow", "lower_control_flow"]

_LOOPS = frozenset({"While", "StatelessWhile"})
_CONDITIONS = frozenset({"If", "StatelessIf"})
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_MOST_NODES = 100_000  # bodies hold loops whose bodies hold loops; a bomb must end
_MOST_IDENTITIES = 20
_WRAPPED = "OptionalFromValue"  # so cond_v2.py of TensorFlow hands values to the gradient


def has_control_flow(graph: GraphModel) -> bool:
    """Whether a graph holds a loop or condition that can be opened."""
    return any(_can_open(node, graph) for node in graph.nodes)


def lower_control_flow(graph: GraphModel, wanted: Collection[str]) -> GraphModel:
    """Return the graph with these loops and conditions opened, and all that lie within them.

    wanted: names of nodes; those of gradients mirror the others and are better left closed.
    """
    lowering = _Lowering(graph, wanted)
    lowering.run()
    return GraphModel(lowering.result(), graph.functions, graph.producer)


def _can_open(node: Node, graph: GraphModel) -> bool:
    if node.op not in _LOOPS and node.op not in _CONDITIONS:
        return False
    called = calls_of(node, graph)
    return len(called) == 2 and all(name in graph.function_index for name, _ in called)


def _is_call(node: Node, graph: GraphModel) -> bool:
    called = calls_of(node, graph)
    is_plain = node.op in _CALLS or node.op in graph.function_index
    return is_plain and len(called) == 1 and called[0][0] in graph.function_index


class _Lowering:
    def __init__(self, graph: GraphModel, wanted: Collection[str]) -> None:
        self.graph = graph
        self.wanted = wanted
        self.names = {node.name for node in graph.nodes}
        self.nodes: list[Node] = []
        self.alias: dict[tuple[str, int], str] = {}  # (loop or condition, output): tensor

    def run(self) -> None:
        stack = [(node, frozenset[str]()) for node in reversed(self.graph.nodes)]
        while stack:
            node, around = stack.pop()
            called = [name for name, _ in calls_of(node, self.graph)]
            is_endless = not around.isdisjoint(called) or len(self.names) > _MOST_NODES
            is_wanted = bool(around) or node.name in self.wanted
            can_open = _can_open(node, self.graph) or (bool(around) and _is_call(node, self.graph))
            if is_endless or not is_wanted or not can_open:
                self.nodes.append(node)
                continue
            functions = [self.graph.function_index[name] for name in called]
            inside = around | set(called)
            stack.extend((made, inside) for made in reversed(self._opened(node, functions)))

    def _opened(self, node: Node, functions: Sequence[Function]) -> list[Node]:
        if node.op in _LOOPS:
            return self._loop(node, functions)
        if node.op in _CONDITIONS:
            return self._condition(node, functions)
        scope = f"{scope_of(node.name)}/{plain_function(functions[0].name)}".removeprefix("/")
        made, outputs = self._inlined(scope, "", functions[0], _data(node.inputs))
        self.alias.update(((node.name, place), text) for place, text in enumerate(outputs))
        return made

    def _loop(self, node: Node, functions: Sequence[Function]) -> list[Node]:
        body, cond = functions
        given = _data(node.inputs)
        returned = [_through(_returned(body, place), body) for place in range(len(body.outputs))]
        names = [name for name, _ in body.inputs]
        passed: list[str] = []
        merges: list[tuple[int, str]] = []
        for place, start in enumerate(given):
            if place < len(returned) and returned[place] == f"{names[place]}:0":
                passed.append(start)  # the body hands it on as it is
                self.alias[node.name, place] = start
            else:
                name = self._free(f"{node.name}/Merge")
                merges.append((place, name))
                passed.append(name)
        made, outputs = self._inlined(node.name, "", body, passed)
        tests, asked = self._inlined(node.name, "cond/", cond, passed)
        made += tests
        made.append(
            Node(self._free(f"{node.name}/LoopCond"), "LoopCond", tuple(asked[:1]), node.device, {})
        )
        for place, name in merges:
            dtype = {"T": body.inputs[place][1]} if place < len(body.inputs) else {}
            again = self._free(f"{node.name}/NextIteration")
            self.alias[node.name, place] = outputs[place]  # what the last round gave
            made.append(Node(again, "NextIteration", (outputs[place],), node.device, dtype))
            made.append(Node(name, "Merge", (given[place], again), node.device, dtype))
        return made

    def _condition(self, node: Node, functions: Sequence[Function]) -> list[Node]:
        given = _data(node.inputs)[1:]
        made: list[Node] = []
        ends: list[list[str]] = []
        for word, function in zip(("then/", "else/"), functions, strict=True):
            inner, outputs = self._inlined(node.name, word, function, given)
            made += inner
            ends.append(outputs)
        by_name = {one.name: one for one in made if one.op == _WRAPPED and one.inputs}
        for place, results in enumerate(zip(*ends, strict=False)):
            taken = (parse_input(text).node for text in results)
            wrapped = [by_name[name] for name in taken if name in by_name]
            if wrapped:  # what the gradient of one branch takes: no result of the condition
                self.alias[node.name, place] = wrapped[0].inputs[0]
                continue
            name = self._free(f"{node.name}/Merge")
            dtype = {"T": functions[0].outputs[place][1]}
            made.append(Node(name, "Merge", tuple(results), node.device, dtype))
            self.alias[node.name, place] = name
        return [one for one in made if one.name not in by_name]

    def _inlined(
        self, around: str, word: str, function: Function, passed: Sequence[str]
    ) -> tuple[list[Node], list[str]]:
        """Return a function's nodes under a name, and the tensors that it returns."""
        arguments = dict(zip((name for name, _ in function.inputs), passed, strict=False))
        inner = body_graph(function, self.graph).nodes[len(function.inputs) :]
        known = {
            one.name: self._free(f"{around}/{word}{_inner_name(one.name, around)}") for one in inner
        }
        made = [
            one._replace(
                name=known[one.name],
                inputs=tuple(_outer(text, known, arguments) for text in one.inputs),
            )
            for one in inner
        ]
        ends = [
            _outer(_returned(function, place), known, arguments)
            for place in range(len(function.outputs))
        ]
        return made, ends

    def _free(self, name: str) -> str:
        found, number = name, 0
        while found in self.names:
            number += 1
            found = f"{name}_{number}"
        self.names.add(found)
        return found

    def result(self) -> tuple[Node, ...]:
        """Return the nodes with every use of a loop or condition replaced by what it gives."""
        return tuple(
            node._replace(inputs=tuple(self._resolved(text) for text in node.inputs))
            for node in self.nodes
        )

    def _resolved(self, text: str) -> str:
        for _ in range(len(self.alias)):
            name, output = parse_input(text)
            found = self.alias.get((name, max(output, 0)))
            if found is None:
                break
            text = f"^{parse_input(found).node}" if output == CONTROL else found
        return text


def _inner_name(name: str, around: str) -> str:
    """Return a name in a body without the end of the outer name that it repeats.

    >>> _inner_name("net/while/Add", "call/net/while"), _inner_name("Add", "net/while")
    ('Add', 'Add')
    """
    parts = around.split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:]) + "/"
        if name.startswith(end):
            return name[len(end) :]
    return name


def _data(inputs: Sequence[str]) -> list[str]:
    return [text for text in inputs if not text.startswith("^")]


def _returned(function: Function, place: int) -> str:
    """Return the tensor of a body that one of its outputs is."""
    output, _ = function.outputs[place]
    head, *rest = function.returns.get(output, "").split(":")
    return f"{head}:{rest[-1] if rest else '0'}"


def _through(text: str, function: Function) -> str:
    """Follow a tensor of a body up through identities."""
    by_name = {node.name: node for node in function.nodes}
    for _ in range(_MOST_IDENTITIES):
        node = by_name.get(parse_input(text).node)
        if node is None or node.op != "Identity" or not node.inputs:
            break
        name, output = parse_input(node.inputs[0])
        text = f"{name}:{output}"
    return text


def _outer(text: str, known: Mapping[str, str], passed: Mapping[str, str]) -> str:
    """Return an input of a body as an input of the outer graph."""
    name, output = parse_input(text)
    if name in passed:
        outer = passed[name]
        return f"^{parse_input(outer).node}" if output == CONTROL else outer
    found = known.get(name, name)
    if output == CONTROL:
        return f"^{found}"
    return f"{found}:{output}" if output else found

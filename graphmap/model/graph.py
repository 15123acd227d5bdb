"""A GraphDef as plain Python: nodes, function bodies, and the edges between them.

Source of the format: tensorflow/core/framework/{graph,node_def,function,attr_value}.proto.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.names import CONTROL, parse_input

if TYPE_CHECKING:
    import numpy

    from graphmap.model.attr_facts import GraphFacts

MERGE_OPS = ("Merge", "RefMerge")
NEXT_ITERATION_OPS = ("NextIteration", "RefNextIteration")  # their edges to a Merge close loops

Dims = tuple[int | None, ...] | None  # sizes, outermost first; None: unknown size, unknown rank


class ShapeValue(NamedTuple):
    """A `shape` attr."""

    dims: Dims


class FunctionRef(NamedTuple):
    """A `func` attr: the name of a library function."""

    name: str


class TensorValue(NamedTuple):
    """A `tensor` attr; its values are decoded on demand only.

    plain: gives them as Python values where that needs no numpy (strings, one number), else None.
    """

    dtype: str
    shape: tuple[int, ...]
    decode: Callable[[], numpy.ndarray]
    check: Callable[[], str] = str
    plain: Callable[[], list[Any] | None] = lambda: None

    def defect(self) -> str:
        """Say why the stored values cannot be those of dtype and shape, or return ""."""
        return self.check()

    def array(self) -> numpy.ndarray:
        """Return the values; splat fills are expanded, so look at `shape` first."""
        return self.decode()

    def strings(self) -> list[bytes]:
        """Return the values of a string tensor, in one row."""
        values = self.plain()
        return self.array().reshape(-1).tolist() if values is None else values


# bytes: `s`; str: `type`, TensorFlow's word such as "float32"; tuple: `list(...)`
AttrValue = bytes | int | float | bool | str | ShapeValue | TensorValue | FunctionRef | tuple  # type: ignore[type-arg]


class Node(NamedTuple):
    """A NodeDef. `inputs` are its strings as stored; `attrs` is decoded on access."""

    name: str
    op: str
    inputs: tuple[str, ...]
    device: str
    attrs: Mapping[str, AttrValue]


class Function(NamedTuple):
    """A FunctionDef. In a body an input reads `argument` or `node:output_name:index`."""

    name: str
    inputs: tuple[tuple[str, str], ...]  # (argument name, dtype)
    outputs: tuple[tuple[str, str], ...]
    nodes: tuple[Node, ...]
    returns: Mapping[str, str]
    control_returns: Mapping[str, str]


class BackEdge(NamedTuple):
    """A loop edge that the acyclic graph leaves out."""

    source: str
    target: str
    output: int
    input: int


class Topology(NamedTuple):
    """Edges as integer lists, one entry a node, in node order. Missing producers are -1."""

    inputs: list[list[tuple[int, int]]]  # data: (producer, its output slot)
    controls: list[list[int]]  # control: producer
    consumers: list[list[tuple[int, int]]]  # data: (consumer, position among its data inputs)
    control_consumers: list[list[int]]


class InputOrder(NamedTuple):
    """What inputs tell of a graph.

    dangling: nodes that lack a producer. mixed: nodes with a control input before a data input.
    is_ordered: whether every producer stands before its consumers, those that close while loops
    aside. TensorFlow writes its graphs so, and such a graph has no cycle but its loops.
    producers, outputs: of every input of every node, in stored order: the position of the producer
    or -1, and which of its outputs, or CONTROL.
    """

    dangling: list[int]
    mixed: list[int]
    is_ordered: bool
    producers: array[int]
    outputs: array[int]


class GraphModel:
    """A GraphDef with its function library; never changed once made.

    producer, min_consumer: of GraphDef.versions, 0 where not stored.
    raw: the serialized GraphDef, for those who hand it to TensorFlow.
    facts: what the checks ask of attrs (see attr_facts), where the reader gathered it on the way.
    """  # a plain class: `import dataclasses` alone costs a tenth of an `inspect`

    def __init__(
        self,
        nodes: tuple[Node, ...],
        functions: tuple[Function, ...] = (),
        producer: int = 0,
        raw: Callable[[], bytes] = bytes,
        min_consumer: int = 0,
        facts: GraphFacts | None = None,
    ) -> None:
        self.nodes = nodes
        self.functions = functions
        self.producer = producer
        self.raw = raw
        self.min_consumer = min_consumer
        self.facts = facts

    def __repr__(self) -> str:
        return f"GraphModel({len(self.nodes)} nodes, {len(self.functions)} functions)"

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each node by name; the first one where a name stands twice."""
        nodes = self.nodes
        found = {node[0]: position for position, node in enumerate(nodes)}
        if len(found) < len(nodes):
            for position in range(len(nodes) - 1, -1, -1):
                found[nodes[position].name] = position
        return found

    def find(self, name: str) -> Node | None:
        """Return the node of this op name, or None."""
        position = self.index.get(name)
        return None if position is None else self.nodes[position]

    @cached_property
    def function_index(self) -> dict[str, Function]:
        """Library functions by name."""
        return {function.name: function for function in self.functions}

    @cached_property
    def order(self) -> InputOrder:
        """What the inputs tell of the order in which nodes and inputs are stored."""
        index, nodes = self.index, self.nodes
        names = "\n".join(index)  # where one has one of these, each input has to be taken apart
        plain = {} if ":" in names or "^" in names else index
        refs = _Refs(index)
        dangling: list[int] = []
        mixed: list[int] = []
        is_ordered = True
        producers, outputs = array("i"), array("i")  # a slot ends at 2^31 - 1, see names
        add_producer, add_output = producers.append, outputs.append
        for position, (_, op, texts, _, _) in enumerate(nodes):
            is_after_control = False
            for text in texts:
                producer, output = plain.get(text, -1), 0
                if producer < 0:
                    producer, output = refs[text]
                    if producer < 0 and (not dangling or dangling[-1] != position):
                        dangling.append(position)
                add_producer(producer)
                add_output(output)
                if output == CONTROL:
                    is_after_control = True
                elif is_after_control and (not mixed or mixed[-1] != position):
                    mixed.append(position)
                if producer >= position and not (
                    output != CONTROL
                    and op in MERGE_OPS
                    and nodes[producer].op in NEXT_ITERATION_OPS
                ):
                    is_ordered = False
        return InputOrder(dangling, mixed, is_ordered, producers, outputs)

    @cached_property
    def topology(self) -> Topology:
        """Edges of the top-level graph, loops included."""
        size = len(self.nodes)
        inputs: list[list[tuple[int, int]]] = [[] for _ in range(size)]
        controls: list[list[int]] = [[] for _ in range(size)]
        consumers: list[list[tuple[int, int]]] = [[] for _ in range(size)]
        control_consumers: list[list[int]] = [[] for _ in range(size)]
        first_outputs = [(position, 0) for position in range(size)]
        edges = zip(self.order.producers, self.order.outputs, strict=True)
        for position, node in enumerate(self.nodes):
            row = inputs[position]
            for producer, output in islice(edges, len(node.inputs)):
                if output == CONTROL:
                    controls[position].append(producer)
                    if producer >= 0:
                        control_consumers[producer].append(position)
                    continue
                if producer >= 0:
                    consumers[producer].append((position, len(row)))
                is_first = output == 0 and producer >= 0
                row.append(first_outputs[producer] if is_first else (producer, output))
        return Topology(inputs, controls, consumers, control_consumers)


class _Refs(dict[str, tuple[int, int]]):
    """Inputs taken apart, each once."""

    def __init__(self, index: Mapping[str, int]) -> None:
        super().__init__()
        self._index = index

    def __missing__(self, text: str) -> tuple[int, int]:
        name, output = parse_input(text)
        self[text] = found = self._index.get(name, -1), output
        return found

"""Which stored nodes have to be copied to train a new graph, and where they are joined to it.

The cut goes back from the stored train ops over data and control inputs and stops at variables, at
forward tensors that the new graph computes too, and at updates that the caller's graph has itself.
Gradients lie inside it: they are copied, so they are the stored gradients, node by node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from graphmap.analysis.gradients import TensorRef
from graphmap.analysis.loops import EXITS, loop_nodes
from graphmap.analysis.ops import PLACEHOLDER_OPS, VARIABLE_OPS
from graphmap.analysis.updates import Training, upstream
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.tf.descent import HANDLE_CARRIERS, INPUT_OPS, Descent
from graphmap.tf.kinds import VIEWS

__all__ = ["Cut", "check_state", "find_cut"]

# One array is filled, read and differentiated through its handle: all of it, or nothing.
_WITH_MEMORY = ("TensorArray", "Stack")
# Stateful by registration, yet what they return follows from their inputs and the variables.
_HARMLESS = VARIABLE_OPS | INPUT_OPS | {
    "ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape", "VarIsInitializedOp",
    "IsVariableInitialized", "Assert", "Print", "PrintV2", "If", "While", "Case",
    "StatefulPartitionedCall", "DeepCopy", "StackV2", "StackPushV2", "StackPopV2", "StackCloseV2",
    "Stack", "StackPush", "StackPop", "StackClose", "TensorArrayV3", "TensorArrayGradV3",
    "TensorArrayWriteV3", "TensorArrayReadV3", "TensorArrayGatherV3", "TensorArrayScatterV3",
    "TensorArraySizeV3", "TensorArrayCloseV3", "TensorArrayConcatV3", "TensorArraySplitV3",
    "TensorArrayGradWithShape", "Iterator", "IteratorV2", "OneShotIterator", "FIFOQueueV2",
    "RandomShuffleQueueV2", "PaddingFIFOQueueV2", "HashTableV2", "MutableHashTableV2",
    "DestroyTemporaryVariable", "ScalarSummary", "HistogramSummary", "CheckNumerics",
    "CheckNumericsV2",
}  # fmt: skip

_ALIASES = VIEWS | HANDLE_CARRIERS - {"Merge"} | {"Identity", "RefIdentity"}
_NOT_EXACTLY = (
    "Random and other stateful ops cannot be gone on with exactly; allow_inexact=True rebuilds "
    "them with fresh states."
)


@dataclass
class Cut:
    """What is copied, and its edges into the new graph. Positions in the stored graph.

    tensors: {stored tensor: new tensor} that copied nodes take. controls: {stored node: new node}
    that copied nodes wait for. variables: variables that copied nodes use. feeds: placeholders
    that the new graph has no counterpart for. replaced: {stored tensor: tensor name of the new
    graph} that was made for this.
    """

    copied: set[int] = field(default_factory=set)
    tensors: dict[TensorRef, TensorRef] = field(default_factory=dict)
    controls: dict[int, int] = field(default_factory=dict)
    variables: dict[int, None] = field(default_factory=dict)
    feeds: list[int] = field(default_factory=list)
    replaced: dict[TensorRef, str] = field(default_factory=dict)


def find_cut(
    graph: GraphModel,
    roots: Iterable[int],
    descent: Descent,
    usable: Callable[[TensorRef, TensorRef], bool],
    own_updates: Mapping[int, int],
    dropped: Collection[int] = (),
    replaced: Mapping[TensorRef, str] | None = None,
) -> Cut:
    """Walk back from the train ops.

    usable(stored, new): whether a paired tensor can stand in for the stored one. own_updates:
    {stored write: op of the new graph that does the same}. dropped: stored writes that are left
    out. replaced: {stored tensor: tensor name of the new graph} to be taken for it.
    """
    cut = Cut()
    replaced = replaced or {}
    inside = loop_nodes(graph)
    buffers = _buffers(graph, descent)
    inputs, controls = graph.topology.inputs, graph.topology.controls
    stack = [root for root in roots if root not in own_updates]
    cut.copied.update(stack)

    def join(position: int) -> None:
        if position not in cut.copied:
            cut.copied.add(position)
            stack.append(position)

    while stack:
        position = stack.pop()
        if graph.nodes[position].op in PLACEHOLDER_OPS:
            cut.feeds.append(position)
        for producer, output in inputs[position]:
            if producer < 0:
                raise ReconstructionError(
                    "has an input that is not in the graph", where=graph.nodes[position].name
                )
            if graph.nodes[producer].op in VARIABLE_OPS:
                cut.variables[producer] = None
                continue
            here = TensorRef(producer, output)
            if here in replaced:
                cut.replaced[here] = replaced[here]
                continue
            if producer in dropped:
                raise ReconstructionError(
                    f"cannot be left out: {graph.nodes[position].name} takes what it returns",
                    where=graph.nodes[producer].name,
                    remedy="Pass every variable that the stored op trains in var_list.",
                )
            there = None
            if producer not in buffers:
                there = _counterpart(graph, descent, here, inside, own_updates)
            if there is not None and usable(here, there):
                cut.tensors[here] = there
            else:
                join(producer)
        for producer in controls[position]:
            if producer < 0 or producer in dropped or graph.nodes[producer].op in VARIABLE_OPS:
                continue
            node = _paired_node(descent, producer, inside, own_updates)
            if node is not None:
                cut.controls[producer] = node
            else:
                join(producer)
    cut.feeds.sort()
    return cut


def _buffers(graph: GraphModel, descent: Descent) -> set[int]:
    """Nodes that hand on the buffer of a ref variable which is a resource in the new graph.

    What stands for them there is a copy of the value at one moment, so it cannot be taken.
    """
    stack = [
        a
        for a, b in descent.variables.items()
        if graph.nodes[a].op != "VarHandleOp" and descent.new.nodes[b].op == "VarHandleOp"
    ]
    found: set[int] = set()
    while stack:
        for consumer, place in graph.topology.consumers[stack.pop()]:
            is_alias = place == 0 and graph.nodes[consumer].op in _ALIASES
            if is_alias and consumer not in found:
                found.add(consumer)
                stack.append(consumer)
    return found


def _counterpart(
    graph: GraphModel,
    descent: Descent,
    tensor: TensorRef,
    inside: Collection[int],
    own_updates: Mapping[int, int],
) -> TensorRef | None:
    if tensor in descent.inputs:
        return descent.inputs[tensor]
    if tensor.node in own_updates:
        return TensorRef(own_updates[tensor.node], tensor.output)
    if tensor.node in descent.reads and graph.nodes[tensor.node].op == "ReadVariableOp":
        return _read_below(descent.new, descent.reads[tensor.node])
    new = descent.nodes.get(tensor.node)
    if new is None or graph.nodes[tensor.node].op.startswith(_WITH_MEMORY):
        return None
    if tensor.node in inside and graph.nodes[tensor.node].op not in EXITS:
        return None
    if tensor.output > 0 and graph.nodes[tensor.node].op != descent.new.nodes[new].op:
        return None
    return TensorRef(new, tensor.output)


def _read_below(graph: GraphModel, tensor: TensorRef) -> TensorRef | None:
    """Return the read of a resource behind Identities; a read of a ref is no snapshot."""
    while tensor.node >= 0 and graph.nodes[tensor.node].op == "Identity":
        tensor = TensorRef(*graph.topology.inputs[tensor.node][0])
    found = tensor.node >= 0 and graph.nodes[tensor.node].op == "ReadVariableOp"
    return tensor if found else None


def _paired_node(
    descent: Descent, position: int, inside: Collection[int], own_updates: Mapping[int, int]
) -> int | None:
    if position in own_updates:
        return own_updates[position]
    if position in inside or descent.stored.nodes[position].op.startswith(_WITH_MEMORY):
        return None
    new = descent.inputs.get(TensorRef(position, 0))
    if new is not None:
        return new.node
    return descent.nodes.get(position)


def check_state(
    training: Training,
    cut: Cut,
    own_updates: Mapping[int, int],
    dropped: Collection[int] = (),
    *,
    allow_inexact: bool = False,
) -> list[str]:
    """Raise ReconstructionError where the update depends on what no copy can bring along.

    That is: random or other stateful ops, and writes hidden behind a forward op that is not copied.
    allow_inexact: returns a sentence on each of the former instead.
    """
    said: list[str] = []
    from tensorflow.python.framework import op_def_registry

    graph = training.graph
    starts = [*cut.copied, *(tensor.node for tensor in cut.tensors)]
    inputs = [at for at, node in enumerate(graph.nodes) if node.op in INPUT_OPS]
    everything = upstream(graph, starts, stop={*dropped, *inputs})  # behind an input is no update
    for position in sorted(everything):
        node = graph.nodes[position]
        write = training.writes.by_node.get(position)
        if write is not None:
            known = position in cut.copied or position in own_updates or position in dropped
            if not known:
                raise ReconstructionError(
                    f"the stored loss runs the update {node.name}, which the new graph lacks",
                    where=node.name,
                    remedy="Add it to the new graph's UPDATE_OPS.",
                )
            continue
        definition = op_def_registry.get(node.op)
        if definition is not None and definition.is_stateful and node.op not in _HARMLESS:
            if not allow_inexact:
                raise ReconstructionError(
                    f"the update depends on {node.name} ({node.op}), whose state is not stored",
                    where=node.name,
                    remedy=_NOT_EXACTLY,
                )
            said.append(f"{node.name} ({node.op}) starts anew: its state is not stored")
    said += _check_bodies(graph, everything, allow_inexact)
    return said


def _check_bodies(graph: GraphModel, positions: Iterable[int], allow_inexact: bool) -> list[str]:
    from tensorflow.python.framework import op_def_registry

    from graphmap.analysis.functions import calls_of
    from graphmap.analysis.ops import is_write

    said: list[str] = []
    seen: set[str] = set()
    names = [name for at in positions for name, _ in calls_of(graph.nodes[at], graph)]
    while names:
        name = names.pop()
        function = graph.function_index.get(name)
        if name in seen or function is None:
            continue
        seen.add(name)
        for node in function.nodes:
            names += [called for called, _ in calls_of(node, graph)]
            definition = op_def_registry.get(node.op)
            stateful = definition is not None and definition.is_stateful
            if stateful and node.op not in _HARMLESS and not is_write(node.op):
                what = (
                    f"the function {name} holds {node.name} ({node.op}), whose state is not stored"
                )
                if not allow_inexact:
                    raise ReconstructionError(what, where=name, remedy=_NOT_EXACTLY)
                said.append(what)
    return said

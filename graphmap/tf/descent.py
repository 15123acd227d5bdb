"""Proof that two graphs compute the same: a parallel walk from one tensor of each to its sources.

One walk gives the forward map, the pairing of inputs and variables (by position, so that mirrored
variables of one shape are told apart), and the proof. Names, devices, frames and attributes that
begin with an underscore mean nothing to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphmap.analysis.functions import body_graph
from graphmap.analysis.gradients import TensorRef
from graphmap.analysis.ops import PLACEHOLDER_OPS, VARIABLE_OPS
from graphmap.model.graph import (
    AttrValue,
    FunctionRef,
    GraphModel,
    Node,
    ShapeValue,
    TensorValue,
)

__all__ = ["HANDLE_CARRIERS", "INPUT_OPS", "Descent", "Difference", "op_class"]

INPUT_OPS = PLACEHOLDER_OPS | {
    "IteratorGetNext", "QueueDequeueV2", "QueueDequeueManyV2", "QueueDequeueUpToV2",
    "QueueDequeue", "QueueDequeueMany", "QueueDequeueUpTo", "Unstage", "LookupTableFind",
    "LookupTableFindV2", "ParseExample", "ParseExampleV2", "ParseSingleExample",
}  # fmt: skip
CALL_OPS = frozenset(
    {"PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile",
     "Case", "StatelessCase"}
)  # fmt: skip
HANDLE_CARRIERS = frozenset({"Switch", "RefSwitch", "Merge", "Enter", "RefEnter"})
_SKIPPED = frozenset({"Identity", "ReadVariableOp"})
_CLASSES = {
    "Add": "AddV2", "Gather": "GatherV2", "ResourceGather": "GatherV2", "RefSwitch": "Switch",
    "RefMerge": "Merge", "RefEnter": "Enter", "RefExit": "Exit", "RefIdentity": "Identity",
    "RefNextIteration": "NextIteration", "StatefulPartitionedCall": "PartitionedCall",
    "StatelessIf": "If", "StatelessWhile": "While", "StatelessCase": "Case",
    "BatchMatMul": "BatchMatMulV2", "FusedBatchNorm": "FusedBatchNormV3",
    "FusedBatchNormV2": "FusedBatchNormV3", "VariableShape": "Shape", "Variable": "VariableV2",
    "VarHandleOp": "VariableV2",
}  # fmt: skip
# What an op is called and where it runs; how a variable is held; none of it changes a value.
_FREE_ATTRS = frozenset(
    {"container", "shared_name", "frame_name", "parallel_iterations", "validate_indices",
     "output_shapes", "config", "config_proto", "executor_type", "debug_name", "allowed_devices"}
)  # fmt: skip
_FORMS = frozenset({"Tparams", "Tshape", "resource"})  # attrs of one form of an op class only


def op_class(op: str) -> str:
    """Return the op type that stands for all forms of one computation."""
    return _CLASSES.get(op, op)


class Difference(NamedTuple):
    """Where two graphs part: the stored node, the new node, and what is not alike."""

    stored: str
    new: str
    why: str

    def __str__(self) -> str:
        return f"stored {self.stored} and new {self.new} differ: {self.why}"


@dataclass
class _Trial:
    """What one walk adds; joined to the map only when the walk has found no difference."""

    tensors: dict[TensorRef, TensorRef] = field(default_factory=dict)
    nodes: dict[int, int] = field(default_factory=dict)
    reads: dict[int, TensorRef] = field(default_factory=dict)
    variables: dict[int, int] = field(default_factory=dict)
    inputs: dict[TensorRef, TensorRef] = field(default_factory=dict)


class Descent:
    """Grows one map from a stored graph to a new one; every walk must agree with it.

    variables: {stored variable node: new variable node}, positions; pairs given at the start are
    held to. nodes, reads, inputs: likewise for ops, reads of resources, and input tensors.
    """

    def __init__(
        self, stored: GraphModel, new: GraphModel, variables: Mapping[int, int] | None = None
    ) -> None:
        self.stored = stored
        self.new = new
        self.variables: dict[int, int] = dict(variables or {})
        self.nodes: dict[int, int] = {}
        self.reads: dict[int, TensorRef] = {}
        self.inputs: dict[TensorRef, TensorRef] = {}
        self._done: set[tuple[TensorRef, TensorRef]] = set()
        self._bodies: dict[tuple[str, str], Difference | None] = {}

    def walk(
        self, *pairs: tuple[TensorRef, TensorRef], only_variables: bool = False
    ) -> Difference | None:
        """Compare the tensors of each pair; None, and the map grown, where all are the same.

        only_variables: grow the map by the variables alone; the ops run at another time.
        """
        trial = _Trial()
        seen: set[tuple[TensorRef, TensorRef]] = set()
        stack = list(pairs)
        while stack:
            pair = stack.pop()
            if pair in seen or pair in self._done:
                continue
            seen.add(pair)
            difference = self._step(pair[0], pair[1], trial, stack)
            if difference is not None:
                return difference
        if only_variables:
            self.variables = trial.variables | self.variables
            return None
        self.nodes = trial.nodes | self.nodes  # what was paired first stays
        self.reads = trial.reads | self.reads
        self.variables = trial.variables | self.variables
        self.inputs = trial.inputs | self.inputs
        self._done |= seen
        return None

    def _step(
        self,
        stored: TensorRef,
        new: TensorRef,
        trial: _Trial,
        stack: list[tuple[TensorRef, TensorRef]],
    ) -> Difference | None:
        passed: list[int] = []
        old_ref, new_ref = _source(self.stored, stored, passed), _source(self.new, new, [])
        if old_ref.node < 0 or new_ref.node < 0:
            return Difference("?", "?", "an input is missing")
        a, b = self.stored.nodes[old_ref.node], self.new.nodes[new_ref.node]
        for read in passed:
            trial.reads.setdefault(read, new)
        if a.op in VARIABLE_OPS or b.op in VARIABLE_OPS:
            return self._pair_variables(old_ref.node, new_ref.node, trial)
        if a.op in INPUT_OPS or b.op in INPUT_OPS:
            return self._pair_inputs(old_ref, new_ref, trial, stack)
        if op_class(a.op) != op_class(b.op):
            return Difference(a.name, b.name, f"{a.op} is not {b.op}")
        if old_ref.output != new_ref.output:
            return Difference(a.name, b.name, "another output is used")
        difference = self._compare(a, b)
        if difference is not None:
            return difference
        trial.nodes.setdefault(old_ref.node, new_ref.node)
        return self._follow(old_ref.node, new_ref.node, stack)

    def _follow(
        self, old: int, new: int, stack: list[tuple[TensorRef, TensorRef]]
    ) -> Difference | None:
        a, b = self.stored.nodes[old], self.new.nodes[new]
        ours, theirs = self.stored.topology.inputs[old], self.new.topology.inputs[new]
        if op_class(a.op) == "GatherV2":
            if not (_plain_gather(self.stored, old) and _plain_gather(self.new, new)):
                if a.op != b.op:
                    return Difference(a.name, b.name, "rows of another axis are gathered")
            else:
                ours, theirs = ours[:2], theirs[:2]
        if len(ours) != len(theirs) and not (
            op_class(a.op) == "While" and len(ours) >= len(theirs)
        ):
            return Difference(a.name, b.name, f"{len(ours)} inputs, not {len(theirs)}")
        stack.extend((TensorRef(*x), TensorRef(*y)) for x, y in zip(ours, theirs, strict=False))
        return None

    def _pair_variables(self, old: int, new: int, trial: _Trial) -> Difference | None:
        a, b = self.stored.nodes[old], self.new.nodes[new]
        if not (a.op in VARIABLE_OPS and b.op in VARIABLE_OPS):
            return Difference(a.name, b.name, "only one of them is a variable")
        known = trial.variables.get(old, self.variables.get(old))
        if known is None:
            taken = {**self.variables, **trial.variables}
            if new in taken.values():
                return Difference(a.name, b.name, "the new variable stands for another one")
            if not (_alike(a.attrs, b.attrs, "dtype") and _alike(a.attrs, b.attrs, "shape")):
                return Difference(a.name, b.name, "another shape or dtype")
            trial.variables[old] = new
        elif known != new:
            other = self.new.nodes[known].name
            return Difference(a.name, b.name, f"it stands for the new variable {other}")
        return None

    def _pair_inputs(
        self,
        old: TensorRef,
        new: TensorRef,
        trial: _Trial,
        stack: list[tuple[TensorRef, TensorRef]],
    ) -> Difference | None:
        a, b = self.stored.nodes[old.node], self.new.nodes[new.node]
        if not (a.op in INPUT_OPS and b.op in INPUT_OPS):
            return Difference(a.name, b.name, "only one of them is an input")
        known = trial.inputs.get(old, self.inputs.get(old))
        if known is not None and known != new:
            return Difference(a.name, b.name, "one stored input stands for several new ones")
        if known is None:
            if new in self.inputs.values() or new in trial.inputs.values():
                return Difference(a.name, b.name, "several stored inputs are one new one")
            if a.op in PLACEHOLDER_OPS and b.op in PLACEHOLDER_OPS:
                if not _alike(a.attrs, b.attrs, "dtype"):
                    return Difference(a.name, b.name, "another dtype")
                if a.op == b.op == "PlaceholderWithDefault":
                    ours, theirs = self.stored.topology.inputs, self.new.topology.inputs
                    stack.append((TensorRef(*ours[old.node][0]), TensorRef(*theirs[new.node][0])))
            trial.inputs[old] = new
        return None

    def _compare(self, a: Node, b: Node) -> Difference | None:
        """Compare the attributes of two ops of one class, function bodies included."""
        for key in sorted({*a.attrs, *b.attrs}):
            if key.startswith("_") or key in _FREE_ATTRS:
                continue
            if key not in a.attrs and key not in b.attrs:
                continue
            ours, theirs = _attr(a, key), _attr(b, key)
            if ours is None or theirs is None:
                if a.op == b.op and op_class(a.op) not in CALL_OPS:
                    return Difference(a.name, b.name, f"only one has {key}")
                continue
            if isinstance(ours, FunctionRef) and isinstance(theirs, FunctionRef):
                difference = self._compare_bodies(ours.name, theirs.name)
                if difference is not None:
                    return difference
            elif op_class(a.op) in CALL_OPS:
                continue  # dtypes of arguments and results: their values are compared
            elif key == "T" and "resource" in (ours, theirs) and a.op in HANDLE_CARRIERS:
                continue  # one side switches the handle and reads behind it, the other before
            elif not same_value(ours, theirs):
                return Difference(a.name, b.name, f"{key} is {_show(ours)}, not {_show(theirs)}")
        return None

    def _compare_bodies(self, ours: str, theirs: str) -> Difference | None:
        """Compare two function bodies by what they return; a stored one may return more."""
        key = (ours, theirs)
        if key not in self._bodies:
            self._bodies[key] = None  # a recursive call is compared once
            self._bodies[key] = self._bodies_differ(ours, theirs)
        return self._bodies[key]

    def _bodies_differ(self, ours: str, theirs: str) -> Difference | None:
        old = self.stored.function_index.get(ours)
        new = self.new.function_index.get(theirs)
        if old is None or new is None:
            return Difference(ours, theirs, "a function body is missing")
        if len(old.inputs) < len(new.inputs) or len(old.outputs) < len(new.outputs):
            return Difference(ours, theirs, "another number of arguments or results")
        a, b = body_graph(old, self.stored), body_graph(new, self.new)
        arguments = {position: position for position in range(len(new.inputs))}
        inner = _BodyDescent(a, b, arguments)
        pairs = [
            (_returned(a, old.returns[x]), _returned(b, new.returns[y]))
            for (x, _), (y, _) in zip(old.outputs, new.outputs, strict=False)
        ]
        return inner.walk(*pairs)


class _BodyDescent(Descent):
    """In a body, the arguments play the part of the variables."""

    def __init__(self, stored: GraphModel, new: GraphModel, arguments: Mapping[int, int]) -> None:
        super().__init__(stored, new)
        self._arguments = arguments

    def _step(
        self,
        stored: TensorRef,
        new: TensorRef,
        trial: _Trial,
        stack: list[tuple[TensorRef, TensorRef]],
    ) -> Difference | None:
        old_ref, new_ref = _source(self.stored, stored, []), _source(self.new, new, [])
        if old_ref.node >= 0 and new_ref.node >= 0:
            a, b = self.stored.nodes[old_ref.node], self.new.nodes[new_ref.node]
            if "_Arg" in (a.op, b.op):
                if self._arguments.get(old_ref.node) == new_ref.node:
                    return None
                return Difference(a.name, b.name, "another argument is used")
        return super()._step(stored, new, trial, stack)


def _returned(graph: GraphModel, text: str) -> TensorRef:
    parts = text.split(":")
    return TensorRef(graph.index.get(parts[0], -1), int(parts[-1]) if len(parts) > 1 else 0)


def _source(graph: GraphModel, tensor: TensorRef, passed: list[int]) -> TensorRef:
    """Go back through Identity and reads; those of a resource are noted in `passed`."""
    nodes, inputs = graph.nodes, graph.topology.inputs
    while tensor.node >= 0 and nodes[tensor.node].op in _SKIPPED and inputs[tensor.node]:
        passed.append(tensor.node)
        tensor = TensorRef(*inputs[tensor.node][0])
    return tensor


def _plain_gather(graph: GraphModel, position: int) -> bool:
    """Whether rows of axis 0 are gathered, as the one form of gathering by resource does."""
    node, inputs = graph.nodes[position], graph.topology.inputs[position]
    if node.attrs.get("batch_dims", 0) != 0:
        return False
    if len(inputs) < 3:
        return True
    axis = graph.nodes[inputs[2][0]] if inputs[2][0] >= 0 else None
    value = axis.attrs.get("value") if axis is not None and axis.op == "Const" else None
    return isinstance(value, TensorValue) and value.shape == () and not value.array().any()


def _alike(a: Mapping[str, AttrValue], b: Mapping[str, AttrValue], key: str) -> bool:
    return key in a and key in b and same_value(a[key], b[key])


def same_value(a: AttrValue, b: AttrValue) -> bool:
    """Whether two attribute values are the same; tensors by their bytes."""
    if isinstance(a, TensorValue) and isinstance(b, TensorValue):
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            return False
        ours, theirs = a.array(), b.array()
        if ours.dtype == object:
            return bool(ours.ravel().tolist() == theirs.ravel().tolist())
        return bool(ours.tobytes() == theirs.tobytes())
    if isinstance(a, ShapeValue) and isinstance(b, ShapeValue):
        return a == b
    return type(a) is type(b) and a == b


def _show(value: AttrValue) -> str:
    if isinstance(value, TensorValue):
        return f"a {value.dtype} tensor of shape {list(value.shape)}"
    return str(value)[:40]


def _attr(node: Node, key: str) -> AttrValue | None:
    """Return an attribute, or the default that the op registry gives it; None where neither is."""
    if key in node.attrs:
        return node.attrs[key]
    from tensorflow.python.framework import op_def_registry

    from graphmap.formats.attrs import attr_value

    definition = op_def_registry.get(node.op)
    for attr in definition.attr if definition is not None else ():
        if attr.name == key and attr.HasField("default_value"):
            return attr_value(attr.default_value)
    return None

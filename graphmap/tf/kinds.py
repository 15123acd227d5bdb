"""Variables held as refs (VariableV2) or as resources (VarHandleOp), and turning uses of one kind
into uses of the other, NodeDef by NodeDef.

A ref read is the buffer itself, behind a Reshape or a Switch too: who consumes it sees the value
of the moment it runs. So every consumer gets a read of its own that waits for what the consumer
waits for. A resource read is the value of the moment of the read: it becomes a copy made there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphmap.errors import ReconstructionError
from graphmap.names import CONTROL, parse_input

__all__ = ["VIEWS", "neutral_write", "to_refs", "to_resources"]

# These hand on the buffer of their first input, in another shape at most (their kernels).
VIEWS = frozenset(
    {"Reshape", "ExpandDims", "Squeeze", "StopGradient", "PreventGradient", "CheckNumerics",
     "EnsureShape", "PlaceholderWithDefault", "Bitcast"}
)  # fmt: skip

_TO_RESOURCE = {
    "Assign": "AssignVariableOp", "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp", "IsVariableInitialized": "VarIsInitializedOp",
    "StridedSliceAssign": "ResourceStridedSliceAssign", "CountUpTo": "ResourceCountUpTo",
    "RefSwitch": "Switch", "RefEnter": "Enter", "RefIdentity": "Identity",
}  # fmt: skip
_TO_REF = {new: old for old, new in _TO_RESOURCE.items()}
_HANDLE_OPS = frozenset({"Switch", "Enter", "Identity", "RefSwitch", "RefEnter", "RefIdentity"})
_CARRIERS = frozenset({"Switch", "Enter"})  # of a buffer, or of a handle in its place
_NO_WRITES = _HANDLE_OPS | {"IsVariableInitialized"}


def _key(text: str) -> str:
    name, output = parse_input(text)
    return f"{name}:{output}"


def _data(node: Any) -> list[str]:
    return [text for text in node.input if not text.startswith("^")]


def _controls(node: Any) -> list[str]:
    return [text for text in node.input if text.startswith("^")]


def _resource_form(op: str) -> str | None:
    if op in _TO_RESOURCE:
        return _TO_RESOURCE[op]
    if op.startswith(("Apply", "SparseApply", "Scatter")):
        return f"Resource{op}"
    return None


def _ref_form(op: str) -> str | None:
    if op in _TO_REF:
        return _TO_REF[op]
    if op.startswith(("ResourceApply", "ResourceSparseApply", "ResourceScatter")):
        return op.removeprefix("Resource")
    return None


def _definition(op: str, node: Any) -> Any:
    from tensorflow.python.framework import op_def_registry

    found = op_def_registry.get(op)
    if found is None:
        raise ReconstructionError(
            f"{node.op} has no counterpart for the other kind of variable ({op} does not exist)",
            where=node.name,
            remedy="Build the new graph with the kind of variable that the stored one has.",
        )
    return found


def _recast(node: Any, op: str, dtype: int) -> Any:
    """Return a node of the other op type with the attributes that this one has too."""
    new = type(node)(name=node.name, op=op)
    for attr in _definition(op, node).attr:
        if attr.name in node.attr and attr.name != "T":
            new.attr[attr.name].CopyFrom(node.attr[attr.name])
        elif attr.name in ("dtype", "T") and attr.type == "type":
            new.attr[attr.name].type = dtype
    return new


# --------------------------------------------------------------------------- ref -> resource
def to_resources(nodes: list[Any], variables: Mapping[str, int]) -> list[Any]:
    """Return the nodes with the uses of these ref variables turned into uses of resources.

    variables: {variable node: DataType}.
    """
    work = _RefWork(variables, {node.name: node for node in nodes})
    for node in nodes:
        work.convert(node)
    return work.out


class _Alias(NamedTuple):
    """A tensor that is the buffer of a ref variable.

    handle: the tensor that carries the variable's handle there. before: what has run when it is
    there, as control inputs. views: names of the nodes that have given it another shape.
    """

    variable: str
    handle: str
    before: tuple[str, ...] = ()
    views: tuple[str, ...] = ()


class _RefWork:
    def __init__(self, variables: Mapping[str, int], by_name: Mapping[str, Any]) -> None:
        self.variables = variables
        self.by_name = by_name
        self.out: list[Any] = []
        self._traced: dict[str, _Alias | None] = {}

    def trace(self, text: str) -> _Alias | None:
        """Say of which variable a tensor is the buffer; None for other tensors."""
        key = _key(text)
        if key not in self._traced:
            self._traced[key] = None  # a loop of Identities carries no variable
            self._traced[key] = self._trace(key)
        return self._traced[key]

    def _trace(self, key: str) -> _Alias | None:
        name, _ = parse_input(key)
        if name in self.variables:
            return _Alias(name, key)
        node = self.by_name.get(name)
        data = _data(node) if node is not None else []
        if node is None or not data or node.op == "IsVariableInitialized":
            return None
        writes = _resource_form(node.op) is not None and node.op not in _HANDLE_OPS
        if not (writes or node.op in _HANDLE_OPS or node.op in VIEWS):
            return None
        source = self.trace(data[0])
        if source is None or (node.op == "Enter" and source.views):
            return None
        before = (*source.before, *_controls(node))
        if writes:
            return source._replace(before=(*source.before, f"^{node.name}"))
        if node.op == "Identity":
            return source._replace(before=before)
        if node.op in VIEWS:
            return source._replace(before=before, views=(*source.views, name))
        return source._replace(handle=key, before=())  # this node stays, and has waited for them

    def convert(self, node: Any) -> None:
        data = _data(node)
        found = [self.trace(text) for text in data]
        if not any(found):
            self.out.append(node)
            return
        first = found[0] if found else None
        form = _resource_form(node.op)
        dtype = self.variables[next(item for item in found if item).variable]
        slots = self._handle_inputs(node, found) if form else set()
        if form is not None and first is not None:
            new = _recast(node, form, dtype)
            if node.op in ("RefSwitch", "RefEnter", "RefIdentity"):
                new.attr["T"].type = _resource_dtype()
        elif node.op == "Identity" and first is not None and not first.views:
            new = type(node)(name=node.name, op="ReadVariableOp")
            new.attr["dtype"].type = dtype
            slots = {0}
        else:
            new = type(node)(name=node.name, op=node.op)
            for key, value in node.attr.items():
                new.attr[key].CopyFrom(value)
            if node.op in _CARRIERS and self.trace(f"{node.name}:0") is not None:
                new.attr["T"].type = _resource_dtype()
                slots = {0}
        waits: dict[str, None] = {}
        for place, (text, source) in enumerate(zip(data, found, strict=True)):
            if source is None:
                new.input.append(text)
            elif place in slots:
                new.input.append(source.handle)
                waits.update(dict.fromkeys(source.before))
            else:
                new.input.append(self._fresh_read(node, place, source, data))
        new.input.extend(dict.fromkeys([*_controls(node), *waits]))
        self.out.append(new)

    def _handle_inputs(self, node: Any, found: list[Any]) -> set[int]:
        """Return which data inputs take a ref, by the op's definition."""
        places = set()
        for at, argument in enumerate(_definition(node.op, node).input_arg):
            if argument.number_attr or argument.type_list_attr:
                break
            if argument.is_ref and at < len(found) and found[at] is not None:
                places.add(at)
        return places

    def _fresh_read(self, node: Any, place: int, source: _Alias, data: list[str]) -> str:
        """Return a read for one input of a node, seen as that input saw the buffer."""
        read = type(node)(name=f"{node.name}/read_{place}", op="ReadVariableOp")
        read.attr["dtype"].type = self.variables[source.variable]
        waits = dict.fromkeys([*source.before, *_controls(node)])
        if node.op not in ("Merge", "Enter", "Switch"):
            for text in data:  # what this op waits for anyway, its read waits for too
                name, output = parse_input(text)
                if output != CONTROL and name in self.by_name and self.trace(text) is None:
                    waits[f"^{name}"] = None
        read.input.append(source.handle)
        read.input.extend(waits)
        self.out.append(read)
        seen = str(read.name)
        for at, name in enumerate(source.views):
            view = type(node)()
            view.CopyFrom(self.by_name[name])
            view.name = f"{node.name}/view_{place}_{at}"
            view.input[0] = seen
            self.out.append(view)
            seen = view.name
        return seen


def _resource_dtype() -> int:
    from tensorflow.core.framework import types_pb2

    return int(types_pb2.DT_RESOURCE)


# --------------------------------------------------------------------------- resource -> ref
def to_refs(nodes: list[Any], variables: Mapping[str, int]) -> list[Any]:
    """Return the nodes with the uses of these resource variables turned into uses of refs."""
    by_name = {node.name: node for node in nodes}
    handles: dict[str, str | None] = {}

    def handle_of(text: str) -> str | None:
        key = _key(text)
        if key not in handles:
            handles[key] = None
            name, _ = parse_input(key)
            node = by_name.get(name)
            if name in variables:
                handles[key] = name
            elif node is not None and node.op in _HANDLE_OPS and _data(node):
                handles[key] = handle_of(_data(node)[0])
        return handles[key]

    return [_to_ref(node, [handle_of(text) for text in _data(node)], variables) for node in nodes]


def _to_ref(node: Any, found: list[str | None], variables: Mapping[str, int]) -> Any:
    known = [name for name in found if name is not None]
    if not known:
        return node
    dtype = variables[known[0]]
    if node.op == "ReadVariableOp":
        new = type(node)(name=node.name, op="DeepCopy")
        new.attr["T"].type = dtype
    elif node.op == "ResourceGather":
        if node.attr["batch_dims"].i:
            raise _no_ref_form(node)
        new = type(node)(name=node.name, op="Gather")
        new.attr["Tparams"].type = dtype
        new.attr["Tindices"].CopyFrom(node.attr["Tindices"])
    elif node.op == "VariableShape":
        new = type(node)(name=node.name, op="Shape")
        new.attr["T"].type = dtype
        new.attr["out_type"].type = node.attr["out_type"].type or 3
    else:
        form = _ref_form(node.op)
        if form is None:
            raise _no_ref_form(node)
        new = _recast(node, form, dtype)
        if "T" in new.attr:
            new.attr["T"].type = dtype
        if form == "Assign":
            new.attr["validate_shape"].b = False
    new.input.extend(node.input)
    return new


def _no_ref_form(node: Any) -> ReconstructionError:
    return ReconstructionError(
        f"{node.op} takes a resource variable, and has no form for a ref variable",
        where=node.name,
        remedy="Build the new graph with resource variables (tf.compat.v1.enable_resource_"
        "variables()).",
    )


def neutral_write(op: str) -> str | None:
    """Return one word for both forms of a write; None for other ops.

    >>> neutral_write("AssignSub"), neutral_write("AssignSubVariableOp"), neutral_write("MatMul")
    ('AssignSub', 'AssignSub', None)
    """
    ref = _ref_form(op) or (op if _resource_form(op) else None)
    return None if ref is None or ref in _NO_WRITES else ref

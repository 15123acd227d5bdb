"""Tensors and operations of a live graph by the name that the new code asks for."""

from __future__ import annotations

from typing import Any

from graphmap.errors import UnresolvedNameError
from graphmap.matching import Side, match_variables, rank_candidates
from graphmap.model.variable import Variable
from graphmap.names import parse_input
from graphmap.tf.live import expected_variables, live_model, live_variables
from graphmap.tf.maps import as_name_map
from graphmap.tf.runtime import clean_name, tensorflow
from graphmap.tf.suggest import did_you_mean, same_ending

__all__ = ["get_operation", "get_tensor"]

PRIMARY_ROLES = ("weight", "other", "step")  # what code asks for; slots have names of their own


def get_tensor(graph: Any, name: str, name_map: Any = None) -> Any:
    """Return the tf.Tensor of a name; "W" and "W:0" are the same.

    A name that the graph does not have is resolved: by `name_map`, else as the one variable or
    op of that name under some scope, else by matching. Raises UnresolvedNameError with ranked
    candidates where that is not unique. For a resource variable it is a tensor of its value.
    """
    name = clean_name(name)
    ref = parse_input(name)
    operation = _resolve(graph, ref.node, name_map, "get_tensor")
    if len(operation.outputs) <= ref.output:
        raise UnresolvedNameError(
            f"is an operation with {len(operation.outputs)} outputs, so it has no tensor "
            f"{ref.output}",
            where=operation.name,
            remedy=f"Take the operation: gmtf.get_operation(graph, {operation.name!r})",
        )
    if operation.type == "VarHandleOp":
        return _value_of(graph, operation)
    return operation.outputs[ref.output]


def _value_of(graph: Any, operation: Any) -> Any:
    """Return a read of a resource variable that is there already, else a new one."""
    value = live_variables(graph)[operation.name].value
    if value is not None:
        return value
    tf = tensorflow()
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope("graphmap/"):
        dtype = operation.get_attr("dtype")
        return tf.raw_ops.ReadVariableOp(resource=operation.outputs[0], dtype=dtype)


def get_operation(graph: Any, name: str, name_map: Any = None) -> Any:
    """Return the tf.Operation of an op or tensor name; a collection with one op counts too.

    So "train_op" finds what `tf.train.Optimizer` put into the collection of that name.
    """
    return _resolve(graph, parse_input(clean_name(name)).node, name_map, "get_operation")


def _resolve(graph: Any, name: str, name_map: Any, call: str) -> Any:
    if name_map is not None:
        found = as_name_map(name_map)
        if any(decision.expected == name for decision in found.decisions):
            name = parse_input(found.tensor_name(name)).node
    operation = _exact(graph, name)
    if operation is not None:
        return operation
    collected = _collected(graph, name)
    if collected is not None:
        return collected
    model = live_model(graph)
    variables = [v for v in expected_variables(model) if v.role in PRIMARY_ROLES]
    all_ops = [operation.name for operation in graph.get_operations()]
    train_ops = [train_op.name for train_op in model.train_ops]
    for names in ([v.node for v in variables if v.node], train_ops, all_ops):
        ending = same_ending(name, names)
        if len(ending) == 1:
            return _exact(graph, ending[0])
        if ending:
            raise _ambiguous(name, rank_candidates(name, ending), len(ending), call)
    decision = match_variables(Side((Variable(name),)), Side(tuple(variables))).decisions[0]
    if decision.status == "matched" and decision.actual is not None:
        return _node_of(graph, next(v for v in variables if v.name == decision.actual), call)
    ranked = tuple(candidate.actual for candidate in decision.candidates)
    if decision.status == "ambiguous":
        raise _ambiguous(name, ranked, len(ranked), call)
    first = train_ops if call == "get_operation" else ranked  # an op that is asked for is run
    near = (*first, *rank_candidates(name, [v.name for v in variables]))
    near = (*near, *rank_candidates(name, all_ops))
    raise _missing(name, tuple(dict.fromkeys(near))[:5], call)


def _node_of(graph: Any, variable: Variable, call: str) -> Any:
    if variable.node is not None:
        return graph.get_operation_by_name(variable.node)
    parts = tuple(part.node for part in variable.parts)
    raise UnresolvedNameError(
        f"is partitioned into {len(parts)} variables, and the graph has no whole of it",
        where=variable.name,
        remedy=f'Take one: gmtf.{call}(graph, "{parts[0]}"); gmtf.restore takes it as a whole.',
        candidates=parts,
    )


def _missing(name: str, candidates: tuple[str, ...], call: str) -> Exception:
    line = f' Write: gmtf.{call}(graph, "{candidates[0]}")' if candidates else ""
    return UnresolvedNameError(
        "is not in the graph, and no name in it is clearly the same",
        where=name,
        remedy=did_you_mean(candidates) + line,
        candidates=candidates,
    )


def _ambiguous(name: str, candidates: tuple[str, ...], count: int, call: str) -> Exception:
    return UnresolvedNameError(
        f"is ambiguous: {count} names of the graph fit it equally well",
        where=name,
        remedy=f"{did_you_mean(candidates)} Say which: "
        f'gmtf.{call}(graph, "{candidates[0]}"), or pass name_map={{"{name}": ...}}',
        candidates=candidates,
    )


def _exact(graph: Any, name: str) -> Any:
    try:
        return graph.get_operation_by_name(name)
    except (KeyError, ValueError):
        return None


def _collected(graph: Any, key: str) -> Any:
    """The one operation of a collection of this name; several are no answer."""
    tf = tensorflow()
    items = graph.get_collection(key)
    found = {
        item.name: item
        for item in (getattr(item, "op", item) for item in items)
        if isinstance(item, tf.Operation)
    }
    return next(iter(found.values())) if len(found) == 1 else None

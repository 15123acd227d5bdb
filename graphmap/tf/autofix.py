"""TensorFlow's three commonest name errors, said again with what to write instead.

Source of the messages: tensorflow/python/framework/ops.py (`as_graph_element`) and
training/saver.py. Nothing is retried: a program that works only inside `autofix` would hide
from its reader which names it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphmap.errors import GraphmapError, UnresolvedNameError
from graphmap.matching import Side, match_variables, rank_candidates
from graphmap.names import op_name
from graphmap.opening import OpenedModel, open_model
from graphmap.tf.live import expected_variables, live_model
from graphmap.tf.lookup import get_operation, get_tensor
from graphmap.tf.runtime import tensorflow
from graphmap.tf.suggest import did_you_mean

__all__ = ["autofix"]

MISSING_KEY = re.compile(r"Key (\S+) not found in checkpoint")
MISSING_NAME = re.compile(
    r"The name '([^']+)' (?:refers to (?:a Tensor which does not exist|an Operation not in)"
    r"|looks like an \(invalid\) Operation name)"
)
NOT_A_TENSOR = re.compile(r"The name '([^']+)' refers to an Operation, not a Tensor")


@contextmanager
def autofix() -> Iterator[None]:
    """Raise TensorFlow's name errors again as UnresolvedNameError, with the line to write.

    Explained are: a key that is not in the checkpoint, a tensor or operation that does not
    exist, and an operation where a tensor was asked for. All else passes through unchanged.
    """
    try:
        yield
    except (KeyError, ValueError, TypeError, tensorflow().errors.NotFoundError) as error:
        explained = _explain(error)
        if explained is None:
            raise
        raise explained from error


def _explain(error: BaseException) -> UnresolvedNameError | None:
    text = str(error.args[-1]) if error.args else ""
    text = getattr(error, "message", None) or text
    key = MISSING_KEY.search(text)
    if key:
        return _explain_key(error, key.group(1))
    graph = _local(error, "_as_graph_element_locked", "self")
    operation = NOT_A_TENSOR.search(text)
    if operation:
        return _explain_operation(graph, operation.group(1))
    name = MISSING_NAME.search(text)
    if name and graph is not None:
        return _explain_name(graph, name.group(1))
    return None


def _local(error: BaseException | None, function: str, name: str) -> Any:
    """A local variable of the innermost frame of a function: what TensorFlow was working on.

    Looked for in the error and in those that it was raised from.
    """
    found = None
    while error is not None and found is None:
        traceback = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_code.co_name == function and name in frame.f_locals:
                found = frame.f_locals[name]
            traceback = traceback.tb_next
        error = error.__cause__ or error.__context__
    return found


def _explain_operation(graph: Any, name: str) -> UnresolvedNameError:
    """An operation has no value of its own: it is run, or one of its outputs is meant."""
    outputs = len(graph.get_operation_by_name(name).outputs) if graph is not None else 0
    if outputs:
        line = f'For its value write: gmtf.get_tensor(graph, "{name}")'
    else:
        line = f'Write: session.run(gmtf.get_operation(graph, "{name}"))'
    return UnresolvedNameError(
        f"is an operation, not a tensor: it has {outputs} outputs",
        where=name,
        remedy=line,
        candidates=(name,),
    )


def _explain_name(graph: Any, name: str) -> UnresolvedNameError:
    call = "get_tensor" if ":" in name else "get_operation"
    try:
        found = get_tensor(graph, name) if ":" in name else get_operation(graph, name)
    except UnresolvedNameError as error:
        return error
    other = getattr(found, "op", found).name
    others = rank_candidates(op_name(name), (op.name for op in graph.get_operations()))
    candidates = tuple(dict.fromkeys([other, *others]))
    return UnresolvedNameError(
        f"is not in the graph; it is called {other} here",
        where=name,
        remedy=f'Write: gmtf.{call}(graph, "{op_name(name)}"), or by its stored name: '
        f'gmtf.{call}(graph, "{other}")',
        candidates=candidates,
    )


def _explain_key(error: BaseException, key: str) -> UnresolvedNameError | None:
    path = _local(error, "restore", "save_path")
    if path is None:
        return None
    try:
        opened = open_model(str(path))
    except GraphmapError:
        return None
    operation = getattr(error, "op", None)
    keys = _missing_keys(operation, opened) or [key]
    ranked = _ranked(operation, keys, opened)
    pairs = {name: found[0] for name, found in ranked.items() if found}
    line = f'gmtf.restore(session, "{path}")'
    if pairs:
        shown = ", ".join(f'"{new}": "{old}"' for new, old in list(pairs.items())[:3])
        line = f'gmtf.restore(session, "{path}", name_map={{{shown}{", ..." * (len(pairs) > 3)}}})'
    first = ranked.get(key) or next(iter(ranked.values()), ())
    return UnresolvedNameError(
        f"is not in the checkpoint {path} ({len(keys)} keys are missing in all)",
        where=key,
        remedy=f"{did_you_mean(first)} Write: {line}",
        candidates=first,
    )


def _missing_keys(operation: Any, opened: OpenedModel) -> list[str]:
    """Every key that the restore op asks for and the checkpoint does not hold."""
    if operation is None or operation.type != "RestoreV2":
        return []
    names = tensorflow().get_static_value(operation.inputs[1])
    stored = {tensor.key for tensor in opened.stored.tensors}
    wanted = [name.decode() for name in names] if names is not None else []
    return [name for name in wanted if name not in stored]


def _ranked(operation: Any, keys: list[str], opened: OpenedModel) -> dict[str, tuple[str, ...]]:
    """Candidates for each missing key: the matcher's first, then the closest spellings."""
    stored = [v.name for v in opened.variables]
    found = {key: rank_candidates(key, stored) for key in keys}
    if operation is None:
        return found
    model = live_model(operation.graph)
    expected = tuple(v for v in expected_variables(model) if v.name in found and v.role != "slot")
    name_map = match_variables(Side(expected, model.stored.graph), Side(tuple(opened.variables)))
    for decision in name_map.decisions:
        best = [decision.actual] if decision.actual else []
        names = [*best, *(c.actual for c in decision.candidates), *found[decision.expected]]
        found[decision.expected] = tuple(dict.fromkeys(names))[:5]
    return found

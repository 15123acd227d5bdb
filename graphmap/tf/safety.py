"""Refusing to run what a stranger's graph should not do: touch files, run code, leave the machine.

Looked at: every op upstream of what would run, through data and control inputs and through the
bodies of the functions it calls. The list is short on purpose; an op that TensorFlow does not
know is refused too, because nobody can say what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphmap.analysis import updates
from graphmap.analysis.file_names import called_functions
from graphmap.analysis.mismatches import mismatches
from graphmap.analysis.unsafe import Judge
from graphmap.errors import ReconstructionError, RestoreError, UnsafeGraphError
from graphmap.model.graph import GraphModel, Node
from graphmap.model.graph_check import fatal_defects
from graphmap.model.variable import Variable
from graphmap.tf.runtime import tensorflow

__all__ = ["check_agree", "check_safe", "check_sound", "upstream"]

_UNKNOWN = "unknown to this TensorFlow"


def check_safe(
    graph: GraphModel, roots: Iterable[str], *, allow_unsafe: bool = False, where: str = ""
) -> None:
    """Raise UnsafeGraphError where running `roots` would run an op of the list, or unknown ops."""
    if allow_unsafe:
        return
    found = sorted({f"{node.name} ({node.op}: {why})" for node, why in _unsafe(graph, roots)})
    if found:
        known = [text for text in found if not text.endswith(f": {_UNKNOWN})")]
        shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        raise UnsafeGraphError(
            f"running it would run {shown}",
            where=where,
            remedy="If you trust the files, pass allow_unsafe=True (--allow-unsafe)."
            if known
            else "Load the library that holds these ops first (tf.load_op_library).",
        )


def check_sound(graph: GraphModel, where: str) -> None:
    """Raise ReconstructionError for a graph that TensorFlow is not to be handed.

    It would die at some of them (functions that call themselves), hang at others.
    """
    defects = fatal_defects(graph)
    if defects:
        raise ReconstructionError(
            f"holds a broken graph: {defects[0]}"
            + (f", and {len(defects) - 1} more defects" if len(defects) > 1 else ""),
            where=where,
            remedy="Look at it with `graphmap inspect`; get the file again from where it is whole.",
        )


def check_agree(graph: GraphModel, variables: Iterable[Variable], where: str) -> None:
    """Raise RestoreError where the files hold a variable in another shape or type."""
    found = list(mismatches(graph, variables))
    if found:
        raise RestoreError(
            f"{found[0]}"
            + (f", and {len(found) - 1} more such variables" if len(found) > 1 else ""),
            where=where,
            remedy="Nothing has been built or assigned. Check that graph and checkpoint belong "
            "together.",
        )


def upstream(graph: GraphModel, roots: Iterable[str]) -> set[int]:
    """Return positions of all nodes that running `roots` runs, the roots included."""
    return set(
        updates.upstream(graph, [graph.index[name] for name in roots if name in graph.index])
    )


def _unsafe(graph: GraphModel, roots: Iterable[str]) -> Iterator[tuple[Node, str]]:
    tensorflow()
    from tensorflow.python.framework import op_def_registry

    judge = Judge(graph)
    functions = graph.function_index
    nodes: list[tuple[str | None, Node]] = [
        (None, graph.nodes[position]) for position in sorted(upstream(graph, roots))
    ]
    seen: set[str] = set()
    while nodes:
        where, node = nodes.pop()
        if node.op not in functions:
            why = judge.refusal(node, where)
            if why is None and op_def_registry.get(node.op) is None:
                why = _UNKNOWN
            if why is not None:
                yield node, why
        for name in called_functions(node, graph):
            if name not in seen:
                seen.add(name)
                nodes.extend((name, inner) for inner in functions[name].nodes)

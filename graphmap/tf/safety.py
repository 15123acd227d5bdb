"""Refusing to run what a stranger's graph should not do: touch files, run code, leave the machine.

Looked at: every op upstream of what would run, through data and control inputs and through the
bodies of the functions it calls. The list is short on purpose; an op that TensorFlow does not
know is refused too, because nobody can say what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphmap.analysis import updates
from graphmap.analysis.file_names import called_functions
from graphmap.analysis.unsafe import Judge
from graphmap.errors import ReconstructionError, UnsafeGraphError
from graphmap.model.graph import GraphModel, Node
from graphmap.model.graph_check import fatal_defects
from graphmap.tf.runtime import tensorflow

__all__ = ["check_safe", "check_sound", "upstream"]


def check_safe(
    graph: GraphModel, roots: Iterable[str], *, allow_unsafe: bool = False, where: str = ""
) -> None:
    """Raise UnsafeGraphError where running `roots` would run an op of the list, or unknown ops."""
    if allow_unsafe:
        return
    found = sorted({f"{node.name} ({node.op}: {why})" for node, why in _unsafe(graph, roots)})
    if found:
        shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        raise UnsafeGraphError(
            f"running it would run {shown}",
            where=where,
            remedy="If you trust the files, pass allow_unsafe=True.",
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
                why = "unknown to this TensorFlow"
            if why is not None:
                yield node, why
        for name in called_functions(node, graph):
            if name not in seen:
                seen.add(name)
                nodes.extend((name, inner) for inner in functions[name].nodes)

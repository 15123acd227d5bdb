"""Ops with effects outside the process, judged by what stands around them.

An op's type says what it can do (`effects.py`). Three families are in nearly every trained graph
and do no harm there, so they are judged by their context: the ops of a Saver, whose file name
the caller gives; tables that read a vocabulary which lies in the SavedModel itself; and summary
writers whose folder the caller gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from graphmap.analysis import updates
from graphmap.analysis.effects import EFFECTS, SAVER_OPS, SUMMARY_OPS, Effect, Severity
from graphmap.analysis.file_names import FileName, FileNames, bodies_of, called_functions
from graphmap.model.graph import GraphModel, Node
from graphmap.model.stored import MetaInfo
from graphmap.names import op_name

__all__ = ["Judge", "UnsafeOp", "find_unsafe_ops", "is_registered"]

_SAVER_TEXT = re.compile(r"model|/?(_temp(_[0-9a-f]{32})?/)?part|\.part|\^s3://\.\*|")
_VOCABULARY_OPS = frozenset(("InitializeTableFromTextFile", "InitializeTableFromTextFileV2"))
_CACHES = frozenset(("CacheDataset", "CacheDatasetV2"))
_WRITERS = frozenset(("CreateSummaryFileWriter", "CreateSummaryDbWriter"))
# which data inputs name the file
_FILE_INPUTS = {
    **dict.fromkeys(SAVER_OPS | {"ReadFile", "WriteFile", "MatchingFiles"}, (0,)),
    "MergeV2Checkpoints": (0, 1),
    **dict.fromkeys(_VOCABULARY_OPS | _WRITERS | _CACHES, (1,)),
}
# collections and signatures of what runs when a SavedModel is loaded
_ON_LOAD = ("saved_model_main_op", "legacy_init_op", "saved_model_initializers")
_MAX_TEXT = 80  # characters of a file name that are shown


class UnsafeOp(NamedTuple):
    """A node that has effects outside. function: the body that holds it, None at the top level."""

    op: str
    node: str
    function: str | None
    severity: Severity
    why: str


def find_unsafe_ops(
    graph: GraphModel, meta: MetaInfo | None = None, *, is_saved_model: bool = False
) -> tuple[UnsafeOp, ...]:
    """Return every such node of the graph and of its function bodies, in stored order.

    An op that TensorFlow does not register, and that is no function of the graph, is "unknown".
    is_saved_model: whether assets are replaced by files of its own folder when it is loaded.
    """
    if meta is not None and not is_saved_model:
        meta = meta._replace(assets=())
    return tuple(_find(graph, Judge(graph, meta)))


def _find(graph: GraphModel, judge: Judge) -> Iterator[UnsafeOp]:
    harmless: set[str] = set()  # whatever their attrs
    for name, nodes in bodies_of(graph):
        for node in nodes:
            if node.op in harmless:
                continue
            found = judge.judge(node, name)
            if found is not None:
                yield found
            elif node.op not in EFFECTS:
                harmless.add(node.op)


@cache
def _registered() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("registered_ops.txt").read_text("ascii").split())


def is_registered(op: str) -> bool:
    """Whether TensorFlow 2.21 registers an op type; it never drops one that it had."""
    return op in _registered()


def effect_of(node: Node) -> Effect | None:
    """Return what the type and attrs of a node say that it does outside, None if nothing."""
    effect = EFFECTS.get(node.op)
    if effect is None:
        return None
    attrs = node.attrs
    if node.op == "PrintV2":  # to a stream, or to a file
        stream = attrs.get("output_stream")
        return effect if isinstance(stream, bytes) and stream.startswith(b"file:") else None
    if node.op.startswith("Debug"):
        return effect if attrs.get("debug_urls") else None
    if node.op == "FixedUnigramCandidateSampler":
        return effect if attrs.get("vocab_file") else None
    if "descriptor_source" in attrs and node.op in ("EncodeProto", "DecodeProtoV2"):
        source = attrs["descriptor_source"]
        is_inline = source in (b"", b"local://") or (
            isinstance(source, bytes) and source.startswith(b"bytes://")
        )
        return None if is_inline else effect
    if node.op in ("EncodeProto", "DecodeProtoV2"):
        return None
    return effect


class Judge:
    """Judges the nodes of one graph; what is needed about the whole graph is found once."""

    def __init__(self, graph: GraphModel, meta: MetaInfo | None = None) -> None:
        self._graph = graph
        self._meta = meta or MetaInfo()
        self._names = FileNames(graph)

    def judge(self, node: Node, function: str | None) -> UnsafeOp | None:
        """Return what a node does outside and how bad that is here, None if nothing."""
        effect = effect_of(node)
        if effect is None:
            if not node.op or is_registered(node.op) or node.op in self._graph.function_index:
                return None
            why = "is of a type that TensorFlow does not know: nobody can say what it does"
            return UnsafeOp(node.op, node.name, function, "unknown", why)
        severity, why = effect.severity, effect.why
        names = [
            self._names.of(node, position, function) for position in _FILE_INPUTS.get(node.op, ())
        ]
        if node.op in _CACHES and all(_is_only(name, "") for name in names):
            return None  # kept in memory
        excuse = self._excuse(node, function, names)
        if excuse and self._runs_at_once(node, function) and node.op in SAVER_OPS:
            why = f"{why}, and that when the model is loaded or called"
        elif excuse:
            severity, why = "note", f"{why}; {excuse}"
        else:
            shown = sorted(text for name in names for text in name.texts if text)
            why += f": {', '.join(shown)[:_MAX_TEXT]}" if shown else ""
        return UnsafeOp(node.op, node.name, function, severity, why)

    def refusal(self, node: Node, function: str | None) -> str | None:
        """Return why running a node is refused by default, None where it may run.

        No context excuses an op here: what is asked is whether running it touches files, runs
        code or leaves the machine.
        """
        effect = effect_of(node)
        if effect is None or effect.kind in ("device", "hidden"):
            return None
        if node.op in _CACHES and _is_only(self._names.of(node, 1, function), ""):
            return None
        return effect.why

    def _excuse(self, node: Node, function: str | None, names: list[FileName]) -> str:
        """Say why the context makes an op harmless, or return ""."""
        if node.op in SAVER_OPS:
            return "part of a Saver, which is told the file" if all(map(_is_saver, names)) else ""
        if node.op in _VOCABULARY_OPS:
            return self._vocabulary_excuse(names)
        if node.op in _WRITERS:
            is_told = all(name.fed and not name.computed and not name.texts for name in names)
            return "the caller says where" if is_told else ""
        if node.op in SUMMARY_OPS:
            return "" if self._has_fixed_writer else "no writer of this graph has a fixed place"
        return ""

    def _vocabulary_excuse(self, names: list[FileName]) -> str:
        if all(name.tensors and name.tensors <= self._assets for name in names):
            return "an asset of this SavedModel"
        if all(name.fed and not name.computed and not any(name.texts) for name in names):
            return "the caller says which"
        return ""

    @cached_property
    def _assets(self) -> frozenset[str]:
        """Names of the constants and placeholders that stand for assets."""
        return frozenset(op_name(tensor) for tensor, _ in self._meta.assets)

    @cached_property
    def _has_fixed_writer(self) -> bool:
        """Whether a summary writer is made at a place that the graph itself names."""
        return any(
            node.op in _WRITERS and not self._excuse(node, where, [self._names.of(node, 1, where)])
            for where, nodes in bodies_of(self._graph)
            for node in nodes
        )

    def _runs_at_once(self, node: Node, function: str | None) -> bool:
        nodes, functions = self._reached
        if function is not None:
            return function in functions
        return self._graph.index.get(node.name) in nodes

    @cached_property
    def _reached(self) -> tuple[set[int], set[str]]:
        """Return the nodes, by position, and the bodies that loading or calling the model runs."""
        graph, meta = self._graph, self._meta
        roots = [name for key in _ON_LOAD for name in meta.node_lists.get(key, ())]
        for signature in meta.signatures.values():
            roots += [info.tensor for info in signature.outputs.values()]
        known = [graph.index[op_name(root)] for root in roots if op_name(root) in graph.index]
        nodes = set(updates.upstream(graph, known))
        functions: set[str] = set()
        waiting = [graph.nodes[position] for position in nodes]
        while waiting:
            for name in called_functions(waiting.pop(), graph):
                if name not in functions:
                    functions.add(name)
                    waiting.extend(graph.function_index[name].nodes)
        return nodes, functions


def _is_only(name: FileName, text: str) -> bool:
    return name.texts == {text} and not name.computed and not name.fed


def _is_saver(name: FileName) -> bool:
    """Whether a file name is made as a Saver makes it: given, or its default and its own parts."""
    return not name.computed and all(_SAVER_TEXT.fullmatch(text) for text in name.texts)

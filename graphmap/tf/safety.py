"""Refusing to run what a stranger's graph should not do: touch files, run code, leave the machine.

Looked at: every op upstream of what would run, through data and control inputs and through the
bodies of the functions it calls. The list is short on purpose; an op that TensorFlow does not
know is refused too, because nobody can say what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphmap.errors import UnsafeGraphError
from graphmap.model.graph import AttrValue, FunctionRef, GraphModel, Node
from graphmap.tf.runtime import tensorflow

__all__ = ["UNSAFE_OPS", "check_safe", "upstream"]

_CODE = "runs code"
_READS = "reads files"
_WRITES = "writes files"
_NETWORK = "uses the network"

# Source: the op registry of TensorFlow 2.21 (tf.raw_ops), read for ops with effects outside
# the process. Variables, random numbers, queues, tables in memory and iterators are not among them.
UNSAFE_OPS: dict[str, str] = {
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), _CODE),
    **dict.fromkeys(("RemoteCall", "Abort", "RpcServerStart", "RpcCall"), _CODE),
    **dict.fromkeys(("WriteFile", "Save", "SaveSlices", "SaveV2"), _WRITES),
    **dict.fromkeys(("MergeV2Checkpoints", "SaveDataset", "SaveDatasetV2"), _WRITES),
    **dict.fromkeys(("DatasetToTFRecord", "CreateSummaryFileWriter"), _WRITES),
    **dict.fromkeys(("CreateSummaryDbWriter", "WriteSummary", "WriteScalarSummary"), _WRITES),
    **dict.fromkeys(("WriteAudioSummary", "WriteGraphSummary", "WriteHistogramSummary"), _WRITES),
    **dict.fromkeys(("WriteImageSummary", "WriteRawProtoSummary", "DistributedSave"), _WRITES),
    **dict.fromkeys(("SnapshotDataset", "SnapshotDatasetV2"), _WRITES),
    **dict.fromkeys(("ExperimentalDatasetToTFRecord", "FileSystemSetConfiguration"), _WRITES),
    **dict.fromkeys(("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3"), _WRITES),
    **dict.fromkeys(("DebugNanCount", "DebugNumericSummary", "DebugNumericSummaryV2"), _WRITES),
    **dict.fromkeys(("ReadFile", "MatchingFiles", "WholeFileReader"), _READS),
    **dict.fromkeys(("WholeFileReaderV2", "TextLineReader", "TextLineReaderV2"), _READS),
    **dict.fromkeys(("TFRecordReader", "TFRecordReaderV2", "LMDBReader"), _READS),
    **dict.fromkeys(("FixedLengthRecordReader", "FixedLengthRecordReaderV2"), _READS),
    **dict.fromkeys(("TFRecordDataset", "TFRecordDatasetV2", "TextLineDataset"), _READS),
    **dict.fromkeys(("FixedLengthRecordDataset", "FixedLengthRecordDatasetV2"), _READS),
    **dict.fromkeys(("MatchingFilesDataset", "LoadDataset", "SqlDataset"), _READS),
    **dict.fromkeys(("CSVDataset", "CSVDatasetV2", "LMDBDataset"), _READS),
    **dict.fromkeys(("ExperimentalCSVDataset", "ExperimentalLMDBDataset"), _READS),
    **dict.fromkeys(("ExperimentalMatchingFilesDataset", "ExperimentalSqlDataset"), _READS),
    **dict.fromkeys(("RecordInput", "SnapshotDatasetReader"), _READS),
    **dict.fromkeys(("Restore", "RestoreSlice", "RestoreV2", "ImmutableConst"), _READS),
    **dict.fromkeys(("InitializeTableFromTextFile", "InitializeTableFromTextFileV2"), _READS),
    **dict.fromkeys(("LoadAndRemapMatrix", "GenerateVocabRemapping"), _READS),
    **dict.fromkeys(("DataServiceDataset", "DataServiceDatasetV2"), _NETWORK),
    **dict.fromkeys(("DataServiceDatasetV3", "DataServiceDatasetV4"), _NETWORK),
}


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


def upstream(graph: GraphModel, roots: Iterable[str]) -> set[int]:
    """Return positions of all nodes that running `roots` runs, the roots included."""
    topology = graph.topology
    todo = [graph.index[name] for name in roots if name in graph.index]
    seen = set(todo)
    while todo:
        position = todo.pop()
        producers = [producer for producer, _ in topology.inputs[position]]
        for producer in [*producers, *topology.controls[position]]:
            if producer >= 0 and producer not in seen:
                seen.add(producer)
                todo.append(producer)
    return seen


def _unsafe(graph: GraphModel, roots: Iterable[str]) -> Iterator[tuple[Node, str]]:
    tensorflow()
    from tensorflow.python.framework import op_def_registry

    functions = graph.function_index
    nodes = [graph.nodes[position] for position in sorted(upstream(graph, roots))]
    seen: set[str] = set()
    while nodes:
        node = nodes.pop()
        if node.op in functions:
            called = [node.op]
        else:
            called = [name for value in node.attrs.values() for name in _functions(value)]
            why = _reason(node)
            if why is None and op_def_registry.get(node.op) is None:
                why = "unknown to this TensorFlow"
            if why is not None:
                yield node, why
        for name in called:
            if name in functions and name not in seen:
                seen.add(name)
                nodes.extend(functions[name].nodes)


def _reason(node: Node) -> str | None:
    if node.op == "PrintV2":  # to a stream, or to a file
        stream = node.attrs.get("output_stream")
        return _WRITES if isinstance(stream, bytes) and stream.startswith(b"file:") else None
    return UNSAFE_OPS.get(node.op)


def _functions(value: AttrValue) -> Iterator[str]:
    if isinstance(value, FunctionRef):
        yield value.name
    elif type(value) is tuple:  # list(func); other named tuples are values
        for item in value:
            yield from _functions(item)

"""Ops with effects outside the process: they touch files, run code, or use the network.

Source: the op registry of TensorFlow 2.21 (tf.raw_ops). Variables, random numbers, queues, tables
in memory and iterators are not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from graphmap.model.graph import GraphModel, Node

__all__ = ["UNSAFE_OPS", "UnsafeOp", "find_unsafe_ops", "unsafe_reason"]

Severity = Literal["critical", "high", "note"]

_CODE = "runs code"
_READS = "reads files"
_WRITES = "writes files"
_NETWORK = "uses the network"
_SEVERITIES: dict[str, Severity] = {
    _CODE: "critical",
    _WRITES: "critical",
    _READS: "high",
    _NETWORK: "high",
}
# What every tf.train.Saver leaves in its graph; running a model does not run them.
SAVER_OPS = frozenset(
    ("Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2")
)

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


class UnsafeOp(NamedTuple):
    """A node that has effects outside. function: the body that holds it, None at the top level."""

    op: str
    node: str
    function: str | None
    severity: Severity
    why: str


def find_unsafe_ops(graph: GraphModel) -> tuple[UnsafeOp, ...]:
    """Return every unsafe node of the graph and of its function bodies, in stored order."""
    return tuple(_find(graph))


def _find(graph: GraphModel) -> Iterator[UnsafeOp]:
    bodies = [(function.name, function.nodes) for function in graph.functions]
    for name, nodes in [(None, graph.nodes), *bodies]:
        for node in nodes:
            why = unsafe_reason(node)
            if why is not None:
                severity = "note" if node.op in SAVER_OPS else _SEVERITIES[why]
                yield UnsafeOp(node.op, node.name, name, severity, why)


def unsafe_reason(node: Node) -> str | None:
    """Return what a node does outside the process, None if nothing."""
    if node.op == "PrintV2":  # to a stream, or to a file
        stream = node.attrs.get("output_stream")
        return _WRITES if isinstance(stream, bytes) and stream.startswith(b"file:") else None
    return UNSAFE_OPS.get(node.op)

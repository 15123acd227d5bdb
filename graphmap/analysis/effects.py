"""Ops with effects outside the process: what each does, and why that matters.

Source: the op registry of TensorFlow 2.21 (tf.raw_ops) and the kernels behind it. Variables, random
numbers, queues, tables in memory and iterators are not among them; nor is Assert, which only ends
a step with an error, nor the ops that make a summary, which only build a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["EFFECTS", "SAVER_OPS", "SUMMARY_OPS", "Effect", "Kind", "Severity"]

Kind = Literal["code", "writes", "reads", "network", "device", "hidden"]
Severity = Literal["critical", "high", "unknown", "note"]


class Effect(NamedTuple):
    """What an op does outside. why: completes the sentence "this op ..."."""

    kind: Kind
    why: str

    @property
    def severity(self) -> Severity:
        """How bad it is where nothing in the graph excuses it."""
        return _SEVERITIES[self.kind]


_SEVERITIES: Mapping[Kind, Severity] = {
    "code": "critical",
    "writes": "critical",
    "reads": "high",
    "network": "high",
    "hidden": "unknown",
    "device": "note",
}
# What every tf.train.Saver leaves in its graph; running a model does not run them.
SAVER_OPS = frozenset(
    ("Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2")
)
# They write to the writer that another op made; where that one writes is what counts.
SUMMARY_OPS = frozenset(
    ("WriteSummary", "WriteScalarSummary", "WriteAudioSummary", "WriteGraphSummary",
     "WriteHistogramSummary", "WriteImageSummary", "WriteRawProtoSummary", "ImportEvent",
     "ExperimentalStatsAggregatorSummary", "StatsAggregatorSetSummaryWriter")
)  # fmt: skip

_TABLE: tuple[tuple[Kind, str, str], ...] = (
    ("code", "calls a Python function of the process", "PyFunc PyFuncStateless EagerPyFunc"),
    ("code", "runs a function on a device that a string names", "RemoteCall"),
    ("code", "runs a graph that is hidden in a string", "DatasetFromGraph"),
    ("code", "calls native code by its name", "XlaCustomCall XlaCustomCallV2"),
    ("code", "ends the process", "Abort"),
    ("code", "changes how file systems are reached", "FileSystemSetConfiguration"),
    ("writes", "writes any file", "WriteFile"),
    ("writes", "writes a checkpoint file", "Save SaveSlices SaveV2"),
    ("writes", "writes and deletes checkpoint files", "MergeV2Checkpoints"),
    ("writes", "writes a data set to files", "SaveDataset SaveDatasetV2 DistributedSave"),
    ("writes", "writes records to a file", "DatasetToTFRecord ExperimentalDatasetToTFRecord"),
    ("writes", "writes and reads a snapshot of a data set",
     "SnapshotDataset SnapshotDatasetV2"),
    ("writes", "writes and reads a cache of a data set", "CacheDataset CacheDatasetV2"),
    ("writes", "makes event files", "CreateSummaryFileWriter"),
    ("writes", "writes to a database", "CreateSummaryDbWriter"),
    ("writes", "writes to a summary writer", " ".join(sorted(SUMMARY_OPS))),
    ("writes", "sends tensors to files or addresses that it names (debug_urls)",
     "DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary"),
    ("writes", "writes tensors to a folder that it names", "DumpTensor"),
    ("writes", "writes statistics to a file that it names", "CalibrationStatisticsSaver"),
    ("writes", "writes to a file that it names (output_stream)", "PrintV2"),
    ("writes", "writes a TensorRT engine to a file", "SerializeTRTResource"),
    ("reads", "reads any file", "ReadFile WholeFileReader WholeFileReaderV2"),
    ("reads", "lists files", "MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset"),
    ("reads", "reads text files",
     "TextLineReader TextLineReaderV2 TextLineDataset CSVDataset CSVDatasetV2 "
     "ExperimentalCSVDataset"),
    ("reads", "reads files of records",
     "TFRecordReader TFRecordReaderV2 TFRecordDataset TFRecordDatasetV2 FixedLengthRecordReader "
     "FixedLengthRecordReaderV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 RecordInput"),
    ("reads", "reads a database file",
     "LMDBReader LMDBDataset ExperimentalLMDBDataset SqlDataset ExperimentalSqlDataset"),
    ("reads", "reads a stored data set",
     "LoadDataset SnapshotDatasetReader SnapshotNestedDatasetReader SnapshotChunkDataset "
     "ListSnapshotChunksDataset"),
    ("reads", "reads a checkpoint file", "Restore RestoreSlice RestoreV2 DTensorRestoreV2"),
    ("reads", "reads rows of a checkpoint and vocabulary files",
     "LoadAndRemapMatrix GenerateVocabRemapping"),
    ("reads", "reads a vocabulary file",
     "InitializeTableFromTextFile InitializeTableFromTextFileV2 FixedUnigramCandidateSampler"),
    ("reads", "reads a text corpus", "Skipgram"),
    ("reads", "maps a file into memory", "ImmutableConst"),
    ("reads", "reads message descriptions from a file that it names (descriptor_source)",
     "EncodeProto DecodeProtoV2"),
    ("reads", "reads a TensorRT engine from a file", "InitializeTRTResource"),
    ("network", "gets data from a server",
     "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4"),
    ("network", "tells a server of a data set", "RegisterDataset RegisterDatasetV2"),
    ("network", "serves or calls functions over the network",
     "RpcServer RpcServerStart RpcServerRegister RpcClient RpcCall RpcCheckStatus RpcGetValue"),
    ("hidden", "runs a compiled program of its own, which is not looked into",
     "XlaCallModule MlirPassthroughOp _XlaHostComputeMlir _TPUCompileMlir"),
    ("device", "holds an engine that TensorRT compiled for a GPU; it is not looked into",
     "TRTEngineOp"),
    ("device", "sends or receives tensors between the devices of a session",
     "Send Recv _Send _Recv _HostSend _HostRecv"),
    ("device", "sets up or stops TPUs",
     "ConfigureDistributedTPU ShutdownDistributedTPU WorkerHeartbeat ShutdownTPUSystem"),
)  # fmt: skip

EFFECTS: Mapping[str, Effect] = {
    op: Effect(kind, why) for kind, why, ops in _TABLE for op in ops.split()
}

"""Op types that pictures treat alike, and inputs of ops that are parameters, not data.

Source: the op registry of TensorFlow 2.21 (array_ops.cc, data_flow_ops.cc, image_ops.cc ...).
"""

from __future__ import annotations

from graphmap.analysis.ops import ITERATOR_OPS, PLACEHOLDER_OPS, QUEUE_OPS

__all__ = [
    "CHECK_OPS", "INPUT_OPS", "RANDOM_OPS", "SAVE_OPS", "TRANSPARENT", "is_input_pipeline",
    "is_parameter_input", "is_summary",
]  # fmt: skip

SAVE_OPS = frozenset(
    {"Save", "SaveSlices", "SaveV2", "Restore", "RestoreSlice", "RestoreV2",
     "MergeV2Checkpoints", "ShardedFilename", "ShardedFilespec"}
)  # fmt: skip
CHECK_OPS = frozenset(
    {"Assert", "IsVariableInitialized", "VarIsInitializedOp", "Print", "PrintV2",
     "ReportUninitializedVariables"}
)  # fmt: skip
INPUT_OPS = PLACEHOLDER_OPS | {
    "IteratorGetNext", "IteratorGetNextSync", "IteratorGetNextAsOptional", "QueueDequeue",
    "QueueDequeueV2", "QueueDequeueMany", "QueueDequeueManyV2", "QueueDequeueUpTo",
    "QueueDequeueUpToV2", "Unstage", "_Arg",
}  # fmt: skip
RANDOM_OPS = frozenset(
    {"RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt",
     "StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal"}
)  # fmt: skip
# A value goes through unchanged; nobody misses these in a picture.
TRANSPARENT = frozenset(
    {"Identity", "IdentityN", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot",
     "EnsureShape", "RefIdentity", "Enter", "RefEnter", "Exit", "RefExit",
     "NextIteration", "RefNextIteration", "Switch", "RefSwitch"}
)  # fmt: skip
_PIPELINE_OPS = ITERATOR_OPS | QUEUE_OPS | {
    "MakeIterator", "IteratorToStringHandle", "IteratorFromStringHandle",
    "IteratorFromStringHandleV2", "QueueEnqueue", "QueueEnqueueV2", "QueueEnqueueMany",
    "QueueEnqueueManyV2", "QueueClose", "QueueCloseV2", "QueueSize", "QueueSizeV2",
    "TFRecordReader", "TFRecordReaderV2", "TextLineReader", "TextLineReaderV2",
    "WholeFileReader", "WholeFileReaderV2", "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2", "IdentityReader", "IdentityReaderV2", "ReaderRead",
    "ReaderReadV2", "ReaderReadUpTo", "ReaderReadUpToV2",
}  # fmt: skip
_EVERY = frozenset(range(32))
_AFTER_FIRST = frozenset(range(1, 32))
_PARAMETERS: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        ("Reshape", "Transpose", "ExpandDims", "Tile", "Pad", "PadV2", "MirrorPad", "Sum", "Mean",
         "Max", "Min", "Prod", "All", "Any", "ArgMax", "ArgMin", "Slice", "StridedSlice",
         "ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea", "ReverseV2",
         "Reverse", "Cumsum", "Cumprod", "OneHot", "TopKV2", "SpaceToBatchND", "BatchToSpaceND",
         "BroadcastTo", "Squeeze", "Switch", "RefSwitch", "Roll"),
        _AFTER_FIRST,
    ),
    "ConcatV2": frozenset({-1}),
    "Concat": frozenset({0}),
    "Split": frozenset({0}),
    "SplitV": frozenset({1, 2}),
    "GatherV2": frozenset({2}),
    "CropAndResize": frozenset({3}),
    "Conv2DBackpropInput": frozenset({0}),
    "Conv3DBackpropInputV2": frozenset({0}),
    "TensorArrayV3": _EVERY,
    "TensorArrayReadV3": frozenset({0, 1}),
    "TensorArrayWriteV3": frozenset({0, 1}),
    "TensorArrayGatherV3": frozenset({0, 1}),
    "TensorArrayScatterV3": frozenset({0, 1}),
    "TensorArraySizeV3": _EVERY,
    "Fill": _EVERY,
    "Range": _EVERY,
    "Shape": _EVERY,
    "ShapeN": _EVERY,
    "Size": _EVERY,
    "Rank": _EVERY,
    "ZerosLike": _EVERY,
    "OnesLike": _EVERY,
    "LoopCond": _EVERY,
    **dict.fromkeys(RANDOM_OPS, _EVERY),
}  # fmt: skip


def is_parameter_input(op: str, position: int, count: int) -> bool:
    """Whether data input `position` of `count` only says how the op works.

    >>> is_parameter_input("Reshape", 1, 2), is_parameter_input("ConcatV2", 2, 3)
    (True, True)
    """
    places = _PARAMETERS.get(op)
    if places is None:
        return False
    return position in places or position - count in places


def is_summary(op: str) -> bool:
    """Whether an op makes or writes summaries for TensorBoard."""
    return "Summary" in op


def is_input_pipeline(op: str) -> bool:
    """Whether an op reads or queues examples before the model gets them."""
    return op in _PIPELINE_OPS or op.endswith(("Dataset", "DatasetV2", "DatasetV3", "DatasetV4"))

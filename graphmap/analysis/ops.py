"""Tables of op types: what holds state, what writes it, what passes a value on.

Source: the op registry of TensorFlow 2.21 (training_ops.cc, state_ops.cc,
resource_variable_ops.cc).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "ASSIGN_OPS",
    "CONST_LIKE_READS",
    "FOLLOWED_FOR_STATE",
    "ITERATOR_OPS",
    "PASS_THROUGH",
    "PLACEHOLDER_OPS",
    "QUEUE_OPS",
    "STATE_OPS",
    "SUM_OPS",
    "VARIABLE_OPS",
    "ApplyRule",
    "apply_rule",
    "is_apply",
    "is_write",
]

VARIABLE_OPS = frozenset(
    {"VariableV2", "Variable", "VarHandleOp", "AutoReloadVariable", "TemporaryVariable"}
)
# What a written value can be found in again: variables, gradient accumulators, arguments of a body.
STATE_OPS = VARIABLE_OPS | {
    "ConditionalAccumulator",
    "SparseConditionalAccumulator",
    "ResourceConditionalAccumulator",
    "_Arg",
}

# Data input 0 of these is the same variable, or the same value, seen through control flow.
FOLLOWED_FOR_STATE = frozenset(
    {
        "Identity", "RefIdentity", "Switch", "RefSwitch", "Merge", "RefMerge", "Enter", "RefEnter",
        "Exit", "RefExit", "NextIteration", "RefNextIteration",
    }
)  # fmt: skip
PASS_THROUGH = FOLLOWED_FOR_STATE | {
    "Cast", "StopGradient", "CheckNumerics", "ReadVariableOp", "Snapshot", "PreventGradient",
    "DeepCopy", "EnsureShape",
}  # fmt: skip

PLACEHOLDER_OPS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
SUM_OPS = frozenset({"Add", "AddV2", "AddN"})
ITERATOR_OPS = frozenset(
    {"Iterator", "IteratorV2", "OneShotIterator", "AnonymousIterator", "AnonymousIteratorV2",
     "AnonymousIteratorV3", "MultiDeviceIterator"}
)  # fmt: skip
QUEUE_OPS = frozenset(
    {
        "FIFOQueue", "FIFOQueueV2", "RandomShuffleQueue", "RandomShuffleQueueV2",
        "PaddingFIFOQueue", "PaddingFIFOQueueV2", "PriorityQueue", "PriorityQueueV2",
        "Stage", "MapStage", "OrderedMapStage", "Barrier", "RecordInput",
    }
)  # fmt: skip
# A sink of one of these types was made on the way, nobody runs it for its effect.
CONST_LIKE_READS = frozenset(
    {
        "Const", "Shape", "ShapeN", "Size", "Rank", "ReadVariableOp", "VariableShape",
        "IsVariableInitialized", "VarIsInitializedOp", "ScalarSummary", "HistogramSummary",
        "TensorSummary", "TensorSummaryV2", "ImageSummary", "MergeSummary",
    }
)  # fmt: skip

ASSIGN_OPS = frozenset({"Assign", "AssignVariableOp"})
_SCATTERS = ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")
_WRITE_OPS = frozenset(
    {
        "Assign", "AssignAdd", "AssignSub", "CountUpTo", "StridedSliceAssign",
        "AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp", "ResourceCountUpTo",
        "ResourceStridedSliceAssign", "AccumulatorApplyGradient", "SparseAccumulatorApplyGradient",
        "ResourceAccumulatorApplyGradient",
    }
    | {f"{kind}{verb}" for kind in ("Scatter", "ScatterNd", "ResourceScatter", "ResourceScatterNd")
       for verb in _SCATTERS}
)  # fmt: skip


class ApplyRule(NamedTuple):
    """How one fused update op takes its data inputs.

    kind: class name in tf.compat.v1.train without "Optimizer". slots: {slot word: input}.
    scalars: {constructor argument: input}. grad: input of the gradient. indices: of its rows, or
    -1 in the dense form. powers: {non-slot word: input}.
    """

    kind: str
    slots: dict[str, int]
    scalars: dict[str, int]
    grad: int
    indices: int = -1
    powers: dict[str, int] = {}  # noqa: RUF012  # a NamedTuple default, never changed


_L1_L2 = ("l1_regularization_strength", "l2_regularization_strength")
_ADAGRAD_DA_SLOTS = {"gradient_accumulator": 1, "gradient_squared_accumulator": 2}
_POWERS = {"beta1_power": 3, "beta2_power": 4}


def _scalars(first: int, *names: str) -> dict[str, int]:
    return {name: first + offset for offset, name in enumerate(names)}


# Position 0 is always the variable.
_DENSE = {
    "GradientDescent": ApplyRule("GradientDescent", {}, {"learning_rate": 1}, 2),
    "Momentum": ApplyRule("Momentum", {"momentum": 1}, {"learning_rate": 2, "momentum": 4}, 3),
    "KerasMomentum": ApplyRule("SGD", {"momentum": 1}, {"learning_rate": 2, "momentum": 4}, 3),
    "Adagrad": ApplyRule("Adagrad", {"accumulator": 1}, {"learning_rate": 2}, 3),
    "AdagradV2": ApplyRule(
        "Adagrad", {"accumulator": 1}, {"learning_rate": 2, "epsilon": 3}, 4
    ),
    "AdagradDA": ApplyRule(
        "AdagradDA", _ADAGRAD_DA_SLOTS, _scalars(4, "learning_rate", *_L1_L2), 3
    ),
    "Adadelta": ApplyRule(
        "Adadelta", {"accum": 1, "accum_update": 2},
        _scalars(3, "learning_rate", "rho", "epsilon"), 6,
    ),
    "Adam": ApplyRule(
        "Adam", {"m": 1, "v": 2}, _scalars(5, "learning_rate", "beta1", "beta2", "epsilon"), 9,
        powers=_POWERS,
    ),
    "AdamWithAmsgrad": ApplyRule(
        "Adam", {"m": 1, "v": 2, "vhat": 3},
        _scalars(6, "learning_rate", "beta1", "beta2", "epsilon"), 10,
        powers={"beta1_power": 4, "beta2_power": 5},
    ),
    "AdaMax": ApplyRule(
        "AdaMax", {"m": 1, "v": 2}, _scalars(4, "learning_rate", "beta1", "beta2", "epsilon"), 8,
        powers={"beta1_power": 3},
    ),
    "RMSProp": ApplyRule(
        "RMSProp", {"rms": 1, "momentum": 2},
        _scalars(3, "learning_rate", "decay", "momentum", "epsilon"), 7,
    ),
    "CenteredRMSProp": ApplyRule(
        "RMSProp", {"rms": 2, "mg": 1, "momentum": 3},
        _scalars(4, "learning_rate", "decay", "momentum", "epsilon"), 8,
    ),
    "Ftrl": ApplyRule(
        "Ftrl", {"accum": 1, "linear": 2},
        _scalars(4, "learning_rate", *_L1_L2, "learning_rate_power"), 3,
    ),
    "FtrlV2": ApplyRule(
        "Ftrl", {"accum": 1, "linear": 2},
        _scalars(4, "learning_rate", *_L1_L2, "l2_shrinkage_regularization_strength",
                 "learning_rate_power"), 3,
    ),
    "ProximalGradientDescent": ApplyRule(
        "ProximalGradientDescent", {}, _scalars(1, "learning_rate", *_L1_L2), 4
    ),
    "ProximalAdagrad": ApplyRule(
        "ProximalAdagrad", {"accumulator": 1}, _scalars(2, "learning_rate", *_L1_L2), 5
    ),
    "AddSign": ApplyRule(
        "AddSign", {"m": 1}, _scalars(2, "learning_rate", "alpha", "sign_decay", "beta"), 6
    ),
    "PowerSign": ApplyRule(
        "PowerSign", {"m": 1}, _scalars(2, "learning_rate", "base", "sign_decay", "beta"), 6
    ),
}  # fmt: skip


def _sparse_form(rule: ApplyRule) -> ApplyRule:
    """Indices stand behind the gradient and move what follows by one."""
    at = rule.grad + 1
    scalars = {name: i + (i >= at) for name, i in rule.scalars.items()}
    return rule._replace(scalars=scalars, indices=at)


_NO_SPARSE = {"Adam", "AdamWithAmsgrad", "AdaMax", "AddSign", "PowerSign", "GradientDescent"}
_RULES = {
    **{
        prefix + name: rule
        for name, rule in _DENSE.items()
        for prefix in ("Apply", "ResourceApply")
    },
    **{
        prefix + name: _sparse_form(rule)
        for name, rule in _DENSE.items()
        if name not in _NO_SPARSE
        for prefix in ("SparseApply", "ResourceSparseApply")
    },
}


def apply_rule(op: str) -> ApplyRule | None:
    """Return the rule of a fused update op; None for any other op.

    >>> apply_rule("SparseApplyMomentum").scalars
    {'learning_rate': 2, 'momentum': 5}
    """
    return _RULES.get(op)


@lru_cache(maxsize=4096)  # asked for every node of a graph, which has few types
def is_apply(op: str) -> bool:
    """Whether this op type is a fused update, known to the table or not."""
    return op.startswith(("Apply", "SparseApply", "ResourceApply", "ResourceSparseApply"))


@lru_cache(maxsize=4096)
def is_write(op: str) -> bool:
    """Whether this op type changes the variable at its data input 0."""
    return op in _WRITE_OPS or is_apply(op)

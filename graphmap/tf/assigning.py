"""Putting stored values into live variables: all checks first, then assign, then read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphmap.errors import GraphmapError, MissingDataError, RestoreError
from graphmap.model.graph import Dims
from graphmap.model.layouts import apply_layout
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Part, Variable
from graphmap.tf.facts import Fact, facts_of
from graphmap.tf.live import LiveVariable
from graphmap.tf.runtime import tensorflow

if TYPE_CHECKING:
    import numpy

__all__ = [
    "Assignment",
    "RestoreReport",
    "assign_values",
    "check_assignments",
    "initialize",
    "nodes_of",
    "read_values",
]

STORED_AS_IS = ("same", "tied")  # layouts whose bytes need no change
BATCH_BYTES = 256 * 2**20  # fed in one session.run: bounds what is held twice


@dataclass(frozen=True, slots=True)
class Assignment:
    """One live variable, and the stored value (or the piece of it) that it gets.

    layout, shape: how the whole expected value is got from the stored one, and its shape.
    """

    live: LiveVariable
    checkpoint_key: str
    part: Part | None = None
    layout: str = "same"
    shape: Dims = None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did, by op names of the live graph.

    restored: assigned, and read back byte for byte. untouched: left as they were.
    mismatched: left as they were because the stored shape or dtype is another one.
    initialized: given their initial value, because nothing is stored for them.
    notes: one sentence for each thing worth knowing. found: what the files say of the train ops.
    """

    restored: tuple[str, ...]
    untouched: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    initialized: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found: tuple[TrainOp, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything of the report, each with its ground."""
        total = sum(map(len, (self.restored, self.untouched, self.mismatched, self.initialized)))
        facts = [
            Fact("confirmed", f"{len(self.restored)} of {total} variables restored, read back")
        ]
        for train_op in self.found:
            facts += facts_of(train_op)
        for word in ("initialized", "untouched", "mismatched"):
            if names := getattr(self, word):
                facts.append(Fact("assumed", f"{word}: {', '.join(names)}"))
        said = {fact.text for fact in facts}
        for note in self.notes:
            if note not in said:
                facts.append(Fact("impossible" if "not restored" in note else "inferred", note))
        return tuple(facts)

    def __str__(self) -> str:
        total = len(self.restored) + len(self.untouched) + len(self.mismatched)
        total += len(self.initialized)
        text = f"restored {len(self.restored)} of {total} variables, read back byte for byte"
        for word in ("initialized", "untouched", "mismatched"):
            names = getattr(self, word)
            if names:
                text += f"; {len(names)} {word} ({', '.join(names[:5])}"
                text += ", ...)" if len(names) > 5 else ")"
        return "\n".join([text, *self.notes])


def nodes_of(variable: Variable) -> Iterator[tuple[str, Part | None]]:
    """Yield (node name, Part or None) for each node that holds a variable."""
    if variable.parts:
        for part in variable.parts:
            yield part.node, part
    elif variable.node is not None:
        yield variable.node, None


def check_assignments(assignments: Sequence[Assignment], stored: StoredModel) -> None:
    """Raise RestoreError with every fault: a key that is absent, another shape, another dtype."""
    by_key = {tensor.key: tensor for tensor in stored.tensors}
    faults = []
    for item in assignments:
        tensor = by_key.get(item.checkpoint_key)
        if tensor is None:
            faults.append(f"{item.live.node}: {item.checkpoint_key!r} is not in the files")
            continue
        shape = tensor.shape if item.layout in STORED_AS_IS else item.shape
        fault = shape_fault(item.live, shape, item.part) or dtype_fault(item.live, tensor.dtype)
        if fault:
            faults.append(f"{item.live.node}: {fault}")
    if faults:
        shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" * (len(faults) > 5))
        raise RestoreError(
            f"{len(faults)} of {len(assignments)} variables cannot be restored: {shown}",
            where=stored.path,
            remedy="Nothing has been assigned. Check that graph and checkpoint belong together, "
            "or pass name_map, or allow_missing=True.",
        )


def shape_fault(live: LiveVariable, stored: Dims, part: Part | None) -> str | None:
    """Say how the shapes differ; None where they agree as far as they are known."""
    wanted = part.shape if part is not None else stored
    if part is not None and stored is not None:
        ends = [start + size for start, size in zip(part.offset, part.shape, strict=False)]
        if len(ends) != len(stored) or any(
            size is not None and end > size for end, size in zip(ends, stored, strict=True)
        ):
            return f"its piece {part.offset}+{part.shape} is not inside the stored {stored}"
    if wanted is None or live.shape is None:
        return None
    agree = len(wanted) == len(live.shape) and all(
        a is None or b is None or a == b for a, b in zip(wanted, live.shape, strict=True)
    )
    return None if agree else f"the graph has shape {list(live.shape)}, the files {list(wanted)}"


def dtype_fault(live: LiveVariable, stored: str | None) -> str | None:
    """Say how the dtypes differ; None where they agree."""
    if stored is None or stored == live.dtype:
        return None
    return f"the graph has dtype {live.dtype}, the files {stored}"


def read_values(stored: StoredModel, keys: Iterable[str]) -> dict[str, numpy.ndarray]:
    """Read values by checkpoint key, checksums verified.

    Raises MissingDataError where there are none, CorruptArtifactError.
    """
    if stored.values is None:
        raise MissingDataError(
            f"is a {stored.kind} without values",
            where=stored.path,
            remedy="Put the checkpoint's .index and .data files beside it, or give their path.",
        )
    return {key: stored.values.read(key) for key in sorted(set(keys))}


def assign_values(
    session: Any,
    assignments: Sequence[Assignment],
    stored: StoredModel,
    values: Mapping[str, numpy.ndarray] | None = None,
) -> tuple[str, ...]:
    """Assign every value and read each back; returns the op names, in the order given.

    values: what `read_values` gave, where it has been called before. Checks come first, and
    every value is read and its checksum verified before the first assignment. Raises
    RestoreError, MissingDataError, CorruptArtifactError.
    """
    check_assignments(assignments, stored)
    if values is None:
        values = read_values(stored, (item.checkpoint_key for item in assignments))
    pieces = [_piece(item, values[item.checkpoint_key]) for item in assignments]
    plan = [_writer(session.graph, item.live) for item in assignments]
    jobs = [(op, fed, value) for (op, fed), value in zip(plan, pieces, strict=True)]
    for batch in _batches(jobs):
        _run(session, [op for op, _, _ in batch], {fed: value for _, fed, value in batch})
    _read_back(session, assignments, pieces, stored.path)
    return tuple(item.live.node for item in assignments)


def _piece(item: Assignment, value: numpy.ndarray) -> numpy.ndarray:
    import numpy

    value = apply_layout(value, item.layout, item.shape, item.live.node)
    if item.part is not None:
        ends = zip(item.part.offset, item.part.shape, strict=True)
        value = value[tuple(slice(start, start + size) for start, size in ends)]
    wanted = tensorflow().dtypes.as_dtype(item.live.dtype).as_numpy_dtype
    if value.dtype != wanted and value.dtype.itemsize == numpy.dtype(wanted).itemsize:
        value = value.view(wanted)  # bfloat16 and the like, read as their plain bytes
    fault = shape_fault(item.live, value.shape, None)
    if fault:
        raise RestoreError(
            f"layout {item.layout!r} does not fit: {fault}",
            where=item.live.node,
            remedy="Nothing has been assigned. Match again with this checkpoint.",
        )
    return value


def _writer(graph: Any, live: LiveVariable) -> tuple[Any, Any]:
    """Return (op, tensor to feed); adds an assign where the graph has none that can be used."""
    if live.assign is not None:
        return live.assign, live.assign.inputs[1]
    tf = tensorflow()
    if graph.finalized:
        raise RestoreError(
            "has no initializer in the graph, and the graph is finalized",
            where=live.node,
            remedy="Restore before the graph is finalized.",
        )
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope("graphmap/"):
        fed = tf.compat.v1.placeholder(live.dtype, live.shape)
        target = live.operation.outputs[0]
        if live.is_resource:
            return tf.raw_ops.AssignVariableOp(resource=target, value=fed), fed
        return tf.compat.v1.assign(target, fed, validate_shape=False).op, fed


def _batches(jobs: Iterable[tuple[Any, Any, Any]]) -> Iterator[list[tuple[Any, Any, Any]]]:
    """Cut the work where a tensor would stand twice in a run, or the run would hold too much."""
    batch: list[tuple[Any, Any, Any]] = []
    fed: set[str] = set()
    size = 0
    for job in jobs:
        if job[1].name in fed or size > BATCH_BYTES:
            yield batch
            batch, fed, size = [], set(), 0
        batch.append(job)
        fed.add(job[1].name)
        size += job[2].nbytes
    if batch:
        yield batch


def _run(session: Any, fetches: list[Any], feed: dict[Any, Any] | None = None) -> list[Any]:
    errors = tensorflow().errors
    try:
        return list(session.run(fetches, feed))
    except errors.OpError as cause:
        said = next((line for line in cause.message.splitlines() if "annot" in line), "")
        raise RestoreError(
            f"TensorFlow cannot run the assignment: {said or cause.message.splitlines()[0]}",
            where=type(cause).__name__,
            remedy="Where a device is missing, make the session with "
            "tf.compat.v1.ConfigProto(allow_soft_placement=True).",
        ) from cause


def _read_back(
    session: Any, assignments: Sequence[Assignment], values: Sequence[Any], path: str
) -> None:
    readers = [_reader(session.graph, item.live) for item in assignments]
    names = [item.live.node for item in assignments]
    wrong = []
    for batch in _batches(zip(names, readers, values, strict=True)):
        found = _run(session, [reader for _, reader, _ in batch])
        rows = zip(batch, found, strict=True)
        wrong += [name for (name, _, value), got in rows if not _same_bytes(got, value)]
    if wrong:
        raise RestoreError(
            f"{len(wrong)} of {len(assignments)} variables do not hold the stored bytes after the "
            f"restore: {', '.join(wrong[:5])}",
            where=path,
            remedy="Do not train on: something else writes these variables.",
        )


def _reader(graph: Any, live: LiveVariable) -> Any:
    if live.value is not None:
        return live.value
    tf = tensorflow()
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope("graphmap/"):
        return tf.raw_ops.ReadVariableOp(resource=live.operation.outputs[0], dtype=live.dtype)


def _same_bytes(got: Any, value: Any) -> bool:
    import numpy

    got, value = numpy.asarray(got), numpy.asarray(value)
    if got.shape != value.shape:
        return False
    if got.dtype == object or value.dtype == object:
        return bool(got.ravel().tolist() == value.ravel().tolist())
    return bool(got.dtype == value.dtype and got.tobytes() == value.tobytes())


def without(names: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are not taken, in their order."""
    gone = set(taken)
    return tuple(name for name in names if name not in gone)


def initialize(session: Any, lives: Sequence[LiveVariable]) -> tuple[str, ...]:
    """Run the initializers of variables that have nothing stored; returns their op names."""
    ops = [_initializer(session.graph, live) for live in lives]
    if ops:
        _run(session, ops)
    return tuple(live.node for live in lives)


def _initializer(graph: Any, live: LiveVariable) -> Any:
    """Return the op that gives a variable its initial value; never a restore op of a Saver."""
    if live.variable is not None and live.variable.initializer is not None:
        return live.variable.initializer
    try:
        return graph.get_operation_by_name(f"{live.node}/Assign")
    except KeyError as cause:
        raise GraphmapError(
            "has neither a stored value nor an initializer",
            where=live.node,
            remedy="Pass a checkpoint that holds it.",
        ) from cause

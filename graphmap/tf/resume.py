"""Going on training in the stored graph itself: import it, restore everything, find what to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.errors import ReconstructionError, RestoreError
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.names import op_name
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import (
    Assignment,
    RestoreReport,
    assign_values,
    initialize,
    nodes_of,
    read_values,
    without,
)
from graphmap.tf.importing import open_any, place_graph
from graphmap.tf.live import LiveVariable, live_variables, variable_object
from graphmap.tf.runtime import tensorflow
from graphmap.tf.safety import check_agree, check_safe, check_sound, upstream

__all__ = ["Resumed", "resume"]


@dataclass(frozen=True)
class Resumed:
    """A stored graph that goes on training. Keys are stored names, values are of the live graph.

    prefix: where the stored graph lies in the live one, "" or "a/b/".
    found: what the files say of each train op. inputs: iterators and queues that a step draws
    from, as live op names; they are not restored.
    """

    graph: Any
    prefix: str
    found: tuple[TrainOp, ...]
    report: RestoreReport
    saved: tuple[tuple[Variable, tuple[LiveVariable, ...]], ...]

    @property
    def train_ops(self) -> dict[str, Any]:
        """Every train op by stored name."""
        find = self.graph.get_operation_by_name
        return {train_op.name: find(self.prefix + train_op.name) for train_op in self.found}

    @property
    def train_op(self) -> Any:
        """The train op; raises ReconstructionError where there are several."""
        return self.train_ops[self._only("train op", [op.name for op in self.found])]

    @property
    def losses(self) -> dict[str, Any]:
        """The loss tensor of each train op, by stored train op name, where it is known."""
        return {op.name: self._tensor(op.loss) for op in self.found if op.loss}

    @property
    def loss(self) -> Any:
        """The loss tensor; raises ReconstructionError where there are several, or none is known."""
        return self._tensor(self._only("loss", [op.loss for op in self.found if op.loss]))

    @property
    def global_step(self) -> Any:
        """The step variable, None where the train ops count none."""
        names = {op.global_step for op in self.found if op.global_step}
        if not names:
            return None
        name = self._only("global step", names)
        return variable_object(live_variables(self.graph)[self.prefix + name])

    @property
    def feeds(self) -> dict[str, Any]:
        """{stored placeholder: Tensor} that a step needs."""
        return {feed.tensor: self._tensor(feed.tensor) for op in self.found for feed in op.feeds}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Op names of the iterators, queues and readers that a step draws from."""
        return tuple(dict.fromkeys(self.prefix + name for op in self.found for name in op.inputs))

    def saver(self, **options: Any) -> Any:
        """Return a tf.compat.v1.train.Saver that writes under the stored keys.

        options: those of the Saver, such as max_to_keep. Adds the nodes of a Saver to the graph.
        """
        var_list = {}
        for variable, lives in self.saved:
            objects = [variable_object(live) for live in lives]
            var_list[variable.checkpoint_key] = objects if variable.parts else objects[0]
        with self.graph.as_default():
            return tensorflow().compat.v1.train.Saver(var_list, **options)

    def _tensor(self, name: str) -> Any:
        return self.graph.get_tensor_by_name(self.prefix + name)

    def _only(self, what: str, names: Iterable[str]) -> str:
        several = sorted(set(names))
        if len(several) == 1:
            return several[0]
        raise ReconstructionError(
            f"the graph has {len(several)} {what}s" + (f": {', '.join(several)}" * bool(several)),
            where=what,
            remedy="Take one of resumed.train_ops or resumed.losses by its stored name.",
        )


def resume(
    path: Any,
    session: Any,
    import_scope: str | None = None,
    *,
    tags: str | None = None,
    step: int | None = None,
    allow_unsafe: bool = False,
) -> Resumed:
    """Import the stored graph (or use it where it is), restore all of it, find what to run.

    All checks come before the first assignment; afterwards each variable has been read back.
    Raises ReconstructionError without a graph or train op, RestoreError where a variable that a
    step needs is not stored, UnsafeGraphError.
    """
    opened = open_any(path, tags, step)
    stored = opened.stored
    found = _train_ops(opened)
    saved = [v for v in opened.variables if v.checkpoint_key is not None and list(nodes_of(v))]
    assert stored.graph is not None
    check_sound(stored.graph, stored.path)
    names = [op.name for op in found]
    read_values(stored, ())  # a graph without values is told as that
    fresh = _unsaved_locals(stored, names, saved)
    roots = [*names, *(op_name(train_op.loss) for train_op in found if train_op.loss)]
    run = [*roots, *(f"{name}/Assign" for name in fresh)]  # a loop looks at its loss, too
    check_safe(stored.graph, run, allow_unsafe=allow_unsafe, where=stored.path)
    values = read_values(stored, (str(variable.checkpoint_key) for variable in saved))
    check_agree(stored.graph, saved, stored.path)
    prefix = place_graph(session, stored, import_scope, roots)
    lives = live_variables(session.graph)
    assignments = list(assignments_for(saved, lives, prefix))
    restored = assign_values(session, assignments, stored, values)
    initialized = initialize(session, [lives[prefix + name] for name in fresh])
    own = [name for name in lives if name.startswith(prefix)]
    report = RestoreReport(
        restored=restored,
        untouched=without(own, [*restored, *initialized]),
        initialized=initialized,
        notes=tuple(_notes(stored, found)),
        found=found,
    )
    here = [v for v in saved if all(prefix + name in lives for name, _ in nodes_of(v))]
    placed = tuple((v, tuple(lives[prefix + name] for name, _ in nodes_of(v))) for v in here)
    return Resumed(session.graph, prefix, found, report, placed)


def _train_ops(opened: OpenedModel) -> tuple[TrainOp, ...]:
    stored = opened.stored
    if stored.graph is None:
        raise ReconstructionError(
            "stores no graph, so there is no train op to resume",
            where=stored.path,
            remedy="Build the graph by your own code and use gmtf.reconstruct_train_op.",
        )
    if not opened.train_ops:
        raise ReconstructionError(
            "stores a graph without a train op",
            where=stored.path,
            remedy="Use gmtf.restore for its weights; a graph exported for inference cannot train.",
        )
    return opened.train_ops


def assignments_for(
    variables: Iterable[Variable], lives: Mapping[str, LiveVariable], prefix: str
) -> Iterator[Assignment]:
    """Pair each node of the stored variables with the live variable of that name."""
    for variable in variables:
        for name, part in nodes_of(variable):
            live = lives.get(prefix + name)
            if live is not None and variable.checkpoint_key is not None:
                yield Assignment(live, variable.checkpoint_key, part)


def _unsaved_locals(
    stored: StoredModel, train_ops: Iterable[str], saved: Iterable[Variable]
) -> list[str]:
    """Local variables that a step needs; raises RestoreError for others that are not stored."""
    assert stored.graph is not None
    nodes = [stored.graph.nodes[i] for i in sorted(upstream(stored.graph, train_ops))]
    held = {name for variable in saved for name, _ in nodes_of(variable)}
    needed = [n.name for n in nodes if n.op in VARIABLE_OPS and n.name not in held]
    local = {entry.name for entry in stored.meta.variables.get("local_variables", ())}
    missing = [name for name in needed if name not in local]
    if missing:
        raise RestoreError(
            f"{len(missing)} variables that a training step needs are not stored: "
            f"{', '.join(missing[:5])}",
            where=stored.path,
            remedy="Nothing has been assigned. The checkpoint was written without the optimizer's "
            "state; use gmtf.restore for the weights and start a new optimizer.",
        )
    return needed


def _notes(stored: StoredModel, found: Iterable[TrainOp]) -> Iterator[str]:
    for train_op in found:
        yield from (f"{train_op.name}: {sentence}" for sentence in train_op.unrecovered)
        for name in train_op.inputs:
            yield f"{train_op.name} draws from {name}, which is not restored: initialize it"
    for key in ("saved_model_main_op", "legacy_init_op"):
        for name in stored.meta.node_lists.get(key, ()):
            yield f"{name} ({key}) has not been run: session.run it if the model needs its tables"

"""What `reconstruct_train_op` returns: ops to run, state to restore, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from graphmap.errors import ReconstructionError, UsageError
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.tf.assigning import Assignment, RestoreReport, assign_values, initialize
from graphmap.tf.descent import Difference
from graphmap.tf.facts import Fact, facts_of
from graphmap.tf.live import live_variables, variable_object
from graphmap.tf.runtime import tensorflow

__all__ = ["Fact", "RebuildReport", "Rebuilt"]


@dataclass(frozen=True)
class RebuildReport:
    """How the train op was rebuilt, and what a restore did.

    how: "transplant" (the stored update was copied) or "by class" (an optimizer was made anew).
    forward_equal, gradients_equal: True, or the first stored and new node that differ, and why.
    copied: how many stored ops were copied. assumed: one sentence for each thing that the files
    could not tell. found: what the files say of the train ops. restored, initialized: names of the
    new graph, after a restore; untouched and mismatched are empty then, for a restore is whole or
    an error.
    """

    how: Literal["transplant", "by class"]
    forward_equal: bool | Difference = True
    gradients_equal: bool | Difference = True
    copied: int = 0
    assumed: tuple[str, ...] = ()
    found: tuple[TrainOp, ...] = ()
    restored: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    initialized: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything of the report, a sentence each."""
        return tuple(self._facts())

    def __str__(self) -> str:
        return "\n".join(f"{basis}: {text}" for basis, text in self.facts)

    def _facts(self) -> Iterator[Fact]:
        if self.how == "transplant":
            yield Fact("confirmed", f"the stored update was copied: {self.copied} ops")
        else:
            yield Fact("assumed", "the optimizer was made anew, by its class")
        for what, equal in (
            ("the forward pass", self.forward_equal),
            ("every gradient", self.gradients_equal),
        ):
            if equal is True:
                yield Fact("confirmed", f"{what} is the stored computation, op by op")
            else:
                yield Fact("assumed", f"{what} is the stored one: {equal}")
        for train_op in self.found:
            yield from facts_of(train_op)
        for text in self.assumed:
            yield Fact("impossible" if "not stored" in text else "assumed", text)
        if self.restored:
            total = len(self.restored) + len(self.untouched) + len(self.mismatched)
            yield Fact("confirmed", f"{len(self.restored)} of {total} restored, read back")
        if self.initialized:
            yield Fact("assumed", f"initialized anew: {', '.join(self.initialized)}")


@dataclass
class Rebuilt:
    """A stored update over the caller's graph. Keys are stored names.

    feeds: {stored placeholder: new placeholder}. state_map: {stored variable: new variable},
    slots, averages and steps included.
    """

    graph: Any
    stored: StoredModel
    train_ops: Mapping[str, Any]
    feeds: Mapping[str, Any]
    state_map: Mapping[str, Any]
    assignments: Sequence[Assignment]
    report: RebuildReport = field(default_factory=lambda: RebuildReport("transplant"))

    @property
    def train_op(self) -> Any:
        """The train op; raises ReconstructionError where there are several."""
        if len(self.train_ops) == 1:
            return next(iter(self.train_ops.values()))
        raise ReconstructionError(
            f"there are {len(self.train_ops)} train ops: {', '.join(self.train_ops)}",
            where="train_op",
            remedy="Take one of rebuilt.train_ops by its stored name.",
        )

    def restore(self, session: Any) -> RestoreReport:
        """Restore weights, slots, powers and step, and read each back.

        Every other variable of the graph is initialized first; the report lists them. Raises
        RestoreError, before the first assignment, where anything is missing.
        """
        if session.graph is not self.graph:
            raise UsageError(
                "belongs to another graph than the train op",
                where="session",
                remedy="Make it with tf.compat.v1.Session(graph=loss.graph).",
            )
        held = {assignment.live.node for assignment in self.assignments}
        others = [live for name, live in live_variables(self.graph).items() if name not in held]
        initialized = initialize(session, others)
        restored = assign_values(session, self.assignments, self.stored)
        self.report = replace(self.report, restored=restored, initialized=initialized)
        return RestoreReport(restored, initialized=initialized, notes=self.report.assumed)

    def saver(self, names: Literal["new", "stored"] = "new", **options: Any) -> Any:
        """Return a tf.compat.v1.train.Saver under the new names, or under the stored ones.

        options: those of the Saver. Adds the nodes of a Saver to the graph.
        """
        if names not in ("new", "stored"):
            raise UsageError(f"{names!r} is not known", where="names", remedy='"new" or "stored".')
        tf1 = tensorflow().compat.v1
        var_list: dict[str, Any] = {}
        for item in self.assignments:
            variable = variable_object(item.live)
            key = item.checkpoint_key if names == "stored" else item.live.node
            if item.part is not None and names == "stored":
                var_list.setdefault(key, []).append(variable)
            else:
                var_list[key] = variable
        with self.graph.as_default():
            return tf1.train.Saver(var_list, **options)

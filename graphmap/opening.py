"""The one place where a path becomes a read and analysed artifact; `api` and `tf` start here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from graphmap.analysis.variables import find_variables
from graphmap.formats.registry import read_artifact
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.model.optimizer_state import StoredOptimizer
    from graphmap.model.training import TrainOp

__all__ = ["OpenedModel", "open_model"]


class OpenedModel:
    """A StoredModel with what analysis says of it, computed on first use."""

    def __init__(self, stored: StoredModel) -> None:
        self.stored = stored

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable of graph and container, once, with its role."""
        return find_variables(self.stored)

    @cached_property
    def train_ops(self) -> tuple[TrainOp, ...]:
        """Every train op of the graph; empty without a graph."""
        if self.stored.graph is None:
            return ()
        from graphmap.analysis.train_ops import find_train_ops  # a listing need not pay for it

        return find_train_ops(self.stored)

    @cached_property
    def optimizers(self) -> tuple[StoredOptimizer, ...]:
        """Every Keras optimizer whose variables are stored, each paired with its weight."""
        from graphmap.analysis.optimizer_states import find_optimizers

        return find_optimizers(self.stored)


def open_model(path: str, tags: str | None = None, step: int | None = None) -> OpenedModel:
    """Read the artifact at `path`; raises ArtifactError and its children."""
    return OpenedModel(read_artifact(path, tags=tags, step=step))

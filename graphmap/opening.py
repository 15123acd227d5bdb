"""The one place where a path becomes a read and analysed artifact; `api` and `tf` start here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from graphmap.analysis.variables import find_variables
from graphmap.errors import GraphmapError
from graphmap.formats.registry import read_artifact
from graphmap.model.collector import collector_paused
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.analysis.train_ops import Specs
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
        return find_variables(self.stored, lambda: self.specs)

    @cached_property
    def train_ops(self) -> tuple[TrainOp, ...]:
        """Every train op of the graph; empty without a graph."""
        return () if self.stored.graph is None else self.specs[1]

    @cached_property
    def specs(self) -> Specs:
        """What the graph says about training, and its train ops; only where a graph is stored."""
        from graphmap.analysis.train_ops import find_specs  # a listing need not pay for it

        assert self.stored.graph is not None
        with collector_paused():
            return find_specs(self.stored, self.stored.graph)

    @cached_property
    def optimizers(self) -> tuple[StoredOptimizer, ...]:
        """Every Keras optimizer whose variables are stored, each paired with its weight."""
        if not self.stored.objects and self.stored.keras is None:
            return ()
        from graphmap.analysis.optimizer_states import find_optimizers  # a listing need not pay

        return find_optimizers(self.stored)


@collector_paused()
def open_model(path: str, tags: str | None = None, step: int | None = None) -> OpenedModel:
    """Read the artifact at `path`, which may be remote; raises ArtifactError and its children."""
    if "://" not in path:
        return OpenedModel(read_artifact(path, tags=tags, step=step))
    return OpenedModel(_read_remote(path, tags, step))


def _read_remote(address: str, tags: str | None, step: int | None) -> StoredModel:
    """Read a remote artifact; what is told of it names the address that the user knows."""
    from graphmap.files import as_typed
    from graphmap.remote import is_remote, localise, redact

    if not is_remote(address):
        return read_artifact(address, tags=tags, step=step)
    try:
        stored = read_artifact(localise(address), tags=tags, step=step)
    except GraphmapError as error:
        error.where, error.message = as_typed(error.where), as_typed(error.message)
        error.remedy = as_typed(error.remedy)
        raise
    warnings = tuple(as_typed(text) for text in stored.warnings)
    return stored._replace(path=redact(address), warnings=warnings)

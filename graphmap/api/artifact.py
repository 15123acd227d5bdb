"""The public Artifact: what a path holds, as attributes, computed on first use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphmap.errors import ArtifactError, MissingDataError, UnresolvedNameError
from graphmap.files import as_typed
from graphmap.model.stored import MetaInfo, StoredModel
from graphmap.model.variable import Variable
from graphmap.opening import OpenedModel, open_model
from graphmap.showing import Sheet, Shown

if TYPE_CHECKING:
    import networkx
    import numpy

    from graphmap.analysis.signature_functions import CalledFunction
    from graphmap.analysis.unsafe import UnsafeOp
    from graphmap.model.graph import BackEdge
    from graphmap.model.optimizer_state import StoredOptimizer
    from graphmap.model.training import TrainOp

__all__ = ["Artifact", "GraphSize", "Tensors", "as_artifact", "load"]


class GraphSize:
    """What the top-level graph counts; an edge is one entry of a NodeDef's `input`."""

    def __init__(self, nodes: int, data: int, control: int, back_edges: int, functions: int):
        self.nodes = nodes
        self.data = data
        self.control = control
        self.back_edges = back_edges
        self.functions = functions


class Artifact(Shown):
    """A checkpoint, graph, SavedModel or listing; never changed, nothing in it is executed.

    opened: the domain types underneath, for the floors that take them.
    """

    def __init__(self, opened: OpenedModel) -> None:
        self.opened = opened

    def __repr__(self) -> str:
        return f"<Artifact {self.kind} {self.path!r}>"

    def _sheet(self) -> Sheet:
        from graphmap.api.sheets import artifact_sheet

        return artifact_sheet(self)

    @property
    def path(self) -> str:
        """The path as it was given."""
        return self.opened.stored.path

    @property
    def kind(self) -> str:
        """What it is: "checkpoint", "metagraph", "saved-model", "graphdef", "listing", ..."""
        return self.opened.stored.kind

    @property
    def producer(self) -> str | None:
        """What wrote it, such as "tensorflow 1.15.0"; None where it is not stored."""
        return self.opened.stored.producer

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each defect of the files, and for each unsafe op."""
        found = [
            f"{op.op} {op.node}{f' in function {op.function}' if op.function else ''} {op.why}"
            for op in self.unsafe_ops
            if op.severity != "note"
        ]
        stored = self.opened.stored
        return (*stored.warnings, *self._mismatches(), *_config_warnings(stored), *found)

    def _mismatches(self) -> tuple[str, ...]:
        stored = self.opened.stored
        if stored.graph is None or not stored.tensors:
            return ()
        from graphmap.analysis.mismatches import find_mismatches

        return find_mismatches(stored.graph, self.variables)

    @cached_property
    def unsafe_ops(self) -> tuple[UnsafeOp, ...]:
        """Every op, in function bodies too, that would touch files, run code or use the network."""
        stored = self.opened.stored
        if stored.graph is None:
            return ()
        from graphmap.analysis.unsafe import find_unsafe_ops

        is_saved_model = stored.saved_model_dir is not None
        return find_unsafe_ops(stored.graph, stored.meta, is_saved_model=is_saved_model)

    @property
    def meta(self) -> MetaInfo:
        """Tags, collections and signatures; empty ones where no MetaGraph is stored."""
        return self.opened.stored.meta

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable of graph and container, once."""
        return self.opened.variables

    @property
    def train_ops(self) -> tuple[TrainOp, ...]:
        """Every train op of the stored graph; empty without a graph."""
        return self.opened.train_ops

    def signature_function(self, name: str) -> CalledFunction | None:
        """Return the function that computes a signature; None where the graph itself does."""
        signature, graph = self.meta.signatures.get(name), self.opened.stored.graph
        if signature is None or graph is None or not graph.functions:
            return None
        from graphmap.analysis.signature_functions import signature_function

        return signature_function(graph, signature)

    @property
    def optimizers(self) -> tuple[StoredOptimizer, ...]:
        """Every Keras optimizer whose variables are stored; empty for TF1, see `train_ops`."""
        return self.opened.optimizers

    @property
    def has_graph(self) -> bool:
        """Whether a graph is stored."""
        return self.opened.stored.graph is not None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the sorted (name, shape, dtype) of the stored variables."""
        from graphmap.formats.fingerprint import fingerprint

        rows: Sequence[Variable] = self.variables
        if self.opened.stored.graph is not None and self.opened.stored.tensors:
            rows = [v for v in rows if v.checkpoint_key is not None]
        return fingerprint(rows)

    @cached_property
    def graph(self) -> networkx.MultiDiGraph[str] | None:
        """The top-level graph without its loop edges; None where no graph is stored."""
        graph = self.opened.stored.graph
        if graph is None:
            return None
        from graphmap.model.dag import to_networkx

        return to_networkx(graph)[0]

    @cached_property
    def back_edges(self) -> tuple[BackEdge, ...]:
        """The loop edges that `graph` leaves out."""
        graph = self.opened.stored.graph
        if graph is None:
            return ()
        from graphmap.model.dag import find_back_edges

        return find_back_edges(graph)

    @cached_property
    def graph_size(self) -> GraphSize | None:
        """Nodes, edges and functions of the stored graph; None without one."""
        graph = self.opened.stored.graph
        if graph is None:
            return None
        total = sum(len(node.inputs) for node in graph.nodes)
        control = sum(text[:1] == "^" for node in graph.nodes for text in node.inputs)
        data = total - control
        loops = len(self.back_edges)
        return GraphSize(len(graph.nodes), data, control, loops, len(graph.functions))

    def read(self, name: str) -> numpy.ndarray:
        """Return a value by variable name or checkpoint key, checksum verified.

        Raises UnresolvedNameError for an unknown name, MissingDataError, CorruptArtifactError.
        """
        variable = self._by_name.get(name.removesuffix(":0")) or self._by_name.get(name)
        if variable is None:
            raise _unknown(name, self)
        try:
            return _read(variable, self)
        except ArtifactError as error:
            error.where = as_typed(error.where)
            raise

    def verify_data(self) -> tuple[str, ...]:
        """Check every stored value against its checksum; one sentence for each that is damaged."""
        from graphmap.api.verify import verify_data

        return verify_data(self.opened.stored)

    def tensors(self) -> Tensors:
        """Return a mapping of variable name to value that reads a value when it is asked for."""
        return Tensors(self)

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        keys = {v.checkpoint_key: v for v in self.variables if v.checkpoint_key is not None}
        return {**keys, **{v.name: v for v in self.variables}}


class Tensors(Mapping[str, Any]):
    """The values of an artifact by variable name (or key); each is read when it is asked for."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._names = tuple(v.name for v in artifact.variables if _has_value(v, artifact))

    def __getitem__(self, name: str) -> numpy.ndarray:
        return self._artifact.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def load(
    path: str | os.PathLike[str], tags: str | None = None, step: int | None = None
) -> Artifact:
    """Read what is stored at `path`: no TensorFlow, nothing executed, no values read.

    tags: comma-separated, chooses a graph of a SavedModel. step: chooses a checkpoint of a folder.
    Raises ArtifactError and its children.
    """
    return Artifact(open_model(os.fspath(path), tags=tags, step=step))


def as_artifact(source: Artifact | str | os.PathLike[str]) -> Artifact:
    """Take an Artifact, or load the one at a path."""
    return source if isinstance(source, Artifact) else load(source)


def _config_warnings(stored: StoredModel) -> tuple[str, ...]:
    """What the layers of a Keras file would do when it is loaded by Keras."""
    if not stored.kind.startswith("keras"):
        return ()
    from graphmap.auditing.audit import audit_model

    found = audit_model(stored)
    return tuple(f"{f.op} {f.node} {f.why}" for f in found if f.severity != "note")


def _has_value(variable: Variable, artifact: Artifact) -> bool:
    return variable.checkpoint_key is not None or _constant(variable, artifact) is not None


def _read(variable: Variable, artifact: Artifact) -> numpy.ndarray:
    stored = artifact.opened.stored
    if variable.checkpoint_key is not None and stored.values is not None:
        return stored.values.read(variable.checkpoint_key)
    constant = _constant(variable, artifact)
    if constant is not None:
        array: numpy.ndarray = constant.array()
        return array
    if stored.kind == "listing":
        raise ArtifactError(
            "is a listing, which holds no values",
            where=artifact.path,
            remedy="Load the checkpoint itself.",
        )
    raise MissingDataError(
        f"no value is stored for {variable.name}",
        where=artifact.path,
        remedy="Load the checkpoint or SavedModel folder that holds the values.",
    )


def _constant(variable: Variable, artifact: Artifact) -> Any:
    """Return the TensorValue of a weight that is a Const of a frozen graph, or None."""
    graph = artifact.opened.stored.graph
    node = graph.find(variable.node) if graph is not None and variable.node else None
    return node.attrs.get("value") if node is not None and node.op == "Const" else None


def _unknown(name: str, artifact: Artifact) -> UnresolvedNameError:
    from graphmap.matching.suggest import rank_candidates

    near = rank_candidates(name, [v.name for v in artifact.variables])
    return UnresolvedNameError(
        f"holds no variable {name!r}",
        where=artifact.path,
        remedy=f"Did you mean {' or '.join(near)}?" if near else "List them: graphmap inspect",
        candidates=near,
    )

"""What two artifacts share, rename, change, add and drop: `graphmap.diff`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.comparing.nodes import compare_functions, compare_nodes
from graphmap.comparing.sections import Section, compare
from graphmap.comparing.variables import compare_variables
from graphmap.errors import ArtifactError, MissingDependencyError
from graphmap.model.graph import GraphModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable

__all__ = ["Diff", "diff"]

_EMPTY = GraphModel(())


class Diff(NamedTuple):
    """The sections of a difference; a is the first artifact, b the second.

    train_ops: their fields are optimizers and hyper-parameters. unread: variables of both sides
    whose values could not be compared.
    """

    a: Artifact
    b: Artifact
    variables: Section
    nodes: Section
    functions: Section
    signatures: Section
    train_ops: Section
    unread: tuple[str, ...] = ()

    @property
    def sections(self) -> dict[str, Section]:
        """The sections by name, in the order of the report."""
        names = ("variables", "train_ops", "signatures", "nodes", "functions")
        return {name: getattr(self, name) for name in names}

    @property
    def is_same(self) -> bool:
        """Whether the two artifacts hold the same in all that was compared."""
        return all(section.is_same for section in self.sections.values())


def diff(a: Artifact | str | os.PathLike[str], b: Artifact | str | os.PathLike[str]) -> Diff:
    """Compare two artifacts by content: variables and values, nodes, train ops, signatures.

    Graphs are compared where both sides have one. Values are compared by the checksums that both
    checkpoints store, else by reading them. Raises ArtifactError where one cannot be read.
    """
    one, other = as_artifact(a), as_artifact(b)
    unread: dict[str, None] = {}
    digest_a, digest_b = _digests(one, other, unread)
    graph_a, graph_b = _graphs(one, other)
    variables = compare_variables(
        one.variables, other.variables, digest_a, digest_b, lambda: _match(one, other)
    )
    return Diff(
        one,
        other,
        variables,
        compare_nodes(graph_a, graph_b, _new_nodes(variables, one, other)),
        compare_functions(graph_a, graph_b),
        _signatures(one, other),
        _train_ops(one, other),
        tuple(unread),
    )


def _new_nodes(variables: Section, a: Artifact, b: Artifact) -> dict[str, str]:
    """Return the nodes of the variables that have another name in B."""
    nodes_a = {variable.name: variable.node for variable in a.variables}
    nodes_b = {variable.name: variable.node for variable in b.variables}
    pairs = [(rename.a, rename.b) for rename in variables.renamed]
    pairs += [(change.a, change.b) for change in variables.changed]
    named = [(nodes_a[one], nodes_b[other]) for one, other in pairs if one != other]
    return {one: other for one, other in named if one is not None and other is not None}


def _graphs(a: Artifact, b: Artifact) -> tuple[GraphModel, GraphModel]:
    graphs = a.opened.stored.graph, b.opened.stored.graph
    return (_EMPTY, _EMPTY) if None in graphs else graphs  # type: ignore[return-value]


def _match(a: Artifact, b: Artifact) -> Mapping[str, str]:
    from graphmap.api.matching import match

    found = match(a, b)
    return {
        decision.expected: decision.actual
        for decision in found.matched
        if decision.actual is not None and decision.layout == "same"
    }


_Digest = Callable[[Variable], object]


def _digests(a: Artifact, b: Artifact, unread: dict[str, None]) -> tuple[_Digest, _Digest]:
    """Return what tells the values of each side apart: stored checksums, or the values' own."""
    checksums_a, checksums_b = (
        getattr(side.opened.stored.values, "checksum", None) for side in (a, b)
    )
    if checksums_a is None or checksums_b is None:
        return _Digests(a, None, unread), _Digests(b, None, unread)
    return _Digests(a, checksums_a, unread), _Digests(b, checksums_b, unread)


class _Digests:
    """Digests of one artifact's values: a stored checksum where there is one, else read."""

    def __init__(
        self,
        artifact: Artifact,
        checksum: Callable[[str], object] | None,
        unread: dict[str, None],
    ) -> None:
        self._artifact = artifact
        self._checksum = checksum
        self._unread = unread
        self._known: dict[str, object] = {}

    def __call__(self, variable: Variable) -> object:
        if variable.name not in self._known:
            found = None
            if self._checksum is not None and variable.checkpoint_key is not None:
                found = self._checksum(variable.checkpoint_key)
            if found is None:
                found = _read_digest(self._artifact, variable, self._unread)
            self._known[variable.name] = found
        return self._known[variable.name]


def _read_digest(artifact: Artifact, variable: Variable, unread: dict[str, None]) -> object:
    try:
        value = artifact.read(variable.name)
    except (ArtifactError, MissingDependencyError):
        unread[variable.name] = None
        return None
    content = repr(value.tolist()).encode() if value.dtype == object else value.tobytes()
    return hashlib.sha256(content).digest()


def _signatures(a: Artifact, b: Artifact) -> Section:
    def told(artifact: Artifact, key: str) -> dict[str, Any]:
        signature = artifact.meta.signatures[key]
        infos = {"inputs": signature.inputs, "outputs": signature.outputs}
        return {
            f"{side} {name}": f"{info.dtype} {_dims(info.shape)}"
            for side, entries in infos.items()
            for name, info in entries.items()
        }

    return compare(
        a.meta.signatures,
        b.meta.signatures,
        lambda x, y: _unequal(told(a, x), told(b, y)),
    )


def _train_ops(a: Artifact, b: Artifact) -> Section:
    ops_a = {op.name: op for op in a.train_ops} if a.has_graph and b.has_graph else {}
    ops_b = {op.name: op for op in b.train_ops} if a.has_graph and b.has_graph else {}
    return compare(ops_a, ops_b, lambda x, y: _unequal(_told(ops_a[x]), _told(ops_b[y])))


def _told(op: TrainOp) -> dict[str, Any]:
    found: dict[str, Any] = {"loss": op.loss, "global_step": op.global_step}
    for number, spec in enumerate(op.optimizers, 1):
        prefix = f"optimizer {number} " if len(op.optimizers) > 1 else ""
        found[f"{prefix}kind"] = spec.kind
        found[f"{prefix}trains"] = f"{len(spec.slots)} variables"
        for name, value in spec.hyperparameters.items():
            found[f"{prefix}{name}"] = value
    return found


def _unequal(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        key: (a.get(key), b.get(key)) for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)
    }


def _dims(shape: Any) -> str:
    if shape is None:
        return "?"
    return "[" + ",".join("?" if size is None else str(size) for size in shape) + "]"

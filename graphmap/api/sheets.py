"""What an artifact tells of itself in a notebook or terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from graphmap.model.variable import Variable
from graphmap.showing import Branch, Part, Sheet

if TYPE_CHECKING:
    from graphmap.api.artifact import Artifact

__all__ = ["artifact_sheet"]

_DEEPEST = 12  # levels of scopes; deeper ones stand in the name


def artifact_sheet(artifact: Artifact) -> Sheet:
    """Return facts, train ops, signatures, variables as a tree, and warnings."""
    variables = artifact.variables
    weights = [v for v in variables if v.role == "weight"]
    size = artifact.graph_size
    facts = [
        ("path", artifact.path),
        ("written by", artifact.producer or "?"),
        ("variables", f"{len(variables):,}, of them {len(weights):,} weights with "
                      f"{_parameters(weights):,} parameters"),
    ]  # fmt: skip
    if size is not None:
        facts.insert(2, ("graph", f"{size.nodes:,} nodes, {size.data:,} data edges, "
                                  f"{size.functions:,} functions"))  # fmt: skip
    train_ops = [(op.name, ", ".join(o.kind for o in op.optimizers), op.loss or "?")
                 for op in artifact.train_ops]  # fmt: skip
    signatures = [
        (key, side, name, info.tensor, info.dtype, _shape(info.shape))
        for key, signature in sorted(artifact.meta.signatures.items())
        for side, infos in (("in", signature.inputs), ("out", signature.outputs))
        for name, info in infos.items()
    ]
    parts = [
        Part("train ops", ("name", "optimizer", "loss"), train_ops, is_open=True),
        Part("signatures", ("signature", "", "name", "tensor", "dtype", "shape"), signatures),
        Part(f"weights: {len(weights):,}", tree=_tree(weights)),
        Part(f"slots, steps and others: {len(variables) - len(weights):,}",
             ("name", "role", "shape", "dtype"),
             [(v.name, v.role, _shape(v.shape), v.dtype or "?")
              for v in variables if v.role != "weight"]),
        Part(f"warnings: {len(artifact.warnings):,}", ("what",),
             [(text,) for text in artifact.warnings], is_open=True),
    ]  # fmt: skip
    kept = tuple(part for part in parts if part.rows or part.tree)
    return Sheet(f"{artifact.kind} {artifact.path}", tuple(facts), kept)


def _tree(variables: Sequence[Variable]) -> tuple[Branch, ...]:
    """Return the scope tree; a scope with one thing in it is joined with that."""
    split = [(v.name.split("/", _DEEPEST), v) for v in variables]
    return _level(split, 0)


def _level(rows: Sequence[tuple[list[str], Variable]], depth: int) -> tuple[Branch, ...]:
    groups: dict[str, list[tuple[list[str], Variable]]] = {}
    for parts, variable in rows:
        groups.setdefault(parts[depth], []).append((parts, variable))
    made = []
    for title, members in groups.items():
        leaves = [v for parts, v in members if len(parts) == depth + 1]
        deeper = [(parts, v) for parts, v in members if len(parts) > depth + 1]
        made += [Branch(title, f"{_shape(v.shape)} {v.dtype or ''}".rstrip()) for v in leaves]
        if not deeper:
            continue
        children = _level(deeper, depth + 1)
        if len(children) == 1:
            (only,) = children
            made.append(only._replace(title=f"{title}/{only.title}"))
        else:
            own = [v for _, v in deeper]
            note = f"{len(own):,} variables, {_parameters(own):,} parameters"
            made.append(Branch(title, note, children))
    return tuple(made)


def _parameters(variables: Sequence[Variable]) -> int:
    return sum(
        prod(size or 0 for size in v.shape)
        for v in variables
        if v.shape is not None and None not in v.shape
    )


def _shape(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return "?"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"

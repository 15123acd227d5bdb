"""An artifact as the JSON of the contract, and as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphmap.api.artifact import Artifact
from graphmap.cli.console import dim, escape, is_plain, table
from graphmap.cli.signature_views import shape_json, signature_lines, signatures_json
from graphmap.cli.wording import count, hyperparameter, shape_text, size_text
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.api.stats import Stats
    from graphmap.model.training import OptimizerSpec, TrainOp

__all__ = ["inspect_json", "inspect_text", "select", "train_op_json", "train_op_text"]

PIECE = 2000  # rows that are written at once
MAX_SCOPES = 12  # scopes named in the summary


def select(
    variables: Sequence[Variable], only: str | None, role: str | None, sort: str
) -> Sequence[Variable]:
    """Return the variables that the flags leave, in the order that they ask for."""
    if role is not None:
        variables = [v for v in variables if v.role == role]
    if only is not None:
        from graphmap.patterns import compile_pattern  # re is not needed otherwise

        found = compile_pattern(only, f"--only {only}").search
        variables = [v for v in variables if found(v.name)]
    if sort == "bytes":
        variables = sorted(variables, key=lambda v: (-(v.bytes or 0), v.name))
    return variables


def inspect_text(artifact: Artifact, variables: Sequence[Variable]) -> Iterator[str]:
    """Yield the summary, the table of variables and the train ops, in pieces of many lines."""
    lines = [_headline(artifact), *_graph_lines(artifact), _variable_line(variables)]
    yield "\n".join([*lines, *_scope_lines(variables)])
    if variables:
        yield ""
        yield from _variable_table(variables)
    for train_op in artifact.train_ops if artifact.has_graph else ():
        yield "\n" + train_op_text(train_op, slots=False)
    if artifact.optimizers:
        from graphmap.cli.optimizer_views import optimizers_text  # most listings have none

        yield from (f"\n{text}" for text in optimizers_text(artifact, slots=False))


def _variable_table(variables: Sequence[Variable]) -> Iterator[str]:
    """Yield the rows in pieces: the text of 100,000 rows at once would take as much as they do.

    What follows the name is the same in many rows, so it is made once for each kind of row.
    """
    header = ("variable", "shape", "dtype", "role")
    names = _escaped_names(variables)
    shapes = map(shape_text, set(map(attrgetter("shape"), variables)))
    dtypes = {dtype or "?" for dtype in set(map(attrgetter("dtype"), variables))}
    width, *widths = (
        max(len(title), *map(len, column))
        for title, column in zip(header, (names, shapes, dtypes), strict=False)
    )
    template = f"  %-{widths[0]}s  %-{widths[1]}s  %s"
    yield dim(header[0].ljust(width) + template % header[1:])
    tails: dict[tuple[Any, ...], str] = {}
    for start in range(0, len(variables), PIECE):
        lines = []
        piece = variables[start : start + PIECE]
        for name, row in zip(names[start : start + PIECE], piece, strict=True):
            _, shape, dtype, role, slot_of, slot, _, _, _, _, _ = row
            kind = (shape, dtype, role, slot, slot_of is None)
            tail = tails.get(kind)
            if tail is None:
                told = role if slot_of is None else f"{role} {escape(slot or '')} of "
                tail = tails[kind] = template % (shape_text(shape), dtype or "?", told)
            line = name.ljust(width) + tail
            if slot_of is not None:
                line += slot_of if is_plain(slot_of) else escape(slot_of)
            lines.append(line)
        yield "\n".join(lines)


def _escaped_names(variables: Sequence[Variable]) -> list[str]:
    """Return every name, escaped; one look at many joined names is quicker than one at each."""
    names = list(map(attrgetter("name"), variables))
    for start in range(0, len(names), PIECE):
        piece = names[start : start + PIECE]
        if not is_plain("".join(piece)):
            names[start : start + PIECE] = map(escape, piece)
    return names


def inspect_json(
    artifact: Artifact,
    variables: Sequence[Variable],
    damaged: Sequence[str] = (),
    stats: Mapping[str, Stats] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return graphmap.inspect/1; damaged: what checking the values found. stats: by name."""
    size = artifact.graph_size
    meta = artifact.meta
    return {
        "schema": "graphmap.inspect/1",
        "path": artifact.path,
        "kind": artifact.kind,
        "producer": artifact.producer,
        "graph": None
        if size is None
        else {
            "nodes": size.nodes,
            "edges": {"data": size.data, "control": size.control},
            "back_edges": size.back_edges,
            "functions": size.functions,
        },
        "variables": [_variable_json(v) | _stats_json(v.name, stats) for v in variables],
        "tags": list(meta.tags),
        "signatures": signatures_json(artifact),
        "collections": dict(meta.counts),
        "train_ops": [train_op_json(op) for op in artifact.train_ops] if size else [],
        "optimizers": _optimizers_json(artifact),
        "unsafe_ops": [
            {"op": op.op, "node": op.node, "function": op.function, "severity": op.severity}
            for op in artifact.unsafe_ops
        ],
        "warnings": [*artifact.warnings, *damaged],
    }


def train_op_json(op: TrainOp) -> dict[str, Any]:
    """Return one entry of graphmap.train-op/1."""
    return {
        "name": op.name,
        "loss": op.loss,
        "global_step": op.global_step,
        "feeds": [
            {"tensor": f.tensor, "dtype": f.dtype, "shape": shape_json(f.shape)} for f in op.feeds
        ],
        "inputs": list(op.inputs),
        "optimizers": [
            {
                "kind": spec.kind,
                "hyperparameters": dict(spec.hyperparameters),
                "slots": {primary: dict(slots) for primary, slots in spec.slots.items()},
                "non_slots": dict(spec.non_slots),
                "sparse": list(spec.sparse),
            }
            for spec in op.optimizers
        ],
        "unrecovered": list(op.unrecovered),
    }


def train_op_text(op: TrainOp, slots: bool = True) -> str:
    """Return what one train op does; with `slots` every trained variable and its slots."""
    rows = [("loss", op.loss or "not known"), ("global step", op.global_step or "none")]
    rows += [("feed", f"{f.tensor} {f.dtype} {shape_text(f.shape)}") for f in op.feeds]
    rows += [("draws from", name) for name in op.inputs]
    lines = [f"train op {escape(op.name)}"]
    lines += [f"  {key + ':':<13} {escape(value)}" for key, value in rows]
    for spec in op.optimizers:
        values = "  ".join(hyperparameter(*item) for item in spec.hyperparameters.items())
        lines.append(f"  {'optimizer:':<13} {escape(spec.kind)}  {values}".rstrip())
        lines.append(f"  {'trains:':<13} {count(len(spec.slots), 'variable')}")
        lines += [f"  {name + ':':<13} {escape(v)}" for name, v in spec.non_slots.items()]
        if slots and spec.slots:
            lines += ["", _indent(_slot_table(spec))]
    lines += [f"  {'not told:':<13} {escape(sentence)}" for sentence in op.unrecovered]
    return "\n".join(lines)


def _slot_table(spec: OptimizerSpec) -> str:
    words = list(dict.fromkeys(word for slots in spec.slots.values() for word in slots))
    rows = [
        [escape(primary), *(escape(slots.get(word, "")) for word in words)]
        for primary, slots in spec.slots.items()
    ]
    return table(["trained variable", *words], rows)


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _headline(artifact: Artifact) -> str:
    producer = f", written by {artifact.producer}" if artifact.producer else ""
    return escape(f"{artifact.path}: {artifact.kind}{producer}")


def _graph_lines(artifact: Artifact) -> list[str]:
    size = artifact.graph_size
    if size is None:
        return []
    parts = [
        count(size.nodes, "node"),
        count(size.data, "data edge"),
        count(size.control, "control edge"),
    ]
    if size.back_edges:
        parts.append(count(size.back_edges, "loop edge"))
    if size.functions:
        parts.append(count(size.functions, "function"))
    lines = [f"graph: {', '.join(parts)}"]
    return [*lines, *signature_lines(artifact)]


def _variable_line(variables: Sequence[Variable]) -> str:
    roles = Counter(map(attrgetter("role"), variables))
    total = sum(filter(None, map(attrgetter("bytes"), variables)))
    told = ", ".join(f"{number:,} {role}" for role, number in roles.most_common())
    size = f"; {size_text(total)}" if total else ""
    return count(len(variables), "variable") + (f" ({told}){size}" if told else "")


def _scope_lines(variables: Sequence[Variable]) -> list[str]:
    weights = [v.name.partition("/") for v in variables if v.role == "weight"]
    scopes = Counter([head for head, slash, _ in weights if slash])
    if not scopes:
        return []
    shown = [f"{escape(name)}/ ({number:,})" for name, number in scopes.most_common()[:MAX_SCOPES]]
    more = [f"and {len(scopes) - MAX_SCOPES} more"] if len(scopes) > MAX_SCOPES else []
    return [f"scopes: {', '.join([*shown, *more])}"]


def _variable_json(v: Variable) -> dict[str, Any]:
    return {
        "name": v.name,
        "shape": shape_json(v.shape),
        "dtype": v.dtype,
        "role": v.role,
        "slot_of": v.slot_of,
        "slot": v.slot,
        "checkpoint_key": v.checkpoint_key,
        "bytes": v.bytes,
        "basis": v.basis,
    }


def _stats_json(name: str, stats: Mapping[str, Stats]) -> dict[str, Any]:
    if name not in stats:
        return {}
    from graphmap.cli.stats_views import stats_json

    return stats_json(stats[name])


def _optimizers_json(artifact: Artifact) -> list[dict[str, Any]]:
    if not artifact.optimizers:
        return []
    from graphmap.cli.optimizer_views import optimizers_json

    return optimizers_json(artifact)

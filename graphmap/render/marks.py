"""What a comparison says of nodes and variables: the colours and words of a drawn difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from graphmap.model.graph import GraphModel
from graphmap.model.variable import Variable
from graphmap.render.scene import Kind, Row
from graphmap.render.theme import KIND_WORDS

__all__ = ["Mark", "Marks", "mark_row", "marked_nodes", "words_of", "worst"]

# Of several states of what one row stands for, the row tells the first.
_WORST: tuple[Kind, ...] = (
    "dropped", "added", "changed", "renamed", "unmatched", "ambiguous", "unused", "matched", "same",
)  # fmt: skip


_SPELLED = 2  # remarks of one row


class Mark(NamedTuple):
    """kind: dropped, added, changed, renamed or same. what: what has changed, or the other name."""

    kind: Kind
    what: str = ""


class Marks(NamedTuple):
    """By name; names that are in neither were not compared. training: of the train ops."""

    nodes: Mapping[str, Mark]
    variables: Mapping[str, Mark]
    training: Mark | None = None


def worst(found: Iterable[Kind]) -> Kind | None:
    """Return the state that a row tells of several."""
    kinds = set(found)
    return next((kind for kind in _WORST if kind in kinds), None)


def marked_nodes(
    graph: GraphModel, variables: tuple[Variable, ...], marks: Marks
) -> tuple[dict[int, Kind], dict[int, str]]:
    """Return {position: state} and {position: what}; a variable's node stands for its value too."""
    found: dict[int, Mark] = {}
    for name, mark in marks.nodes.items():
        position = graph.index.get(name)
        if position is not None:
            found[position] = mark
    for variable in variables:
        of_value = marks.variables.get(variable.name)
        for node in [part.node for part in variable.parts] or [variable.node or variable.name]:
            position = graph.index.get(node)
            if position is not None and of_value is not None and of_value.kind != "same":
                found[position] = of_value
            elif position is not None and of_value is not None:
                found.setdefault(position, of_value)
    kinds = {position: mark.kind for position, mark in found.items()}
    return kinds, {position: mark.what for position, mark in found.items() if mark.what}


def words_of(kind: Kind, remarks: Iterable[str]) -> str:
    """Return the state in words, with what has changed where it is little: "" for the same.

    >>> words_of("changed", ["value", "value"]), words_of("changed", ["value", "shape", "dtype"])
    ('changed: value', 'changed')
    """
    if kind == "same":
        return ""
    told = list(dict.fromkeys(remarks))
    told = [one for one in told if one != "inputs"] or told  # who feeds it matters least
    what = ", ".join(told) if len(told) <= _SPELLED and all(told) else ""
    return f"{KIND_WORDS[kind]}: {what}" if what else KIND_WORDS[kind]


def mark_row(mark: Mark | None) -> tuple[Row, ...]:
    """Return a row for a training lane that tells what has changed in the train ops, if any."""
    if mark is None:
        return ()
    return (Row(f"train op {KIND_WORDS[mark.kind]}", mark.what, "", "", mark.kind),)

"""What the page of a difference is told: two graphs, what differs, and who is whose counterpart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.marks import Marks
from graphmap.render.page.payload import graph_payload

__all__ = ["diff_payload"]

_MOST_ROWS = 20_000  # of one section; JSON has all
Side = tuple[StoredModel, tuple[Variable, ...], tuple[TrainOp, ...], Marks]


def diff_payload(
    title: str, facts: str, sides: Sequence[Side], rows: dict[str, list[Any]]
) -> dict[str, Any]:
    """Return the content of the page.

    rows: {section: [(state, name in A or None, name in B or None, what)]}.
    """
    return {
        "kind": "diff",
        "title": title,
        "facts": facts,
        "sides": [
            graph_payload(stored, variables, train_ops, marks=marks)
            for stored, variables, train_ops, marks in sides
        ],
        "rows": {name: all_rows[:_MOST_ROWS] for name, all_rows in rows.items()},
        "left_out": {name: max(0, len(all_rows) - _MOST_ROWS) for name, all_rows in rows.items()},
    }

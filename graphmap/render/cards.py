"""From a tree with some scopes open to cards: tables of rows, with the edges between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from graphmap.analysis.ops import PLACEHOLDER_OPS
from graphmap.model.graph import GraphModel
from graphmap.render.forward import (
    Forward,
    output_shape,
    parameter_count,
    variable_shape,
)
from graphmap.render.hierarchy import Scope
from graphmap.render.scene import Card, Edge, Frame, Kind, Row
from graphmap.render.text import count_text, shape_text

__all__ = ["Cards", "Drawing", "build_cards", "chain_of"]

_ROWS = 8  # of one card
_CHAIN = 5  # ops of a row that are spelled out
_SHORT = {"BiasAdd": "+bias", "BatchMatMulV2": "BatchMatMul", "AddV2": "Add", "ConcatV2": "Concat",
          "FusedBatchNormV2": "FusedBatchNorm", "FusedBatchNormV3": "FusedBatchNorm",
          "GatherV2": "Gather", "ResourceGather": "Gather", "RealDiv": "Div",
          "SparseSoftmaxCrossEntropyWithLogits": "SparseSoftmaxCrossEntropy",
          "SoftmaxCrossEntropyWithLogits": "SoftmaxCrossEntropy"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawing:
    """What does not change while a picture is fitted.

    same_as: ops of left-out copies. status: {variable position: status} with a name map.
    first_use: {variable position: the visible op that uses it first}.
    """

    graph: GraphModel
    forward: Forward
    root: Scope
    same_as: dict[int, int]
    status: dict[int, Kind]
    producers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    consumers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    first_use: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        consumers: dict[int, list[int]] = {}
        for op in self.forward.ops:
            for weight in self.forward.weights[op]:
                self.first_use.setdefault(weight, op)
            if op in self.same_as:
                continue
            taken = dict.fromkeys(self.same_as.get(p, p) for p in self.forward.producers[op])
            taken.pop(op, None)
            self.producers[op] = tuple(taken)
            for producer in taken:
                consumers.setdefault(producer, []).append(op)
        for op, users in consumers.items():
            self.consumers[op] = tuple(users)


@dataclass(frozen=True, slots=True)
class Cards:
    """card_of: {visible op: card id}."""

    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    edges: tuple[Edge, ...]
    card_of: dict[int, str]


@dataclass(slots=True)
class _Unit:
    """A closed scope, or loose ops that are drawn as one."""

    ops: list[int]
    frame: str
    scope: Scope | None = None
    times: int = 1
    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)


def build_cards(drawing: Drawing, opened: Collection[str]) -> Cards:
    """Return the cards when exactly the scopes of `opened` are drawn as frames."""
    units, frames = _units(drawing, opened)
    _connect(drawing, units)
    _merge_alike(drawing, units)
    chains = _chains(drawing, units)
    cards, card_of, index_of = [], {}, {}
    for number, chain in enumerate(chains):
        name = f"c{number}"
        cards.append(_card(drawing, name, [units[u] for u in chain]))
        for unit in chain:
            index_of[unit] = name
            for op in units[unit].ops:
                card_of[op] = name
    edges = dict.fromkeys(
        Edge(index_of[before], index_of[unit], "data")
        for unit in range(len(units))
        for before in sorted(units[unit].before)
        if unit in index_of and index_of[before] != index_of[unit]
    )
    for copy, drawn in drawing.same_as.items():
        if drawn in card_of:
            card_of[copy] = card_of[drawn]
    return _drop_lonely_frames(Cards(tuple(cards), tuple(frames), tuple(edges), card_of))


def _units(drawing: Drawing, opened: Collection[str]) -> tuple[list[_Unit], list[Frame]]:
    units: list[_Unit] = []
    frames: list[Frame] = []
    stack: list[tuple[Scope, str]] = [(drawing.root, "")]
    while stack:
        scope, parent = stack.pop()
        if scope.parent is not None and scope.path not in opened:
            units.append(_Unit(scope.all_ops(), parent, scope, scope.times))
            continue
        name = parent
        if scope.parent is not None:
            name = f"f{len(frames)}"
            frames.append(Frame(name, scope.title, parent, scope.times, scope.note))
        units.extend(_Unit([op], name) for op in sorted(scope.ops))
        stack.extend((child, name) for child in reversed(scope.children))
    units.sort(key=lambda unit: unit.ops[0])
    return units, frames


def _connect(drawing: Drawing, units: list[_Unit]) -> None:
    unit_of = {op: index for index, unit in enumerate(units) for op in unit.ops}
    for index, unit in enumerate(units):
        for op in unit.ops:
            for producer in drawing.producers[op]:
                other = unit_of[producer]
                if other != index:
                    unit.before.add(other)
                    units[other].after.add(index)


def _merge_alike(drawing: Drawing, units: list[_Unit]) -> None:
    """Draw loose ops of one type between the same neighbours as one, xN."""
    first: dict[object, int] = {}
    for index, unit in enumerate(units):
        if unit.scope is not None or _kind(drawing, unit.ops) != "op":
            continue
        op = drawing.graph.nodes[unit.ops[0]].op
        key = (unit.frame, op, frozenset(unit.before), frozenset(unit.after))
        other = first.setdefault(key, index)
        if other == index:
            continue
        units[other].ops.extend(unit.ops)
        units[other].times += 1
        for before in unit.before:
            units[before].after.discard(index)
        for after in unit.after:
            units[after].before.discard(index)
        unit.ops, unit.before, unit.after = [], set(), set()


def _chains(drawing: Drawing, units: list[_Unit]) -> list[list[int]]:
    """Join one-in-one-out neighbours of one frame; inputs and folded blocks stand alone."""
    kinds = [_kind(drawing, unit.ops) if unit.ops else "op" for unit in units]
    joins: dict[int, int] = {}
    for index, unit in enumerate(units):
        if len(unit.before) != 1 or unit.times > 1 or kinds[index] == "loss":
            continue
        (before,) = unit.before
        other = units[before]
        if (
            other.after == {index}
            and other.frame == unit.frame
            and other.times == 1
            and kinds[before] not in ("input", "loss")
        ):
            joins[before] = index
    starts = [i for i, unit in enumerate(units) if unit.ops and i not in set(joins.values())]
    chains = []
    for start in starts:
        chain, rows, current = [start], 1, start
        while current in joins:
            following = joins[current]
            if units[following].scope is not None or units[current].scope is not None or drawing.forward.weights[units[following].ops[0]]:
                rows += 1
            if rows > _ROWS:
                chains.append(chain)
                chain, rows = [], 1
            chain.append(following)
            current = following
        chains.append(chain)
    return chains


def _card(drawing: Drawing, name: str, units: list[_Unit]) -> Card:
    rows: list[Row] = []
    run: list[int] = []
    for unit in units:
        if unit.scope is None and unit.times == 1:
            op = unit.ops[0]
            bias = drawing.graph.nodes[op].op == "BiasAdd" or _is_small(drawing, op)
            if run and drawing.forward.weights[op] and not bias:
                rows.append(_row(drawing, run, ""))
                run = []
            run.append(op)
            continue
        if run:
            rows.append(_row(drawing, run, ""))
            run = []
        title = unit.scope.title if unit.scope else ""
        rows.append(_row(drawing, unit.ops, title))
    if run:
        rows.append(_row(drawing, run, ""))
    single = units[0]
    note = single.scope.note if single.scope is not None and len(units) == 1 else ""
    times = single.times if len(units) == 1 else 1
    return Card(name, "", tuple(rows), single.frame, times, note)


def _is_small(drawing: Drawing, op: int) -> bool:
    """Whether all variables of an op are vectors: a bias or scale belongs to the row above."""
    shapes = [variable_shape(drawing.graph, weight) for weight in drawing.forward.weights[op]]
    return all(shape is not None and len(shape) <= 1 for shape in shapes)


def _row(drawing: Drawing, ops: list[int], title: str) -> Row:
    nodes = drawing.graph.nodes
    kind = _kind(drawing, ops)
    chain = chain_of(drawing, ops)
    text = " → ".join(_short(drawing, op) for op in chain) if chain else ""
    is_alike = len(ops) > 1 and not title and len({nodes[op].op for op in ops}) == 1
    if kind == "input" and not title:
        word = "placeholder" if nodes[ops[0]].op in PLACEHOLDER_OPS else nodes[ops[0]].op
        title, text = nodes[ops[0]].name, word
    elif not title and is_alike and not chain:
        title, text = _short(drawing, ops[0]), ""
    elif not title:
        title, text = text or f"{len(ops)} ops", ""
    elif not text:
        text = _summary(drawing, ops)
    shape = shape_text(output_shape(drawing.graph, _exit(drawing, ops)))
    return Row(
        title, text, _weights(drawing, ops), "" if shape == "?" else shape,
        _status(drawing, ops) or kind, len(ops),
    )  # fmt: skip


def chain_of(drawing: Drawing, ops: list[int]) -> list[int]:
    """Return the ops in order if they are one short chain, else []."""
    if len(ops) > _CHAIN:
        return []
    inside = set(ops)
    follow = {}
    for op in ops:
        before = [p for p in drawing.producers[op] if p in inside]
        if len(before) > 1 or (before and before[0] in follow):
            return []
        if before:
            follow[before[0]] = op
    starts = [op for op in ops if op not in set(follow.values())]
    if len(starts) != 1:
        return []
    chain = starts
    while chain[-1] in follow and len(chain) <= len(ops):
        chain.append(follow[chain[-1]])
    return chain if len(chain) == len(ops) else []


def _short(drawing: Drawing, op: int) -> str:
    kind = drawing.graph.nodes[op].op
    if kind in ("Add", "AddV2") and drawing.forward.weights[op] and drawing.producers[op]:
        return "+bias"
    return _SHORT.get(kind, kind)


def _summary(drawing: Drawing, ops: list[int]) -> str:
    """Name the ops that use weights; without any, only count."""
    used = [op for op in ops if drawing.forward.weights[op] and not _is_small(drawing, op)]
    words = list(dict.fromkeys(_short(drawing, op) for op in used))
    count = f"{len(ops)} ops" if len(ops) != 1 else "1 op"
    if not words:
        return count
    more = ", …" if len(words) > 3 else ""
    return f"{count}: {', '.join(words[:3])}{more}"


def _exit(drawing: Drawing, ops: list[int]) -> int:
    """Return the last op that something outside takes, else the last op."""
    inside = set(ops)
    used = [
        op
        for op in ops
        if any(user not in inside for user in drawing.consumers.get(op, ()))
        or op in drawing.forward.losses
    ]
    return used[-1] if used else ops[-1]


def _weights(drawing: Drawing, ops: list[int]) -> str:
    weights = tuple(dict.fromkeys(w for op in ops for w in drawing.forward.weights[op]))
    if not weights:
        return ""
    inside = set(ops)
    is_shared = any(drawing.first_use[weight] not in inside for weight in weights)
    if len(weights) <= 2:
        text = " + ".join(shape_text(variable_shape(drawing.graph, w)) for w in weights)
    else:
        total = count_text(parameter_count(drawing.graph, weights))
        text = f"{len(weights)} vars, {total} params"
    return f"{text} (shared)" if is_shared else text


def _kind(drawing: Drawing, ops: list[int]) -> Kind:
    forward = drawing.forward
    if any(op in forward.losses for op in ops):
        return "loss"
    if any(forward.weights[op] for op in ops):
        return "layer"
    if any(op in forward.outputs for op in ops):
        return "output"
    if len(ops) == 1 and not forward.producers[ops[0]] and ops[0] not in forward.losses:
        return "input"
    return "op"


def _status(drawing: Drawing, ops: list[int]) -> Kind | None:
    """Return the worst status of the variables used, with a name map."""
    found = {
        drawing.status[weight]
        for op in ops
        for weight in drawing.forward.weights[op]
        if weight in drawing.status
    }
    worst: tuple[Kind, ...] = ("unmatched", "ambiguous", "unused", "matched")
    return next((kind for kind in worst if kind in found), None)


def _drop_lonely_frames(cards: Cards) -> Cards:
    """Turn a frame that holds a single card into that card's header, innermost first."""
    held = {card.id: card for card in cards.cards}
    frames = {frame.id: frame for frame in cards.frames}
    for frame in reversed(cards.frames):  # parents come first, so this is innermost first
        inside = [card for card in held.values() if card.parent == frame.id]
        if any(other.parent == frame.id for other in frames.values()) or len(inside) != 1:
            continue
        card = inside[0]
        if card.times > 1 and frame.times > 1:
            continue
        header = f"{frame.title}/{card.header}" if card.header else frame.title
        rows = card.rows
        if len(rows) == 1 and not card.header:
            row = rows[0]
            text = f"{row.title}: {row.ops}" if row.ops else row.title
            rows, header = (row._replace(title=frame.title, ops=text),), ""
        held[card.id] = Card(
            card.id, header, rows, frame.parent, max(card.times, frame.times),
            frame.note or card.note,
        )  # fmt: skip
        del frames[frame.id]
    return Cards(tuple(held.values()), tuple(frames.values()), cards.edges, cards.card_of)

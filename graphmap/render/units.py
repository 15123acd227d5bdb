"""What a card is made of: closed scopes and loose ops, joined where nothing branches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from graphmap.model.graph import GraphModel
from graphmap.render.forward import Forward
from graphmap.render.hierarchy import Scope
from graphmap.render.optable import INPUT_OPS
from graphmap.render.scene import Frame, Kind

__all__ = ["LOOSE", "Drawing", "Unit", "chain_of", "find_chains", "find_units", "kind_of"]

LOOSE = "loose ops of "  # "loose ops of a/b" among the opened: they are not united
_ROWS = 8  # of one card
_INPUTS = 8  # of one frame that are drawn one by one, where it is full
_CHAIN = 5  # ops of a row that are spelled out


@dataclass(frozen=True, slots=True)
class Drawing:
    """What does not change while a picture is fitted.

    order: visible drawn ops, producers first. same_as: ops of left-out copies.
    status: {position: state} of variables with a name map, of all that was compared with a diff.
    remarks: {position: what has changed}.
    first_use: {variable position: the visible op that uses it first}.
    """

    graph: GraphModel
    forward: Forward
    root: Scope
    same_as: dict[int, int]
    status: dict[int, Kind]
    order: tuple[int, ...]
    remarks: dict[int, str] = field(default_factory=dict)
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


@dataclass(slots=True)
class Unit:
    """A closed scope, or loose ops that are drawn as one. copies: of blocks folded within it."""

    ops: list[int]
    frame: str
    scope: Scope | None = None
    times: int = 1
    is_crowded: bool = False
    copies: list[int] = field(default_factory=list)
    last_title: str = ""
    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)


def find_units(drawing: Drawing, opened: Collection[str]) -> tuple[list[Unit], list[Frame]]:
    """Return connected units in node order, and the frames around them, parents first."""
    units, frames = _units(drawing, opened)
    units = _unite_loose(drawing, units)
    _connect(drawing, units)
    _merge_alike(drawing, units)
    return units, frames


def _units(drawing: Drawing, opened: Collection[str]) -> tuple[list[Unit], list[Frame]]:
    units: list[Unit] = []
    frames: list[Frame] = []
    stack: list[tuple[Scope, str]] = [(drawing.root, "")]
    while stack:
        scope, parent = stack.pop()
        if scope.parent is not None and scope.path not in opened:
            copies = [op for inner in scope.walk() if inner is not scope for op in inner.copies]
            crowded = LOOSE + scope.parent.path not in opened
            ops = scope.all_ops()
            units.append(Unit(ops, parent, scope, scope.times, crowded, sorted(copies)))
            continue
        name = parent
        if scope.parent is not None:
            name = f"f{len(frames)}"
            frames.append(
                Frame(name, scope.title, parent, scope.times, scope.note, scope.path, scope.kind)
            )
        crowded = LOOSE + scope.path not in opened
        units.extend(Unit([op], name, is_crowded=crowded) for op in sorted(scope.ops))
        stack.extend((child, name) for child in reversed(scope.children))
    units.sort(key=lambda unit: unit.ops[0])
    return units, frames


def _connect(drawing: Drawing, units: list[Unit]) -> None:
    unit_of = {op: index for index, unit in enumerate(units) for op in unit.ops}
    for index, unit in enumerate(units):
        for op in unit.ops:
            for producer in drawing.producers[op]:
                other = unit_of[producer]
                if other != index:
                    unit.before.add(other)
                    units[other].after.add(index)


def _merge_alike(drawing: Drawing, units: list[Unit]) -> None:
    """Draw alike units between the same neighbours as one, xN: loose ops, and in full frames
    closed scopes of the same ops without weights.
    """
    first: dict[object, int] = {}
    for index, unit in enumerate(units):
        is_wanted = len(unit.ops) == 1 if unit.scope is None else unit.is_crowded
        if not is_wanted or kind_of(drawing, unit.ops) not in ("op", "output"):
            continue
        words = tuple(drawing.graph.nodes[op].op for op in unit.ops)
        neighbours = frozenset(unit.before), frozenset(unit.after)
        other = first.setdefault((unit.frame, unit.scope is None, words, neighbours), index)
        if other != index:
            _merge(units, index, other)


def _merge(units: list[Unit], index: int, other: int) -> None:
    """Make unit `index` one more of unit `other`."""
    unit, drawn = units[index], units[other]
    if unit.scope is None:
        drawn.ops.extend(unit.ops)
    else:
        drawn.copies.extend([*unit.ops, *unit.copies])
        drawn.last_title = unit.scope.title
    drawn.times += unit.times
    for before in unit.before:
        units[before].after.discard(index)
    for after in unit.after:
        units[after].before.discard(index)
    unit.ops, unit.before, unit.after = [], set(), set()


def _unite_loose(drawing: Drawing, units: list[Unit]) -> list[Unit]:
    """Make one unit of loose ops without weights that touch or share a producer, in full frames.

    Only ops with equally many other units above them are joined, so that no circle comes of it.
    """
    if not any(unit.is_crowded for unit in units):
        return units
    unit_of = {op: index for index, unit in enumerate(units) for op in unit.ops}
    is_free = [
        unit.is_crowded and unit.scope is None and kind_of(drawing, unit.ops) in ("op", "output")
        for unit in units
    ]
    level: dict[int, int] = {}
    leader = list(range(len(units)))
    _unite_inputs(drawing, units, leader)
    below: dict[tuple[int, int, str], int] = {}  # (taken unit, level, frame): who takes from it
    for op in drawing.order:
        mine = unit_of[op]
        above = [(level[p], unit_of[p]) for p in drawing.producers[op] if p in level]
        level[op] = max(
            (height + (not is_free[other] and other != mine) for height, other in above), default=0
        )
        for height, other in above if is_free[mine] else ():
            if not is_free[other]:
                key = (_find(leader, other), level[op], units[mine].frame)
                _join(leader, mine, below.setdefault(key, mine))
            elif height == level[op] and units[other].frame == units[mine].frame:
                _join(leader, mine, other)
    united: dict[int, Unit] = {}
    for index, unit in enumerate(units):
        first = united.setdefault(_find(leader, index), unit)
        if first is not unit:
            first.ops.extend(unit.ops)
    return list(united.values())


def _unite_inputs(drawing: Drawing, units: list[Unit], leader: list[int]) -> None:
    inputs: dict[str, list[int]] = {}
    for index, unit in enumerate(units):
        if unit.is_crowded and unit.scope is None and kind_of(drawing, unit.ops) == "input":
            inputs.setdefault(unit.frame, []).append(index)
    for found in inputs.values():
        if len(found) > _INPUTS:
            for index in found[1:]:
                _join(leader, found[0], index)


def _find(leader: list[int], index: int) -> int:
    while leader[index] != index:
        leader[index] = leader[leader[index]]
        index = leader[index]
    return index


def _join(leader: list[int], one: int, other: int) -> None:
    first, second = sorted((_find(leader, one), _find(leader, other)))
    leader[second] = first


def find_chains(drawing: Drawing, units: list[Unit]) -> list[list[int]]:
    """Join one-in-one-out neighbours of one frame; inputs and folded blocks stand alone."""
    joins = _joins(drawing, units)
    followers = set(joins.values())
    chains = []
    for start, unit in enumerate(units):
        if not unit.ops or start in followers:
            continue
        chain, rows = [start], 1
        while chain[-1] in joins:
            following = joins[chain[-1]]
            rows += (
                units[following].scope is not None
                or units[chain[-1]].scope is not None
                or bool(drawing.forward.weights[units[following].ops[0]])
            )
            if rows > _ROWS:
                chains.append(chain)
                chain, rows = [], 1
            chain.append(following)
        chains.append(chain)
    return chains


def _joins(drawing: Drawing, units: list[Unit]) -> dict[int, int]:
    """Return {unit: the only unit that follows it} where both can stand in one card."""
    kinds = [kind_of(drawing, unit.ops) if unit.ops else "op" for unit in units]
    joins: dict[int, int] = {}
    for index, unit in enumerate(units):
        if len(unit.before) != 1 or unit.times > 1 or kinds[index] == "loss":
            continue
        (before,) = unit.before
        other = units[before]
        if (
            other.after == {index}
            and other.before != {index}
            and other.frame == unit.frame
            and other.times == 1
            and kinds[before] not in ("input", "loss")
        ):
            joins[before] = index
    return joins


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


def kind_of(drawing: Drawing, ops: list[int]) -> Kind:
    """Return what a row of these ops is called in the legend, without a name map."""
    forward = drawing.forward
    if any(op in forward.losses for op in ops):
        return "loss"
    if any(forward.weights[op] for op in ops):
        return "layer"
    if any(op in forward.outputs for op in ops):
        return "output"
    if all(drawing.graph.nodes[op].op in INPUT_OPS for op in ops):
        return "input"
    return "op"

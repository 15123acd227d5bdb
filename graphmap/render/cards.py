"""From a tree with some scopes open to cards: tables of rows, with the edges between them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graphmap.analysis.functions import calls_of
from graphmap.analysis.ops import PLACEHOLDER_OPS
from graphmap.model.graph import AttrValue, GraphModel
from graphmap.render.forward import (
    is_loop_state,
    output_shape,
    parameter_count,
    variable_shape,
)
from graphmap.render.inlining import RETURN
from graphmap.render.marks import words_of, worst
from graphmap.render.measure import TITLE_LIMIT
from graphmap.render.scene import Card, Edge, Frame, Kind, Row
from graphmap.render.text import count_text, shape_text, text_width
from graphmap.render.theme import TITLE_SIZE
from graphmap.render.units import Drawing, Unit, chain_of, find_chains, find_units, kind_of

__all__ = ["Cards", "build_cards"]

_CONTROL = {"While": "loop", "StatelessWhile": "loop", "If": "condition",
            "StatelessIf": "condition", "Case": "condition", "StatelessCase": "condition",
            "PartitionedCall": "function", "StatefulPartitionedCall": "function"}  # fmt: skip
# Names that operators of Python give: `a / b` is "truediv" or "div_no_nan", `-a` is "Neg".
_OVERLOADED = frozenset(
    {"truediv", "div", "floordiv", "mod", "sub", "add", "mul", "pow", "neg", "matmul", "concat",
     "stridedslice", "embeddinglookup", "gather", "read", "cond", "while", "range", "loop",
     "convolution", "squareddifference", "moments", "dropout", "lookup", "zerosshape"}
)  # fmt: skip
_SPELLED = 3  # ops named of a chain that is too long for its line
_SHORT = {"BiasAdd": "+bias", "BatchMatMulV2": "BatchMatMul", "AddV2": "Add", "ConcatV2": "Concat",
          "FusedBatchNormV2": "FusedBatchNorm", "FusedBatchNormV3": "FusedBatchNorm",
          "GatherV2": "Gather", "ResourceGather": "Gather", "RealDiv": "Div",
          "SparseSoftmaxCrossEntropyWithLogits": "SparseSoftmaxCrossEntropy",
          "SoftmaxCrossEntropyWithLogits": "SoftmaxCrossEntropy"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cards:
    """card_of: {visible op: card id}."""

    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    edges: tuple[Edge, ...]
    card_of: dict[int, str]


def build_cards(drawing: Drawing, opened: Collection[str]) -> Cards:
    """Return the cards when exactly the scopes of `opened` are drawn as frames."""
    units, frames = find_units(drawing, opened)
    chains = find_chains(drawing, units)
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


def _card(drawing: Drawing, name: str, units: list[Unit]) -> Card:
    rows: list[Row] = []
    run: list[int] = []
    is_framed = bool(units[0].frame)
    for unit in units:
        if unit.scope is None and len(unit.ops) == 1:
            op = unit.ops[0]
            bias = drawing.graph.nodes[op].op == "BiasAdd" or _is_small(drawing, op)
            if run and drawing.forward.weights[op] and not bias:
                rows.append(_row(drawing, run, "", is_framed))
                run = []
            run.append(op)
            continue
        if run:
            rows.append(_row(drawing, run, "", is_framed))
            run = []
        title = unit.scope.title if unit.scope else ""
        if unit.last_title:
            title = f"{title} … {unit.last_title}"
        rows.append(_row(drawing, unit.ops, title, is_framed, unit.copies))
    if run:
        rows.append(_row(drawing, run, "", is_framed))
    single = units[0]
    note = single.scope.note if single.scope is not None and len(units) == 1 else ""
    times = single.times if len(units) == 1 else 1
    return Card(name, "", tuple(rows), single.frame, times, note)


def _is_small(drawing: Drawing, op: int) -> bool:
    """Whether all variables of an op are vectors: a bias or scale belongs to the row above."""
    shapes = [variable_shape(drawing.graph, weight) for weight in drawing.forward.weights[op]]
    return all(shape is not None and len(shape) <= 1 for shape in shapes)


def _row(
    drawing: Drawing, drawn: list[int], title: str, is_framed: bool, copies: Sequence[int] = ()
) -> Row:
    ops = [*drawn, *copies]
    nodes = drawing.graph.nodes
    kind = kind_of(drawing, ops)
    chain = [] if copies else chain_of(drawing, drawn)
    words = [_short(drawing, op) for op in chain]
    text = " → ".join(words)
    if len(words) > _SPELLED and text_width(text, TITLE_SIZE, bold=True) > TITLE_LIMIT:
        text = " → ".join([*words[: _SPELLED - 1], "…", words[-1]])
    is_alike = len(ops) > 1 and not title and len({nodes[op].op for op in ops}) == 1
    if kind == "input" and not title and len(ops) > 1:
        names = [nodes[op].name for op in ops]
        title, text = f"{len(ops)} inputs", ", ".join(names[:3]) + ", …"
    elif kind == "input" and not title:
        op = nodes[ops[0]].op
        word = "placeholder" if op in PLACEHOLDER_OPS else f"from a {_source_word(op)}"
        title, text = nodes[ops[0]].name, word
        title = title.rpartition("/")[2] if is_framed else title
    elif not title and nodes[ops[-1]].op == RETURN and len(ops) == 1:
        attrs = nodes[ops[-1]].attrs
        title = f"outputs of {_words(attrs, 'signature')}" if "signature" in attrs else "outputs"
        text = f"same function as {_words(attrs, 'same_as')}" if "same_as" in attrs else ""
    elif not title and is_alike and not chain:
        title, text = _short(drawing, ops[0]), ""
    elif not title:
        last = nodes[ops[-1]]
        own = _own_name(last.name, last.op) if chain else ""
        title, text = (own, text) if own else (text or f"{len(ops)} ops", "")
    elif not text:
        text = _summary(drawing, ops)
    elif len(chain) == 1 and title.startswith(nodes[chain[0]].op):
        title, text = text, ""  # a scope that its op gave its name
    if kind == "loss" and "loss" not in title.lower():
        title = f"loss: {title}"
    shape = shape_text(output_shape(drawing.graph, _exit(drawing, drawn)))
    weights = _weights(drawing, ops)
    status, told = _status(drawing, ops)
    if told:  # said in words too: colour alone tells not everybody
        weights = " · ".join(filter(None, (weights, told)))
    return Row(
        title, text, weights, "" if shape == "?" else shape, status or kind, len(ops)
    )  # fmt: skip


def _short(drawing: Drawing, op: int) -> str:
    kind = drawing.graph.nodes[op].op
    if is_loop_state(drawing.graph, op):
        return "loop state"
    if kind in ("Merge", "RefMerge"):
        return "either branch"
    if kind in _CONTROL:
        return f"{_CONTROL[kind]} ({_body_size(drawing.graph, op)} ops)"
    if kind == RETURN:
        return "outputs"
    forward = drawing.forward
    is_bias = forward.weights[op] and forward.producers[op] and _is_small(drawing, op)
    if kind in ("Add", "AddV2") and is_bias:
        return "+bias"
    return _SHORT.get(kind, kind)


def _body_size(graph: GraphModel, op: int) -> int:
    """Return how many ops the functions have that a node calls."""
    calls = {name for name, _ in calls_of(graph.nodes[op], graph)}
    bodies = graph.function_index
    return sum(len(bodies[name].nodes) for name in calls if name in bodies)


def _own_name(name: str, op: str) -> str:
    """Return the last part of an op's name where somebody chose it, else "".

    >>> _own_name("net/accuracy", "Mean"), _own_name("net/Mean_1", "Mean")
    ('accuracy', '')
    """
    last = name.rpartition("/")[2]
    plain = re.sub(r"_?\d*$", "", last).replace("_", "").lower()
    kind = op.lower()
    is_default = not plain or kind.startswith(plain) or plain.startswith(kind)
    return "" if is_default or plain in _OVERLOADED else last


def _words(attrs: Mapping[str, AttrValue], key: str) -> str:
    value = attrs[key]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _source_word(op: str) -> str:
    return "queue" if "Queue" in op or op == "Unstage" else "data iterator"


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


def _status(drawing: Drawing, ops: list[int]) -> tuple[Kind | None, str]:
    """Return the worst state of ops and their variables, and its words; with a map or a diff."""
    held = dict.fromkeys(n for op in ops for n in (op, *drawing.forward.weights[op]))
    states = {position: drawing.status[position] for position in held if position in drawing.status}
    kind = worst(states.values())
    if kind is None:
        return None, ""
    remarks = [drawing.remarks.get(at, "") for at, state in states.items() if state == kind]
    return kind, words_of(kind, remarks)


def _drop_lonely_frames(cards: Cards) -> Cards:
    """Turn a frame that holds a single card into that card's header, innermost first."""
    held = {card.id: card for card in cards.cards}
    frames = {frame.id: frame for frame in cards.frames}
    inside: dict[str, list[str]] = {}
    for parent, name in [
        *((card.parent, card.id) for card in cards.cards),
        *((frame.parent, frame.id) for frame in cards.frames),
    ]:
        inside.setdefault(parent, []).append(name)
    for frame in reversed(cards.frames):  # parents come first, so this is innermost first
        names = inside.get(frame.id, [])
        if len(names) != 1 or names[0] not in held:
            continue
        card = held[names[0]]
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
        inside[frame.parent] = [card.id if n == frame.id else n for n in inside[frame.parent]]
    return Cards(tuple(held.values()), tuple(frames.values()), cards.edges, cards.card_of)

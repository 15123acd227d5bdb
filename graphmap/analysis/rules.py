"""Update rules written in plain ops, recognised by their dataflow.

Sparse Adam of TF1 is one of them: it has no fused op. Others: BERT's AdamWeightDecayOptimizer,
LAMB, sparse gradient descent, momentum by hand. What is none of these is "custom".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from graphmap.analysis.gradients import gradient_scope_of
from graphmap.analysis.ops import ASSIGN_OPS, STATE_OPS, is_write
from graphmap.analysis.schedules import describe
from graphmap.analysis.slot_names import slot_word
from graphmap.analysis.terms import (
    Term,
    TermReader,
    factor_of,
    has_own_factor,
    is_square,
    shape_of,
)
from graphmap.analysis.updates import Training
from graphmap.analysis.values import (
    Frame,
    Value,
    inputs_of,
    node_of,
    number,
    operand,
    operands,
    resolve,
    root_variable,
)

__all__ = ["Rule", "describe_rule", "find_clip_norm"]

_ADD = frozenset({"Add", "AddV2"})
_DIV = frozenset({"RealDiv", "Div"})
_SELECT = frozenset({"Select", "SelectV2"})
_NEAR_LIMIT = 300  # ops of one hand-written update


class Rule(NamedTuple):
    """What one plain write does to its variable."""

    kind: str
    hyperparameters: dict[str, Any]
    non_slots: dict[str, str]
    slots: dict[str, str]
    is_sparse: bool


def describe_rule(training: Training, frame: Frame, node: int, variable: int) -> Rule | None:
    """Return the rule by which a plain write updates `variable`; None if it takes no gradient."""
    reader = TermReader(training, variable)
    write = Value(frame, node)
    delta = _delta(reader, write)
    if delta is None:
        return None
    sparse = "Scatter" in node_of(write).op
    if frame.caller is None and not reader.reads_state(delta):
        rate = _plain_rate(reader, delta)
        if rate is None:
            near = _state_near(reader, write)
            return Rule(
                "custom", {}, {}, _words([training.graph.nodes[at].name for at in near]), sparse
            )
        return Rule("GradientDescent", {"learning_rate": rate}, {}, {}, sparse)
    term = reader.term(delta)
    slots = {
        part.variable: _slot(reader, frame, part.variable)
        for part in term.parts()
        if part.kind == "variable" and reader.is_slot(part.variable)
    }
    sparse = sparse or any(slot.is_sparse for slot in slots.values())
    linear = [at for at, slot in slots.items() if not slot.is_squared]
    squared = [at for at, slot in slots.items() if slot.is_squared]
    name = {at: training.graph.nodes[at].name for at in slots}
    if len(linear) == 1 and len(squared) == 1:
        m, v = linear[0], squared[0]
        pair = {"m": name[m], "v": name[v]}
        rule = _adam(reader, term, (slots[m].decay, slots[v].decay), pair, sparse)
        return rule or _custom(reader, term, list(name.values()), sparse)
    if len(linear) == 1 and not squared and slots[linear[0]].is_heavy_ball:
        told = {"learning_rate": _describe(factor_of(term)), "momentum": slots[linear[0]].decay}
        return Rule("Momentum", told, {}, {"momentum": name[linear[0]]}, sparse)
    return _custom(reader, term, list(name.values()), sparse)


def _custom(reader: TermReader, term: Term, names: list[str], is_sparse: bool) -> Rule:
    """Return a rule that is none of the known, with the state that it reads."""
    words = _words(names)
    rate = _describe(factor_of(term))
    if rate is None:
        leaves = (part for part in term.parts() if part.kind == "gradient")
        rate = next((r for leaf in leaves if (r := _plain_rate(reader, leaf.value))), None)
    return Rule("custom", {} if rate is None else {"learning_rate": rate}, {}, words, is_sparse)


def _words(names: list[str]) -> dict[str, str]:
    words: dict[str, str] = {}
    for name in names:
        word = slot_word(name.rpartition("/")[2], (), name)
        words[word if word not in words else f"{word}_{len(words)}"] = name
    return words


def _state_near(reader: TermReader, write: Value) -> list[int]:
    """Return the variables of equal shape that a write reads and the forward pass does not.

    The last weights of a heavy ball are such state: no gradient is ever written into them.
    """
    training, graph = reader.training, reader.training.graph
    found = {source.node: None for source in inputs_of(write)[1:]}
    for position in (queue := list(found)):
        if len(queue) > _NEAR_LIMIT or graph.nodes[position].op in STATE_OPS:
            continue
        if gradient_scope_of(graph.nodes[position].name, training.scopes) is not None:
            continue
        for source, _ in graph.topology.inputs[position]:
            if source >= 0 and source not in found:
                found[source] = None
                queue.append(source)
    return [
        at
        for at in queue
        if graph.nodes[at].op in STATE_OPS
        and at not in training.forward_variables
        and shape_of(training, at) == reader.shape
    ]


class _Slot(NamedTuple):
    """How a slot of a plain rule moves: s <- decay * s + g, or with g squared."""

    decay: Any
    is_squared: bool
    is_sparse: bool
    is_heavy_ball: bool


def _delta(reader: TermReader, write: Value) -> Value | None:
    """Return what is subtracted from, or added to, the variable."""
    sources = inputs_of(write)
    if len(sources) < 2:
        return None
    value = sources[-1]
    if node_of(write).op not in ASSIGN_OPS:
        return value
    total = resolve(value)
    operands = inputs_of(total)
    if node_of(total).op in _ADD | {"Sub"} and len(operands) == 2:
        for own, other in (operands, operands[::-1]):
            if reader.variable_of(own) == reader.variable:
                return other
    return value


def _plain_rate(reader: TermReader, delta: Value) -> Any:
    """Return the factor of a gradient that is subtracted as it is; None if there is none."""
    value = resolve(delta)
    negated = operand(value, 0) if node_of(value).op == "Neg" else None
    value = value if negated is None else resolve(negated)
    if node_of(value).op != "Mul":
        return None
    for source in inputs_of(value):
        if source.frame.caller is None and not reader.training.tainted[source.node]:
            return describe(source)
    return None


def _slot(reader: TermReader, frame: Frame, slot: int) -> _Slot:
    writes = _writes_to(reader, frame, slot)
    terms = [reader.term(sources[-1]) for write in writes if (sources := inputs_of(write))]
    decay = None
    heavy_ball = False
    for term in terms:
        for part in term.parts():
            if part.kind == "Mul" and any(o.variable == slot for o in part.operands):
                decay = next((o.number for o in part.operands if o.kind == "number"), decay)
        addends = [o for o in term.operands if o.kind == "gradient"]
        heavy_ball = heavy_ball or (
            term.kind in _ADD
            and bool(addends)
            and not any(has_own_factor(addend) for addend in addends)
        )
    return _Slot(
        decay,
        any(is_square(part) for term in terms for part in term.parts()),
        any("Scatter" in node_of(write).op for write in writes),
        heavy_ball,
    )


def _writes_to(reader: TermReader, frame: Frame, slot: int) -> list[Value]:
    training = reader.training
    if frame.caller is None:
        return [
            Value(frame, at)
            for at in training.writes.by_variable.get(slot, ())
            if training.tainted[at]
            and is_write(training.graph.nodes[at].op)
            and reader.training.takes_gradient(at)
        ]
    return [
        Value(frame, at)
        for at, node in enumerate(frame.graph.nodes)
        if is_write(node.op) and root_variable(operand(Value(frame, at), 0)) == slot
    ]


def _describe(term: Term | None) -> Any:
    return None if term is None else describe(term.value)


def _adam(
    reader: TermReader,
    term: Term,
    decays: tuple[Any, Any],
    slots: dict[str, str],
    is_sparse: bool,
) -> Rule | None:
    """Tell Adam with bias correction, AdamWeightDecay and LAMB apart; both slots are known."""
    parts = list(term.parts())
    epsilon = next((n for part in parts if (n := _epsilon(part)) is not None), None)
    if None in decays or epsilon is None:
        return None
    rate = factor_of(term)
    corrected = _corrected_rate(reader, rate) if rate is not None else None
    if corrected is not None:
        told = {"learning_rate": corrected[0], "beta1": decays[0], "beta2": decays[1]}
        return Rule("Adam", {**told, "epsilon": epsilon}, corrected[1], slots, is_sparse)
    decay = next((n for part in parts if (n := _weight_decay(reader, part)) is not None), 0.0)
    told = {
        "learning_rate": _describe(rate), "beta_1": decays[0], "beta_2": decays[1],
        "epsilon": epsilon, "weight_decay_rate": decay,
    }  # fmt: skip
    kind = "LAMB" if any(part.kind in _SELECT for part in parts) else "AdamWeightDecay"
    return Rule(kind, told, {}, slots, is_sparse)


def _epsilon(part: Term) -> float | int | bool | None:
    if part.kind not in _ADD or not any(o.kind == "Sqrt" for o in part.operands):
        return None
    return next((o.number for o in part.operands if o.kind == "number"), None)


def _weight_decay(reader: TermReader, part: Term) -> float | int | bool | None:
    if part.kind == "scalar" and node_of(part.value).op == "Mul":
        sources = inputs_of(part.value)
        if any(reader.variable_of(source) == reader.variable for source in sources):
            return next((n for s in sources if (n := number(s)) is not None), None)
    return None


def _corrected_rate(reader: TermReader, rate: Term) -> tuple[Any, dict[str, str]] | None:
    """Take lr * sqrt(1 - beta2_power) / (1 - beta1_power) apart, as AdamOptimizer writes it."""
    quotient = operands(resolve(rate.value), _DIV)
    product = operands(quotient[0], {"Mul"}) if quotient is not None else None
    rest = operands(quotient[1], {"Sub"}) if quotient is not None else None
    if product is None or rest is None:
        return None
    powers = {"beta1_power": root_variable(rest[1])}
    rate_value = None
    for source in product:
        root = operand(source, 0) if node_of(source).op == "Sqrt" else None
        if root is None:
            rate_value = describe(source)
            continue
        inner = operands(resolve(root), {"Sub"})
        powers["beta2_power"] = root_variable(inner[1]) if inner is not None else -1
    nodes = reader.training.graph.nodes
    named = {word: nodes[at].name for word, at in powers.items() if at >= 0}
    return None if rate_value is None else (rate_value, named)


def find_clip_norm(training: Training) -> dict[str, Any]:
    """Return the norm that clip_by_global_norm scales to: clip * min(1 / norm, 1 / clip)."""
    graph = training.graph
    found: set[float | int | bool] = set()
    for position, node in enumerate(graph.nodes):
        if node.op != "Minimum" or not training.tainted[position]:
            continue
        for consumer, _ in graph.topology.consumers[position]:
            if graph.nodes[consumer].op == "Mul":
                sources = inputs_of(Value(Frame(graph), consumer))
                found.update(n for s in sources if (n := number(s)) is not None)
    return {"clip_norm": found.pop()} if len(found) == 1 else {}

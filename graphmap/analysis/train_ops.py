"""The train ops of a graph: what to run, what to feed, and what it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphmap.analysis.gradients import Seed
from graphmap.analysis.inner_training import inner_losses
from graphmap.analysis.ops import ASSIGN_OPS, ITERATOR_OPS, QUEUE_OPS, STATE_OPS, VARIABLE_OPS
from graphmap.analysis.optimizers import find_optimizers
from graphmap.analysis.updates import Training, find_training, upstream
from graphmap.analysis.values import Frame, Value, inputs_of, node_of, number, resolve
from graphmap.model.graph import GraphModel, Node, ShapeValue
from graphmap.model.stored import StoredModel
from graphmap.model.training import Feed, OptimizerSpec, TrainOp

__all__ = ["Specs", "advances", "find_specs", "find_train_ops", "is_counter", "train_op_of"]

_INTEGERS = frozenset({"int32", "int64", "uint32", "uint64", "int16"})
_INCREMENTS = frozenset({"AssignAdd", "AssignAddVariableOp", "CountUpTo", "ResourceCountUpTo"})
_RANDOM_PREFIX = ("RandomUniform", "RandomStandardNormal", "RandomGamma", "RandomPoisson",
                  "RandomShuffle", "Multinomial", "TruncatedNormal", "Parameterized")  # fmt: skip
# Before this producer a Placeholder's shape () also meant "not known" (array_ops.cc, TF 1.1).
_SHAPE_TOLD_SINCE = 24
_ACCUMULATORS = frozenset({"ConditionalAccumulator", "SparseConditionalAccumulator"})
_SEED_LIMIT = 64  # differentiated tensors that are compared with each other
_WORK = 2_000_000  # nodes behind train ops that are walked through, each counted once a train op
_TOO_MANY = "not looked into: the graph has too many train ops that share too many nodes"
_SIGNATURE = "__saved_model_train_op"


Specs = tuple[Training, tuple[TrainOp, ...]]


def find_train_ops(stored: StoredModel) -> tuple[TrainOp, ...]:
    """Return every train op of the stored graph, in creation order; () without a graph."""
    return () if stored.graph is None else find_specs(stored, stored.graph)[1]


def find_specs(stored: StoredModel, graph: GraphModel) -> Specs:
    """Return what the graph says about training, and its train ops."""
    trainable = _trainable(stored)
    training = find_training(graph, kept=_kept(stored), trainable=trainable)
    left, found = _WORK, []
    for position in training.train_ops:
        cone = upstream(graph, [position]) if left > 0 else {}
        left -= len(cone)
        found.append(
            train_op_of(training, position, cone, stored, trainable)
            if cone
            else TrainOp(graph.nodes[position].name, None, None, (), (), (), (_TOO_MANY,))
        )
    return training, tuple(found)


def train_op_of(
    training: Training,
    position: int,
    cone: Mapping[int, None],
    stored: StoredModel,
    trainable: frozenset[str],
) -> TrainOp:
    """Describe one train op. cone: all that it depends on."""
    graph = training.graph
    updates = [at for at in training.updates if at in cone]
    losses = _losses(training, updates)
    if not losses:
        losses = [loss for at in updates for loss in inner_losses(graph, at)]
    optimizers = find_optimizers(training, updates, trainable)
    step = _global_step(training, position, cone, stored)
    return TrainOp(
        name=graph.nodes[position].name,
        loss=losses[0] if losses else None,
        global_step=step,
        feeds=_feeds(graph, cone),
        inputs=_inputs(graph, cone),
        optimizers=optimizers,
        unrecovered=tuple(_unrecovered(graph, cone, optimizers, losses)),
    )


def _kept(stored: StoredModel) -> frozenset[str]:
    """Return the op names that collections and signatures speak of."""
    meta = stored.meta
    names = [name for entries in meta.node_lists.values() for name in entries]
    signature = meta.signatures.get(_SIGNATURE)
    if signature is not None:
        names += [info.tensor for info in signature.outputs.values()]
    return frozenset(name.removeprefix("^").partition(":")[0] for name in names)


def _trainable(stored: StoredModel) -> frozenset[str]:
    meta = stored.meta
    names = [entry.name for entry in meta.variables.get("trainable_variables", ())]
    names += [n.partition(":")[0] for n in meta.node_lists.get("trainable_variables", ())]
    return frozenset(names)


def _losses(training: Training, updates: Iterable[int]) -> list[str]:
    """Return the tensors whose gradients these updates take, without those only differentiated
    on the way to another one (a gradient penalty)."""
    seeds = _seeds_behind(training, updates)
    known = [seed for seed in seeds if seed.y is not None]
    if 1 < len(known) <= _SEED_LIMIT:
        cones = {seed: upstream(training.graph, [seed.y.node], controls=False)
                 for seed in known if seed.y is not None}  # fmt: skip
        outer = [
            seed for seed in known
            if not any(seed.node in cone for other, cone in cones.items() if other != seed)
        ]  # fmt: skip
        known = outer or known
    nodes = training.graph.nodes
    found = [f"{nodes[seed.y.node].name}:{seed.y.output}" for seed in known if seed.y is not None]
    return list(dict.fromkeys(found))


def _seeds_behind(training: Training, updates: Iterable[int]) -> list[Seed]:
    """Walk back from updates over what depends on gradients, also through accumulators."""
    graph, tainted = training.graph, training.tainted
    by_node = {seed.node: seed for call in training.calls for seed in call.seeds}
    seen: set[int] = set(updates)
    stack = list(seen)
    found: set[int] = set()
    while stack:
        position = stack.pop()
        if position in by_node:
            found.add(position)
            continue
        sources = [producer for producer, _ in graph.topology.inputs[position]]
        if graph.nodes[position].op in STATE_OPS and not sources:
            sources = [
                at for at in training.writes.by_variable.get(position, ())
                if training.takes_gradient(at)
            ]  # fmt: skip
        for producer in sources:
            if producer >= 0 and tainted[producer] and producer not in seen:
                seen.add(producer)
                stack.append(producer)
    return [seed for at, seed in by_node.items() if at in found]


def _global_step(
    training: Training, position: int, cone: Mapping[int, None], stored: StoredModel
) -> str | None:
    """Return the step variable that this train op advances."""
    graph, writes = training.graph, training.writes
    written: dict[int, int] = {}
    for at in cone:
        write = writes.by_node.get(at)
        for variable in write.variables if write is not None else ():
            if is_counter(graph.nodes[variable]):
                written.setdefault(variable, at)
    listed = stored.meta.node_lists.get("global_step", ())
    named = [entry.name for entry in stored.meta.variables.get("global_step", ())]
    official = {name.partition(":")[0] for name in (*listed, *named)}

    def rank(variable: int) -> tuple[bool, bool, bool, int]:
        name, at = graph.nodes[variable].name, written[variable]
        return (
            name not in official,
            name.rpartition("/")[2] not in {"global_step", "iter", "iterations"},
            at != position,
            variable,
        )

    steps = [v for v in written if graph.nodes[v].name in official or advances(graph, written[v])]
    return graph.nodes[min(steps, key=rank)].name if steps else None


def _random_note(node: Node) -> str:
    """What can't be gone on with in a random op; "" for other ops."""
    if not node.op.startswith(_RANDOM_PREFIX):
        return ""
    if node.attrs.get("seed") or node.attrs.get("seed2"):
        return f"{node.name} draws random numbers, and no file holds where its generator stood"
    return f"{node.name} draws random numbers without a seed"


def is_counter(variable: Node) -> bool:
    """Whether a node is an integer scalar variable."""
    if variable.op not in VARIABLE_OPS or variable.attrs.get("dtype") not in _INTEGERS:
        return False
    shape = variable.attrs.get("shape")
    return not isinstance(shape, ShapeValue) or shape.dims in ((), None)


def advances(graph: GraphModel, write: int) -> bool:
    """Whether a write counts up by one: AssignAdd(step, 1), or Assign(step, step + 1)."""
    value = Value(Frame(graph), write)
    sources = inputs_of(value)
    op = graph.nodes[write].op
    if op in _INCREMENTS:
        return len(sources) < 2 or number(sources[1]) == 1
    if op in ASSIGN_OPS and len(sources) == 2:
        total = resolve(sources[1])
        return node_of(total).op in {"Add", "AddV2"} and 1 in map(number, inputs_of(total))
    return op not in ASSIGN_OPS  # in a function body


def _feeds(graph: GraphModel, cone: Iterable[int]) -> tuple[Feed, ...]:
    found = []
    for position in sorted(cone):
        node = graph.nodes[position]
        if node.op in {"Placeholder", "PlaceholderV2"}:
            shape, dtype = node.attrs.get("shape"), node.attrs.get("dtype")
            dims = shape.dims if isinstance(shape, ShapeValue) else None
            if dims == () and graph.producer < _SHAPE_TOLD_SINCE:
                dims = None
            found.append(Feed(f"{node.name}:0", dtype if isinstance(dtype, str) else "", dims))
    return tuple(found)


def _inputs(graph: GraphModel, cone: Iterable[int]) -> tuple[str, ...]:
    sources = ITERATOR_OPS | QUEUE_OPS
    return tuple(graph.nodes[at].name for at in sorted(cone) if graph.nodes[at].op in sources)


def _unrecovered(
    graph: GraphModel,
    cone: Iterable[int],
    optimizers: tuple[OptimizerSpec, ...],
    losses: list[str],
) -> list[str]:
    found = []
    if not losses:
        found.append("the loss: the graph holds no gradient seed that tells it")
    for spec in optimizers:
        for name, value in spec.hyperparameters.items():
            if isinstance(value, dict) and value["source"] == "placeholder":
                found.append(f"{name} is fed through placeholder {value['tensor']}")
            elif isinstance(value, dict) and value["source"] == "variable":
                found.append(f"{name} is the value of variable {value['tensor']}")
    for at in sorted(cone):
        node = graph.nodes[at]
        if node.op == "PlaceholderWithDefault":
            found.append(f"{node.name}:0 has a default, which a step may have been fed over")
        elif node.op in _ACCUMULATORS:
            found.append(f"{node.name} collects gradients that other ops of the loop have to bring")
        elif note := _random_note(node):
            found.append(note)
    return list(dict.fromkeys(found))

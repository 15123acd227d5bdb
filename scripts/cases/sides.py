"""Cases of two sides that are built apart: hand-written TF1, Keras layers or torch modules.

A side knows the role of each of its variables and can be run with given values. A converter turns
the values of the actual side into those of the expected one: once with numbered values, from which
truth and layout are read, and once with random ones, under which both sides must compute the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes, Row
from cases.nets import Naming, Net, build, tf1, variables_of

Values = dict[str, np.ndarray]  # role -> value
SOURCE = (
    "two programs of scripts/cases for one model; their converter was run on numbered values "
    "(truth and layouts are read off them) and on random ones (both computed the same)"
)


@dataclass
class Side:
    """One program: what its file lists, its graph, role -> name, and how to run it.

    run: (values by role, input -> the name that seeds it) -> outputs. arrange: axes by which a
    value of the TF1 layout stands in the file of this side. trained: the roles that an optimizer
    changes.
    """

    rows: list[Row]
    names: dict[str, str]
    run: Callable[[Values, dict[str, str]], list[np.ndarray]]
    graph: Any = None
    arrange: dict[str, tuple[int, ...]] = field(default_factory=dict)
    trained: frozenset[str] = frozenset()
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def stored(self, role: str, value: np.ndarray) -> np.ndarray:
        """Return a value as this side's file holds it."""
        axes = self.arrange.get(role)
        return value if axes is None else value.transpose(axes)


@dataclass(frozen=True)
class Ported:
    """How two sides become a case.

    convert: expected values that are not just those of the same role; None: a new layer.
    compare: how many of the outputs both sides share (0: all). orbit: a pattern whose first group
    names a member, and the members that nothing tells apart; their truth is null. told: the same
    for members that look alike but compute something else when exchanged (this is checked).
    inputs: the expected side's inputs -> the actual side's, where their names are not the same;
    swapped: the same for exchanged members of the orbit.
    """

    id: str
    family: str
    kind: str
    needs: str
    actual: Callable[[], Side]
    expected: Callable[[], Side]
    convert: Callable[[Values], dict[str, np.ndarray | None]] = lambda values: {}
    compare: int = 0
    orbit: tuple[str, tuple[str, ...]] | None = None
    told: tuple[str, tuple[str, ...]] | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    swapped: tuple[tuple[str, str], ...] = ()
    intent: str = "raw"
    beside: str = ""
    notes: str = ""


def tf_side(
    wiring: Callable[[Net, bool], Any],
    naming: Naming,
    *,
    train: bool = False,
    shuffle: int | None = None,
    optimizer: str = "",
    ema: bool = False,
    graph: bool = True,
) -> Side:
    """Return the side of a wiring; a training graph is listed but the inference graph is run."""
    shown, shown_net, _ = build(
        wiring, naming, train=train, shuffle=shuffle, optimizer=optimizer, ema=ema
    )
    names = {role: v.op.name for role, v in shown_net.roles.items()}
    shapes = {role: tuple(v.shape.as_list()) for role, v in shown_net.roles.items()}

    def run(values: Values, inputs_of: dict[str, str]) -> list[np.ndarray]:
        ready, net, output = build(wiring, lambda role, kind: role, train=False)
        return _run_graph(ready, net, output, values, inputs_of)

    rows = variables_of(shown)
    if not train:  # a session may hold another model beside the one that is asked for
        rows = [row for row in rows if row[0] in set(names.values())]
    trained = frozenset(role for role, kind in shown_net.kinds.items() if kind[2])
    definition = shown.as_graph_def() if graph else None
    return Side(rows, names, run, definition, {}, trained, shapes)


def _run_graph(
    graph: Any, net: Net, output: Any, values: Values, inputs_of: dict[str, str]
) -> list[np.ndarray]:
    with tf1.Session(graph=graph) as session, graph.as_default():
        starts = {v.initializer.inputs[1]: values[role] for role, v in net.roles.items()}
        session.run([v.initializer for v in net.roles.values()], starts)
        feeds = {}
        for node in graph.get_operations():
            if node.type == "Placeholder":
                tensor = node.outputs[0]
                name = inputs_of.get(node.name, node.name)
                feeds[tensor] = sample(name, tensor.shape.as_list(), tensor.dtype.is_integer)
        results = session.run(output, feeds)
    return list(results) if isinstance(results, (list, tuple)) else [results]


def sample(name: str, shape: Sequence[int], integer: bool) -> np.ndarray:
    """Return the input of a name: the same for both sides, another for another name."""
    random = np.random.RandomState(sum((i + 1) * ord(c) for i, c in enumerate(name)))
    return random.randint(0, 5, shape) if integer else random.standard_normal(shape)


def keras(net: Net, role: str, layer: Any, *inputs: Any, **options: Any) -> Any:
    """Call a Keras layer in the graph of a net and note the roles of its weights."""
    known = {id(weight) for weight in layer.weights}
    result = layer(*inputs, **options)
    trains = {id(weight) for weight in layer.trainable_weights}
    for weight in layer.weights:
        if id(weight) not in known:
            leaf = weight.op.name.rpartition("/")[2]
            net.roles[f"{role}/{leaf}"] = weight
            shape = tuple(weight.shape.as_list())
            net.kinds[f"{role}/{leaf}"] = (shape, "keras", id(weight) in trains)
    return result


def torch_side(make: Callable[[], Any], role_of: Naming, inputs: dict[str, Any]) -> Side:
    """Return the side of a torch module.

    role_of: parameter name -> role without its last part, and its last part; by_rules fits.
    inputs: name -> shape, or (shape, int) for ids; passed in this order.
    """
    import torch

    module = make().eval()
    parts = dict(module.named_modules())
    names, rows, shapes, arrange = {}, [], {}, {}
    for key, tensor in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        owner = parts[key.rpartition(".")[0]]
        rows.append((key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")))
        role = role_of(key, type(owner).__name__)
        if role in names:
            raise ValueError(f"{key} and {names[role]} have one role")
        names[role], shapes[role] = key, tuple(tensor.shape)
        if key.endswith("weight") and isinstance(owner, torch.nn.Linear):
            arrange[role] = (1, 0)
        elif key.endswith("weight") and tensor.dim() > 2:
            last = tensor.dim() - 1
            arrange[role] = (last, last - 1, *range(last - 1))

    def run(values: Values, inputs_of: dict[str, str]) -> list[np.ndarray]:
        state = {}
        for role, key in names.items():
            value = values[role].transpose(arrange.get(role, tuple(range(values[role].ndim))))
            state[key] = torch.from_numpy(np.ascontiguousarray(value, np.float32))
        module.load_state_dict(state, strict=False)
        feeds = []
        for name, shape in inputs.items():
            integer = shape[-1] is int
            value = sample(name, shape[0] if integer else shape, integer)
            feeds.append(torch.from_numpy(value if integer else value.astype(np.float32)))
        with torch.no_grad():
            results = module(*feeds)
        return [r.numpy() for r in (results if isinstance(results, (list, tuple)) else [results])]

    return Side(rows, names, run, None, arrange, frozenset(names), shapes)


def ported_case(spec: Ported) -> Case:
    """Build both sides, read the truth off numbered values, check the outputs."""
    actual, expected = spec.actual(), spec.expected()
    missing = [row[0] for row in expected.rows if row[0] not in set(expected.names.values())]
    if missing:
        raise ValueError(f"{spec.id}: {missing[0]} has no role")
    codes = Codes()
    coded = {role: codes.array(actual.names[role], s) for role, s in actual.shapes.items()}
    moved = _moved(spec, expected, coded)
    stored = {
        expected.names[role]: expected.stored(role, value)
        for role, value in moved.items()
        if value is not None
    }
    shapes = {row[0]: row[1] for row in expected.rows}
    for name, value in stored.items():
        if value.shape != shapes[name]:
            raise ValueError(f"{spec.id}: {name} is {shapes[name]}, its value {value.shape}")
    trace = codes.trace(stored)
    truth = {name: trace.truth.get(name) for name, _, _ in expected.rows}
    _check_outputs(spec, actual, expected)
    if spec.intent == "ema":
        averaged = {actual.names[role] for role in actual.trained}
        for name, found in truth.items():
            if found in averaged:
                truth[name] = f"{found}/ExponentialMovingAverage"
    ambiguous: dict[str, list[str]] = {}
    for role, name in expected.names.items():
        others = _orbit(spec.orbit, role)
        if others:
            truth[name] = None
            trace.layout.pop(name, None)
            ambiguous[name] = sorted(actual.names[other] for other in others)
    case = Case(
        spec.id,
        spec.family,
        spec.kind,
        spec.needs,
        actual.rows,
        expected.rows,
        truth,
        SOURCE,
        spec.notes,
        trace.layout,
        ambiguous,
        trace.composite,
        spec.intent,
        actual.graph,
        expected.graph,
    )
    return beside(case, spec.beside)


def _moved(spec: Ported, expected: Side, values: Values) -> dict[str, np.ndarray | None]:
    """Return the expected side's values by role, in the layout of TF1."""
    changed = spec.convert(values)
    moved = {
        role: changed[role] if role in changed else values.get(role) for role in expected.names
    }
    lost = [role for role, value in moved.items() if value is None and role not in changed]
    if lost:
        raise ValueError(f"{spec.id}: no value for {lost[0]}")
    return moved


def _orbit(orbit: tuple[str, tuple[str, ...]] | None, role: str) -> list[str]:
    """Return the roles that may stand in a role's place, itself among them; [] for none."""
    found = re.fullmatch(orbit[0], role) if orbit else None
    if not found or orbit is None:
        return []
    return [role[: found.start(1)] + member + role[found.end(1) :] for member in orbit[1]]


def _check_outputs(spec: Ported, actual: Side, expected: Side) -> None:
    """Raise ValueError where the sides do not compute the same, or symmetries are not as said."""
    random = np.random.RandomState(0)
    values = {}
    for role, shape in actual.shapes.items():
        value = random.standard_normal(shape) * 0.3
        values[role] = np.abs(value) + 0.5 if role.endswith("variance") else value
    shared = spec.compare or None

    def run(given: Values, inputs_of: dict[str, str]) -> list[np.ndarray]:
        moved = _moved(spec, expected, given)
        ready = {
            role: random.standard_normal(expected.shapes[role]) if value is None else value
            for role, value in moved.items()
        }
        return expected.run(ready, inputs_of)[:shared]

    wanted = actual.run(values, {})[:shared]
    if not _close(wanted, run(values, dict(spec.inputs))):
        raise ValueError(f"{spec.id}: the two sides do not compute the same")
    for orbit, same in ((spec.orbit, True), (spec.told, False)):
        for at in range(len(orbit[1]) - 1 if orbit else 0):
            pair = orbit[1][at : at + 2]  # type: ignore[index]
            changed = dict(values)
            for role in values:
                for old, new in (pair, pair[::-1]):
                    if role in _orbit((orbit[0], (old,)), role):  # type: ignore[index]
                        changed[role] = values[_orbit((orbit[0], (new,)), role)[0]]  # type: ignore[index]
            inputs = dict(spec.swapped if same else spec.inputs)
            if _close(wanted, run(changed, inputs)) != same:
                raise ValueError(f"{spec.id}: exchanged {pair} is not as said")


def _close(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    if len(first) != len(second):
        return False
    if not all(np.std(one) > 1e-6 for one in first):
        raise ValueError("an output is constant: it shows nothing")
    return all(np.allclose(a, b, atol=1e-4, rtol=1e-3) for a, b in zip(first, second, strict=True))


def ported_cases(specs: tuple[Ported, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: ported_case(spec)  # type: ignore[misc]

"""Cases of one architecture in two published libraries, each with its own names.

The layers of both sides are noted in the order in which they run; each expected layer takes the
next actual one of its kind and shape. Nothing is left to that guess: with random values carried
over by it both must compute the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.beside import beside
from cases.case import Case, Row
from cases.nets import tf1, variables_of

Arrays = dict[str, np.ndarray]
TURNS = {"conv": (2, 3, 1, 0), "depthwise": (2, 3, 0, 1), "dense": (1, 0)}
TORCH_LEAVES = {
    "norm": {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
    "slope": {"weight": "alpha"},
}
SLIM_LEAVES = {"weights": "kernel", "biases": "bias", "depthwise_weights": "kernel"}


@dataclass
class Unit:
    """One layer: its kind, and the name and the shape (in TensorFlow's layout) of each leaf."""

    kind: str
    names: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def look(self) -> tuple[Any, ...]:
        """Return what a counterpart must share: the kind, and the shape of kernel or offset."""
        known = [leaf for leaf in ("kernel", "beta", "alpha") if leaf in self.shapes]
        return (self.kind, self.shapes[known[0]])


@dataclass
class Library:
    """One side: all rows of its file, its layers, and how to run it with values (its layout)."""

    rows: list[Row]
    units: list[Unit]
    run: Callable[[Arrays, np.ndarray], np.ndarray]
    graph: Any = None
    torch: bool = False


@dataclass(frozen=True)
class Published:
    """Two libraries' makers of one architecture, and the input they are compared on."""

    id: str
    family: str
    kind: str
    needs: str
    actual: Callable[[], Library]
    expected: Callable[[], Library]
    shape: tuple[int, ...]
    source: str
    beside: str = ""
    notes: str = ""


def torch_library(make: Callable[[], Any], shape: tuple[int, ...], prepare: Any = None) -> Library:
    """Note the layers of a torch module by running it on zeros of an NHWC shape.

    prepare: (module, input) -> input, where the other side pads otherwise.
    """
    import torch

    module = make().eval()
    rows = [
        (key, tuple(value.shape), str(value.dtype).removeprefix("torch."))
        for key, value in module.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    units: list[Unit] = []
    hooks = []
    for prefix, part in module.named_modules():
        if list(part.parameters(recurse=False)):
            hooks.append(part.register_forward_hook(_note(prefix, units)))

    def forward(x: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32))
        given = prepare(module, given) if prepare else given
        with torch.no_grad():
            out = module(given)
        return (out[0] if isinstance(out, tuple) else out).numpy()

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        state = {
            k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in values.items()
        }
        lost = module.load_state_dict(state, strict=False)
        wrong = [k for k in lost.missing_keys if not k.endswith("num_batches_tracked")]
        if wrong or lost.unexpected_keys:
            raise ValueError(f"{wrong or lost.unexpected_keys}: without a value")
        return forward(x)

    forward(np.zeros(shape))
    for hook in hooks:
        hook.remove()
    return Library(rows, units, run, None, True)


def _note(prefix: str, units: list[Unit]) -> Any:
    import torch

    def hook(part: Any, *_: Any) -> None:
        kind = "norm" if hasattr(part, "running_mean") else "dense"
        kind = "slope" if isinstance(part, torch.nn.PReLU) else kind
        if isinstance(part, torch.nn.Conv2d):
            alone = part.groups > 1 and part.weight.shape[1] == 1
            kind = "depthwise" if alone else "conv"
        leaves = TORCH_LEAVES.get(kind, {"weight": "kernel", "bias": "bias"})
        unit = Unit(kind)
        for leaf, word in leaves.items():
            value = getattr(part, leaf, None)
            if value is not None:
                shape = tuple(value.shape)
                turn = TURNS.get(kind) if word == "kernel" else None
                unit.names[word] = f"{prefix}.{leaf}"
                unit.shapes[word] = tuple(shape[a] for a in turn) if turn else shape
        units.append(unit)

    return hook


def slim_library(build: Callable[[Any, bool], Any], shape: tuple[int, ...], train: bool) -> Library:
    """Note the layers of TF1 layer code; their variables are made in the order they run."""
    graph, _, _, variables = slim_graph(build, shape, train)
    units: dict[str, Unit] = {}
    for variable in variables:
        head, _, leaf = variable.op.name.rpartition("/")
        word = SLIM_LEAVES.get(leaf, leaf)
        shown = tuple(variable.shape.as_list())
        kind = {"kernel": "conv" if len(shown) == 4 else "dense"}.get(word, "norm")
        kind = "depthwise" if leaf == "depthwise_weights" else kind
        unit = units.setdefault(head, Unit(kind))
        unit.names[word], unit.shapes[word] = variable.op.name, shown
        if word == "kernel" and "Logits" in head:  # a convolution that is a dense layer elsewhere
            unit.kind, unit.shapes[word] = "dense", shown[-2:]

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        ready, image, out, made = slim_graph(build, shape, False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            starts = {
                v.initializer.inputs[1]: values[v.op.name].reshape(v.shape.as_list()) for v in made
            }
            session.run([v.initializer for v in made], starts)
            return session.run(out, {image: x})

    rows = (
        variables_of(graph)
        if train
        else [(v.op.name, tuple(v.shape), "float32") for v in variables]
    )
    return Library(rows, list(units.values()), run, graph.as_graph_def())


def slim_graph(build: Any, shape: tuple[int, ...], train: bool) -> tuple[Any, Any, Any, list[Any]]:
    graph = tf.Graph()
    with graph.as_default():
        image = tf1.placeholder(tf.float32, shape, "input")
        out = build(image, train)
        variables = tf1.global_variables()
        if train:
            train_on(out)
    return graph, image, out, variables


def train_on(out: Any) -> None:
    loss = tf.reduce_mean(tf.square(out))
    step = tf1.train.get_or_create_global_step()
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        tf1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)


def keras_library(
    make: Callable[[], Any], shape: tuple[int, ...], train: bool, scope: str = ""
) -> Library:
    """Note the layers of a tf_keras model in the order of their first calls, in a TF1 graph."""
    graph, _, _, units, made = _keras_graph(make, shape, scope, train)

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        ready, image, out, _, weights = _keras_graph(make, shape, scope, False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            starts = {w.initializer.inputs[1]: values[w.op.name] for w in weights}
            session.run([w.initializer for w in weights], starts)
            return session.run(out, {image: x})

    rows = variables_of(graph)
    if not train:
        rows = [row for row in rows if row[0] in {w.op.name for w in made}]
    return Library(rows, units, run, graph.as_graph_def())


def _keras_graph(
    make: Any, shape: tuple[int, ...], scope: str, train: bool
) -> tuple[Any, Any, Any, list[Unit], list[Any]]:
    import tf_keras

    tf_keras.backend.clear_session()
    graph = tf.Graph()
    seen: dict[int, Any] = {}
    from tf_keras.src.engine import base_layer_v1

    plain = base_layer_v1.Layer.__call__

    def noted(layer: Any, *inputs: Any, **options: Any) -> Any:
        result = plain(layer, *inputs, **options)
        if not list(layer._flatten_layers(include_self=False)) and layer.weights:
            seen.setdefault(id(layer), layer)
        return result

    base_layer_v1.Layer.__call__ = noted
    try:
        with graph.as_default(), tf1.variable_scope(scope or tf1.get_variable_scope()):
            model = make()
            image = tf1.placeholder(tf.float32, shape, "input")
            out = model(image, training=False)
            weights = list(model.weights)
            if train:
                train_on(model(image, training=True))
    finally:
        base_layer_v1.Layer.__call__ = plain
    return graph, image, out, [_keras_unit(layer) for layer in seen.values()], weights


def _keras_unit(layer: Any) -> Unit:
    from tf_keras import layers

    kinds = (
        (layers.DepthwiseConv2D, "depthwise"),
        (layers.Conv2D, "conv"),
        (layers.BatchNormalization, "norm"),
        (layers.Dense, "dense"),
        (layers.PReLU, "slope"),
    )
    kind = next((word for known, word in kinds if isinstance(layer, known)), "other")
    unit = Unit(kind)
    for weight in layer.weights:
        leaf = weight.op.name.rpartition("/")[2].replace("depthwise_kernel", "kernel")
        unit.names[leaf], unit.shapes[leaf] = weight.op.name, tuple(weight.shape.as_list())
    return unit


def published_case(spec: Published) -> Case:
    """Build both sides, pair their layers, and check that both compute the same."""
    actual, expected = spec.actual(), spec.expected()
    free = list(actual.units)
    stored = {row[0]: row[1] or () for row in actual.rows}
    truth: dict[str, str | None] = {}
    layout: dict[str, str] = {}
    random = np.random.RandomState(0)
    given = {
        unit.names[leaf]: _value(random, leaf, shape)
        for unit in actual.units
        for leaf, shape in unit.shapes.items()
    }
    wanted: Arrays = {}
    for unit in expected.units:
        found = next((one for one in free if one.look() == unit.look()), None)
        if found is None:
            raise ValueError(f"{spec.id}: nothing for {unit}; next is {free[:1]}")
        free.remove(found)
        for leaf, name in unit.names.items():
            truth[name] = found.names.get(leaf)
            if truth[name] is None and leaf != "gamma":
                raise ValueError(f"{spec.id}: {name} has no counterpart")
            value = given.get(found.names.get(leaf, ""), np.ones(unit.shapes[leaf]))
            turned = leaf == "kernel" and unit.kind in TURNS and actual.torch != expected.torch
            if turned:
                layout[name] = _word(unit.kind, expected.torch)
                if len(stored[found.names[leaf]]) != len(unit.shapes[leaf]):
                    layout[name] = "permute:0,1,3,2+reshape"
            wanted[name] = _own(value, unit.kind, leaf, expected.torch)
    lost = [row[0] for row in expected.rows if row[0] not in truth]
    if lost or free:
        raise ValueError(f"{spec.id}: not run: {lost or free}")
    x = random.standard_normal(spec.shape)
    held = {
        unit.names[leaf]: _own(given[unit.names[leaf]], unit.kind, leaf, actual.torch)
        for unit in actual.units
        for leaf in unit.names
    }
    first, second = actual.run(held, x), expected.run(wanted, x)
    if first.ndim == 4:
        first, second = (_last(y, side.torch) for y, side in ((first, actual), (second, expected)))
    return checked_case(spec, (actual, expected), truth, layout, (first, second), 1e-3)


def checked_case(
    spec: Any,
    sides: tuple[Any, Any],
    truth: dict[str, str | None],
    layout: dict[str, str],
    outputs: tuple[np.ndarray, np.ndarray],
    apart: float,
) -> Case:
    """Make a case of two libraries' models, the actual one first, that compute the same.

    spec: a Published or the like. outputs: of both. apart: most that these may differ by, in
    standard deviations. Raises ValueError where they do.
    """
    actual, expected = sides
    first, second = outputs
    spread = np.std(first)
    if spread < 1e-6 or not np.allclose(first, second, rtol=1e-2, atol=apart * spread):
        raise ValueError(f"{spec.id}: not the same: {np.abs(first - second).max()}, {spread}")
    case = Case(
        spec.id,
        spec.family,
        spec.kind,
        spec.needs,
        actual.rows,
        expected.rows,
        {row[0]: truth[row[0]] for row in expected.rows},
        f"{spec.source}; layers paired in the order in which they run, and checked: both compute "
        "the same with random values carried over",
        spec.notes,
        layout,
        actual_graph=actual.graph,
        expected_graph=expected.graph,
    )
    return beside(case, spec.beside)


def _value(random: Any, leaf: str, shape: tuple[int, ...]) -> np.ndarray:
    value = random.standard_normal(shape).astype(np.float32)
    if leaf == "moving_variance":
        return 0.5 + np.abs(value)
    if leaf == "gamma":
        return 1 + 0.3 * value
    return value / np.sqrt(max(1, int(np.prod(shape[:-1])))) if value.ndim > 1 else 0.3 * value


def _own(value: np.ndarray, kind: str, leaf: str, torch: bool) -> np.ndarray:
    """Return a value of TensorFlow's layout as a side keeps it."""
    if not torch or leaf != "kernel" or kind not in TURNS:
        return value
    return value.transpose(np.argsort(TURNS[kind]))


def _word(kind: str, to_torch: bool) -> str:
    """Return the layout of a kernel of an expected side: which axes of the actual one it has."""
    axes = [int(a) for a in np.argsort(TURNS[kind])] if to_torch else list(TURNS[kind])
    return "transpose" if kind == "dense" else f"permute:{','.join(map(str, axes))}"


def _last(value: np.ndarray, torch: bool) -> np.ndarray:
    return value.transpose(0, 2, 3, 1) if torch else value


def published_cases(specs: tuple[Published, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: published_case(spec)  # type: ignore[misc]

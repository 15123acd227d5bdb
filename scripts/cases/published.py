"""Cases of one architecture in two libraries, layers of any kind: an extension of libraries.py.

Each side notes its layers in the order in which they run. Every kernel has a canonical layout
(height, width, inputs of a group, outputs), whatever the side keeps; each expected layer takes the
next free actual one of its look. The pairing is a guess until both sides compute the same with
random values carried over by it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.case import Case, Row, _layout
from cases.libraries import checked_case, train_on
from cases.nets import tf1, variables_of

Arrays = dict[str, np.ndarray]
NORM_LEAVES = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


@dataclass
class Leaf:
    """A tensor of a side: its name and shape, and the axes that bring it to the canonical one.

    axes: own -> canonical order; whole: the canonical shape.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    whole: tuple[int, ...]

    def canonical(self, value: np.ndarray) -> np.ndarray:
        """Return a value of this side in the canonical layout."""
        return value.transpose(self.axes).reshape(self.whole)

    def own(self, value: np.ndarray) -> np.ndarray:
        """Return a canonical value as this side keeps it."""
        turned = [self.shape[axis] for axis in self.axes]
        return value.reshape(turned).transpose(np.argsort(self.axes))


@dataclass
class Unit:
    """One layer: its kind and its leaves."""

    kind: str
    leaves: dict[str, Leaf] = field(default_factory=dict)

    def look(self) -> tuple[Any, ...]:
        """Return what a counterpart must share."""
        known = [leaf for leaf in ("kernel", "beta", "gamma", "value") if leaf in self.leaves]
        return (self.kind, self.leaves[known[0]].whole)


@dataclass
class Side:
    """All rows of a file, the layers, and how to run it with values in its own layout."""

    rows: list[Row]
    units: list[Unit]
    run: Callable[[Arrays, np.ndarray], np.ndarray]
    graph: Any = None


@dataclass(frozen=True)
class Twice:
    """Two makers of one architecture, and the input they are compared on.

    reorder: expected units -> the order in which the actual ones run, where libraries differ.
    """

    id: str
    family: str
    kind: str
    needs: str
    actual: Callable[[], Side]
    expected: Callable[[], Side]
    shape: tuple[int, ...]
    source: str
    beside: str = ""
    notes: str = ""
    free: tuple[str, ...] = ()
    reorder: Callable[[list[Unit]], list[Unit]] | None = None


def leaf_of(name: str, shape: Sequence[int], axes: Sequence[int], lead: int = 0) -> Leaf:
    """Return a leaf whose canonical layout has `lead` axes of one in front."""
    turned = tuple(shape[axis] for axis in axes)
    return Leaf(name, tuple(shape), tuple(axes), (1,) * lead + turned)


def plain(name: str, shape: Sequence[int]) -> Leaf:
    """Return a leaf that stands as it is, apart from axes of one."""
    kept = tuple(size for size in shape if size != 1)
    return Leaf(name, tuple(shape), tuple(range(len(shape))), kept)


def torch_side(make: Callable[[], Any], shape: tuple[int, ...], prepare: Any = None) -> Side:
    """Note the layers of a torch module by running it on zeros of an NHWC shape."""
    import torch

    module = make().eval()
    rows: list[Row] = []
    seen: dict[int, str] = {}
    learnt = {name for name, _ in module.named_parameters()}
    for key, value in module.state_dict().items():
        moving = key.endswith(("running_mean", "running_var"))
        if (key in learnt or moving) and seen.setdefault(value.data_ptr(), key) == key:
            rows.append((key, tuple(value.shape), str(value.dtype).removeprefix("torch.")))
    units: list[Unit] = []
    met: set[str] = set()
    hooks = [
        part.register_forward_pre_hook(_torch_note(prefix, units, met))
        for prefix, part in module.named_modules()
        if list(part.parameters(recurse=False))
    ]

    def forward(x: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32))
        given = prepare(module, given) if prepare else given
        with torch.no_grad():
            out = module(given)
        return (out[0] if isinstance(out, (tuple, list)) else out).numpy()

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        state = module.state_dict()
        with torch.no_grad():
            for name, value in values.items():
                state[name].copy_(torch.from_numpy(np.ascontiguousarray(value, np.float32)))
        return forward(x)

    forward(np.zeros(shape))
    for hook in hooks:
        hook.remove()
    return Side(rows, units, run)


def _torch_note(prefix: str, units: list[Unit], met: set[str]) -> Any:
    def hook(part: Any, *_: Any) -> None:
        if prefix not in met:
            met.add(prefix)
            units.extend(_torch_units(prefix, part))

    return hook


def _torch_units(prefix: str, part: Any) -> list[Unit]:
    from torch import nn

    at = f"{prefix}." if prefix else ""
    if isinstance(part, (nn.Conv2d, nn.Conv1d, nn.Linear)):
        size = tuple(part.weight.shape)
        last = len(size) - 1
        axes = (1, 0) if last == 1 else (*range(2, last + 1), 1, 0)
        unit = Unit("layer", {"kernel": leaf_of(f"{at}weight", size, axes, 3 - last)})
        if part.bias is not None:
            unit.leaves["bias"] = plain(f"{at}bias", part.bias.shape)
        return [unit]
    if isinstance(part, (nn.LayerNorm, nn.GroupNorm)) or hasattr(part, "running_mean"):
        kind = "batch" if hasattr(part, "running_mean") else "norm"
        leaves = {
            word: plain(f"{at}{leaf}", getattr(part, leaf).shape)
            for leaf, word in NORM_LEAVES.items()
            if getattr(part, leaf, None) is not None
        }
        return [Unit(kind, leaves)]
    return [
        Unit("value", {"value": plain(f"{at}{name}", value.shape)})
        for name, value in part.named_parameters(recurse=False)
    ]


def keras_side(
    make: Callable[[], Any], shape: tuple[int, ...], train: bool = False, scope: str = ""
) -> Side:
    """Note the layers of a tf_keras model in the order of their first calls, in a TF1 graph."""
    graph, _, _, units, made = _keras_graph(make, shape, scope, train)

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        ready, image, out, _, weights = _keras_graph(make, shape, scope, False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            session.run(tf1.global_variables_initializer())
            known = [w for w in weights if w.op.name in values]
            starts = {w.initializer.inputs[1]: values[w.op.name] for w in known}
            session.run([w.initializer for w in known], starts)
            return session.run(out, {image: x})

    rows = variables_of(graph)
    if not train:
        rows = [row for row in rows if row[0] in {w.op.name for w in made}]
    return Side(rows, units, run, graph.as_graph_def())


def _keras_graph(
    make: Any, shape: tuple[int, ...], scope: str, train: bool
) -> tuple[Any, Any, Any, list[Unit], list[Any]]:
    import tf_keras
    from tf_keras.src.engine import base_layer, base_layer_v1

    tf_keras.backend.clear_session()
    graph = tf.Graph()
    seen: dict[int, Any] = {}
    kept = [(owner, owner.__call__) for owner in (base_layer.Layer, base_layer_v1.Layer)]

    def noted(before: Any) -> Any:
        def call(layer: Any, *inputs: Any, **options: Any) -> Any:
            result = before(layer, *inputs, **options)
            if not list(layer._flatten_layers(include_self=False)) and layer.weights:
                seen.setdefault(id(layer), layer)
            return result

        return call

    for owner, before in kept:
        owner.__call__ = noted(before)
    try:
        with graph.as_default(), tf1.variable_scope(scope or tf1.get_variable_scope()):
            model = make()
            image = tf1.placeholder(tf.float32, shape, "input")
            out = model(image, training=False)
            out = out[0] if isinstance(out, (list, tuple)) else out
            weights = list(model.weights)
            if train:
                train_on(model(image, training=True))
    finally:
        for owner, before in kept:
            owner.__call__ = before
    units = [unit for layer in seen.values() for unit in _keras_units(layer)]
    return graph, image, out, units, weights


def _keras_units(layer: Any) -> list[Unit]:
    from tf_keras import layers

    named = {w.op.name.rpartition("/")[2]: w for w in layer.weights}
    if isinstance(layer, (layers.Conv2D, layers.Conv1D, layers.Dense, layers.DepthwiseConv2D)):
        unit = Unit("layer")
        for leaf, weight in named.items():
            size, name = tuple(weight.shape.as_list()), weight.op.name
            if "kernel" not in leaf:
                unit.leaves["bias"] = plain(name, size)
                continue
            axes = list(range(len(size)))
            if isinstance(layer, layers.DepthwiseConv2D):
                axes = [0, 1, 3, 2]
            unit.leaves["kernel"] = leaf_of(name, size, axes, 4 - len(size))
        return [unit]
    if {"gamma", "beta"} & set(named) and len(named) <= 4:
        kind = "batch" if "moving_mean" in named else "norm"
        leaves = {leaf: plain(w.op.name, w.shape.as_list()) for leaf, w in named.items()}
        return [Unit(kind, leaves)]
    return [Unit("value", {"value": plain(w.op.name, w.shape.as_list())}) for w in named.values()]


def twice_case(spec: Twice) -> Case:
    """Build both sides, pair their layers, and check that both compute the same."""
    actual, expected = spec.actual(), spec.expected()
    free = list(actual.units)
    random = np.random.RandomState(0)
    given = {
        leaf.name: _value(random, word, leaf.whole)
        for unit in actual.units
        for word, leaf in unit.leaves.items()
    }
    truth: dict[str, str | None] = {}
    layout: dict[str, str] = {}
    wanted: Arrays = {}
    units = spec.reorder(expected.units) if spec.reorder else expected.units
    for unit in units:
        found = next((one for one in free if one.look() == unit.look()), None)
        if found is None:
            raise ValueError(f"{spec.id}: nothing for {unit}; next are {free[:3]}")
        free.remove(found)
        for word, leaf in unit.leaves.items():
            twin = found.leaves.get(word)
            truth[leaf.name] = twin.name if twin else None
            neutral = np.ones if word in ("gamma", "moving_variance") else np.zeros
            value = given[twin.name] if twin else neutral(leaf.whole, np.float32)
            wanted[leaf.name] = leaf.own(value)
            if twin:
                size = int(np.prod(leaf.shape))
                places = leaf.own(twin.canonical(np.arange(size).reshape(twin.shape)))
                shown = _layout(places.ravel(), leaf.shape, twin.shape)
                if shown != "same":
                    layout[leaf.name] = shown
    lost = [row[0] for row in expected.rows if row[0] not in truth]
    asked = {name for name in truth.values() if name}
    unasked = [one for one in free if not _spare(one, spec.free)]
    halves = [
        leaf.name
        for unit in actual.units
        for leaf in unit.leaves.values()
        if leaf.name not in asked and unit not in free
    ]
    if lost or unasked or halves:
        raise ValueError(f"{spec.id}: left: {lost[:5]} {unasked[:3]} {halves[:3]}")
    x = random.standard_normal(spec.shape)
    held = {
        leaf.name: leaf.own(given[leaf.name])
        for unit in actual.units
        for leaf in unit.leaves.values()
    }
    first, second = actual.run(held, x), expected.run(wanted, x)
    return checked_case(spec, (actual, expected), truth, layout, (first, second), 2e-3)


def _spare(unit: Unit, words: tuple[str, ...]) -> bool:
    return any(word in leaf.name for word in words for leaf in unit.leaves.values())


def _value(random: Any, word: str, shape: tuple[int, ...]) -> np.ndarray:
    value = random.standard_normal(shape).astype(np.float32)
    if word == "moving_variance":
        return 0.5 + np.abs(value)
    if word == "gamma":
        return 1 + 0.3 * value
    if word == "kernel":
        return value / np.sqrt(max(1, int(np.prod(shape[:-1]))))
    return 0.3 * value


def twice_cases(specs: tuple[Twice, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: twice_case(spec)  # type: ignore[misc]

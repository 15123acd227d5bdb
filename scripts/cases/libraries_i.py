"""Two published libraries' models of one architecture: more kinds of layers than libraries.py.

Layers are noted in the order in which they run; lone parameters (scales, tables of positions) are
units of their own, told apart by a word that a pattern over their name gives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes
from cases.libraries import TURNS, Library, Unit, _keras_graph
from cases.nets import tf1, variables_of

Words = tuple[tuple[str, str], ...]
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Twins:
    """Two makers of one architecture.

    shape: the input both are compared on (NHWC). words_*: (pattern, word) of lone parameters.
    """

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
    turns: dict[str, tuple[int, ...]] = field(default_factory=dict)


def _word_of(name: str, words: Words) -> str:
    return next((word for pattern, word in words if re.search(pattern, name)), "value")


def torch_side(
    make: Callable[[], Any],
    shape: tuple[int, ...],
    words: Words = (),
    call: Callable[[Any, Any], Any] | None = None,
) -> Library:
    """Note the layers of a torch module by running it (or `call` of it) on zeros."""
    import torch

    module = make().eval()
    rows = [
        (key, tuple(value.shape), str(value.dtype).removeprefix("torch."))
        for key, value in module.state_dict().items()
        if not key.endswith(("num_batches_tracked", "relative_position_index"))
    ]
    rows = [row for row in rows if row[2].startswith("float")]
    units: list[Unit] = []
    hooks = []
    for prefix, part in module.named_modules():
        if list(part.parameters(recurse=False)):
            hooks.append(part.register_forward_pre_hook(_note(prefix, units, words)))

    def forward(x: np.ndarray) -> np.ndarray:
        turned = x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))
        with torch.no_grad():
            given = torch.from_numpy(np.ascontiguousarray(turned, np.float32))
            out = call(module, given) if call else module(given)
        return (out[0] if isinstance(out, tuple) else out).numpy()

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        state = {
            k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in values.items()
        }
        lost = module.load_state_dict(state, strict=False)
        noted = {name for unit in units for name in unit.names.values()}
        wrong = [k for k in lost.missing_keys if k in noted]
        if wrong or lost.unexpected_keys:
            raise ValueError(f"{wrong or lost.unexpected_keys}: without a value")
        return forward(x)

    forward(np.zeros(shape))
    for hook in hooks:
        hook.remove()
    return Library(rows, units, run, None, True)


def _note(prefix: str, units: list[Unit], words: Words) -> Any:
    import torch

    def add(kind: str, part: Any, leaves: dict[str, str]) -> None:
        unit = Unit(kind)
        for leaf, word in leaves.items():
            value = getattr(part, leaf, None)
            if value is None:
                continue
            shape = tuple(value.shape)
            turn = TURNS.get(kind) if word == "kernel" else None
            if kind.startswith("conv") and word == "kernel" and len(shape) != 4:
                turn = (*range(2, len(shape)), 1, 0)
            unit.names[word] = f"{prefix}.{leaf}" if prefix else leaf
            unit.shapes[word] = tuple(shape[a] for a in turn) if turn else shape
        units.append(unit)

    def hook(part: Any, *_: Any) -> None:
        again = any(name.startswith(f"{prefix}.") for u in units for name in u.names.values())
        if again and isinstance(part, torch.nn.Linear | torch.nn.Conv2d):
            return
        plain = {"weight": "kernel", "bias": "bias"}
        scaled = {"weight": "gamma", "bias": "beta"}
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            more = {"running_mean": "moving_mean", "running_var": "moving_variance"}
            add("norm", part, {**scaled, **more})
        elif isinstance(part, torch.nn.LayerNorm | torch.nn.GroupNorm):
            add("scale", part, scaled)
        elif isinstance(part, torch.nn.Linear):
            add("dense", part, plain)
        elif isinstance(part, torch.nn.Conv2d) and part.groups > 1 and part.weight.shape[1] == 1:
            add("depthwise", part, plain)
        elif isinstance(part, torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d):
            add("conv", part, plain)
        else:
            for leaf, value in part.named_parameters(recurse=False):
                name = f"{prefix}.{leaf}" if prefix else leaf
                word = _word_of(name, words)
                units.append(Unit("lone", {word: name}, {word: tuple(value.shape)}))

    return hook


def keras_side(
    make: Callable[[], Any],
    shape: tuple[int, ...],
    words: Words = (),
    train: bool = False,
    scope: str = "",
    out_of: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Library:
    """Note the layers of a tf_keras model in a TF1 graph."""
    graph, _, _, _, made, layers = _noted(make, shape, scope, train)

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        ready, image, out, _, weights, _ = _noted(make, shape, scope, False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            session.run(tf1.global_variables_initializer())
            starts = {w.initializer.inputs[1]: values[w.op.name] for w in weights}
            session.run([w.initializer for w in weights], starts)
            found = session.run(out, {image: x})
            return out_of(found) if out_of else found

    units: list[Unit] = []
    for layer in layers:
        units += _units(layer, words)
    rows = variables_of(graph)
    if not train:
        rows = [row for row in rows if row[0] in {w.op.name for w in made}]
    return Library(rows, units, run, graph.as_graph_def())


def _noted(make: Any, shape: tuple[int, ...], scope: str, train: bool) -> Any:
    """Return libraries' graph and the layers with weights in order of their calls."""
    from cases import libraries

    layers: list[Any] = []
    kept = libraries._keras_unit
    libraries._keras_unit = layers.append  # type: ignore[assignment]
    try:
        found = _keras_graph(make, shape, scope, train)
    finally:
        libraries._keras_unit = kept
    return (*found, layers)


def _units(layer: Any, words: Words) -> list[Unit]:
    from tf_keras import layers

    kinds = (
        (layers.DepthwiseConv2D, "depthwise"),
        (layers.Conv1D, "conv"),
        (layers.Conv2D, "conv"),
        (layers.Conv3D, "conv"),
        (layers.BatchNormalization, "norm"),
        (layers.LayerNormalization, "scale"),
        (layers.Dense, "dense"),
    )
    kind = next((word for known, word in kinds if isinstance(layer, known)), "lone")
    if type(layer).__name__ in ("GroupNormalization", "GroupNorm"):
        kind = "scale"
    if kind == "lone":
        found = []
        for weight in layer.weights:
            word = _word_of(weight.op.name, words)
            shape = tuple(weight.shape.as_list())
            found.append(Unit("lone", {word: weight.op.name}, {word: shape}))
        return found
    unit = Unit(kind)
    for weight in layer.weights:
        leaf = weight.op.name.rpartition("/")[2].replace("depthwise_kernel", "kernel")
        unit.names[leaf], unit.shapes[leaf] = weight.op.name, tuple(weight.shape.as_list())
    return [unit]


def _after(units: list[Unit], found: Unit | None) -> list[Unit]:
    return next((units[i + 1 : i + 2] for i, one in enumerate(units) if one is found), [])


def _look(unit: Unit) -> tuple[Any, ...]:
    if unit.kind == "lone":
        word, shape = next(iter(unit.shapes.items()))
        return ("lone", word, int(np.prod(shape)))
    leaf = next(leaf for leaf in ("kernel", "gamma", "beta", "bias") if leaf in unit.shapes)
    shape = unit.shapes[leaf]
    kind = unit.kind
    if leaf == "kernel" and kind == "conv" and len(shape) > 2 and set(shape[:-2]) == {1}:
        kind, shape = "dense", shape[-2:]
    return (kind, shape, len(unit.shapes))


def twins_case(spec: Twins) -> Case:
    """Pair the layers of both sides, carry numbered and random values over, compare outputs."""
    actual, expected = spec.actual(), spec.expected()
    stored = {row[0]: row[1] or () for row in actual.rows}
    shapes = {row[0]: row[1] or () for row in expected.rows}
    free = list(actual.units)
    pairs: list[tuple[str, str, Unit, Unit, str]] = []
    found = None
    for unit in expected.units:
        fits = [one for one in free if _look(one) == _look(unit)]
        after = _after(actual.units, found)
        found = fits[0] if fits else None
        if unit.kind == "norm" and any(one is after[0] for one in fits if after):
            found = after[0]  # the norm of the convolution that was paired before
        if found is None:
            rest = [u for u in free if u.kind == unit.kind][:2]
            raise ValueError(f"{spec.id}: nothing for {unit}; next is {free[:1]} {rest}")
        free = [one for one in free if one is not found]
        pairs += [(name, found.names[leaf], unit, found, leaf) for leaf, name in unit.names.items()]
    lost = set(shapes) - {pair[0] for pair in pairs}
    if lost or free:
        raise ValueError(f"{spec.id}: not run: {sorted(lost)[:3] or free[:3]}")

    by_name = {pair[0]: [pair] for pair in pairs}

    def carried(given: Arrays, only: str = "") -> Arrays:
        found = {}
        for name, source, unit, _, leaf in by_name.get(only, pairs):
            value = given[source]
            if leaf == "kernel":
                value = _turn(value, actual.torch, expected.torch, unit.kind, shapes[name])
            found[name] = value.reshape(shapes[name])
        return found

    truth: dict[str, str | None] = {pair[0]: pair[1] for pair in pairs}
    layout: dict[str, str] = {}
    for name, source, *_ in pairs:
        codes = Codes()
        value = codes.array(source, stored[source])
        layout |= codes.trace({name: carried({source: value}, name)[name]}).layout
    random = np.random.RandomState(0)
    given = {}
    for unit in actual.units:
        for leaf, name in unit.names.items():
            given[name] = _value(random, leaf, unit, stored[name])
    x = random.standard_normal(spec.shape)
    first, second = actual.run(given, x), expected.run(carried(given), x)
    if first.ndim > 3:
        first, second = (_last(y, side.torch) for y, side in ((first, actual), (second, expected)))
    scale = np.std(first)
    if scale < 1e-6 or not np.allclose(first, second, rtol=1e-2, atol=2e-3 * scale):
        raise ValueError(f"{spec.id}: not the same: {np.abs(first - second).max()}, {scale}")
    case = Case(
        spec.id,
        spec.family,
        spec.kind,
        spec.needs,
        actual.rows,
        expected.rows,
        {row[0]: truth.get(row[0]) for row in expected.rows},
        f"{spec.source}; layers paired in the order in which they run, and checked: both compute "
        "the same with random values carried over",
        spec.notes,
        layout,
        actual_graph=actual.graph,
        expected_graph=expected.graph,
    )
    return beside(case, spec.beside)


def _turn(value: np.ndarray, held: bool, wanted: bool, kind: str, shape: Any) -> np.ndarray:
    """Return a kernel of one framework's layout in the other's."""
    if held == wanted:
        return value
    rank = value.ndim
    if kind == "depthwise":
        return value.transpose((2, 3, 0, 1))
    if held:  # torch: out, in, *space
        return value.transpose((*range(2, rank), 1, 0))
    return value.transpose((rank - 1, rank - 2, *range(rank - 2)))


def _value(random: Any, leaf: str, unit: Unit, shape: Any) -> np.ndarray:
    value = random.standard_normal(shape).astype(np.float32)
    if leaf == "moving_variance":
        return 0.5 + np.abs(value)
    if leaf == "gamma":
        return 1 + 0.3 * value
    if leaf == "kernel":
        wide = int(np.prod(unit.shapes["kernel"][:-1]))
        if unit.kind == "depthwise":
            wide = int(np.prod(unit.shapes["kernel"][:2]))
        return value / np.sqrt(max(1, wide))
    return 0.3 * value


def _last(value: np.ndarray, torch: bool) -> np.ndarray:
    return np.moveaxis(value, 1, -1) if torch else value


def twins_cases(specs: tuple[Twins, ...]) -> Any:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: twins_case(spec)  # type: ignore[misc]

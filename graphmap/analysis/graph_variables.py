"""The variables of an artifact that stores a graph: nodes, container entries, or both in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import NamedTuple

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.saver_keys import SavedKey, find_saved_keys
from graphmap.analysis.slot_names import PLAIN, RoleTriple, guess_roles
from graphmap.analysis.state_roles import state_roles
from graphmap.analysis.structure_roles import find_roles
from graphmap.analysis.train_ops import Specs, find_specs
from graphmap.model.graph import Dims, GraphModel, Node, ShapeValue, TensorValue
from graphmap.model.stored import StoredModel, StoredTensor
from graphmap.model.variable import Basis, Part, Variable

__all__ = ["find_in_graph"]

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_FLOATS = frozenset({"float16", "float32", "float64", "bfloat16"})
_by_name = itemgetter(1)  # of a StoredTensor


def find_in_graph(
    stored: StoredModel, graph: GraphModel, specs: Callable[[], Specs] | None = None
) -> tuple[Variable, ...]:
    """Return every variable of the graph and every entry of the container, sorted by name.

    specs: gives what find_specs has found, where that is wanted elsewhere too.
    """
    nodes = [at for at, node in enumerate(graph.nodes) if node.op in VARIABLE_OPS]
    if not nodes and not stored.tensors:
        return _frozen_weights(graph)
    return _with_graph(stored, graph, nodes, specs or (lambda: find_specs(stored, graph)))


class _Place(NamedTuple):
    """Where a graph keeps one variable: its node, or the nodes of its parts."""

    name: str
    key: str | None
    nodes: tuple[int, ...]
    parts: tuple[Part, ...]


def _with_graph(
    stored: StoredModel, graph: GraphModel, nodes: list[int], specs: Callable[[], Specs]
) -> tuple[Variable, ...]:
    places = _places(stored, graph, nodes)
    by_key = {tensor.key: tensor for tensor in stored.tensors}
    taken = {place.key for place in places}
    entries = [_entry(graph, place, by_key.get(place.key or "")) for place in places]
    entries += [(tensor, None, ()) for tensor in stored.tensors if tensor.key not in taken]
    names = {at: place.name for place in places for at in place.nodes}
    known: dict[str, tuple[RoleTriple, Basis]] = {
        name: (triple, "confirmed") for name, triple in find_roles(stored, names, specs()).items()
    }
    weights: dict[str, Basis] = {}
    if stored.objects:
        stated, weights = state_roles(stored)
        known.update(stated)
    ordered = sorted((tensor for tensor, _, _ in entries), key=_by_name)
    told = zip(ordered, guess_roles(ordered), strict=True)
    guessed = {tensor.name: role for tensor, role in told if role is not None}
    found = []
    for tensor, node, parts in entries:
        key = tensor.key if tensor.key in by_key else None
        guess: tuple[RoleTriple, Basis] = guessed.get(tensor.name, PLAIN), "inferred"
        if tensor.name not in guessed:
            guess = PLAIN, weights.get(tensor.name, "unknown")
        (role, slot_of, slot), basis = known.get(tensor.name, guess)
        found.append(
            Variable._make(
                (tensor.name, tensor.shape, tensor.dtype, role, slot_of, slot, key, tensor.nbytes,
                 basis, node, parts)
            )
        )  # fmt: skip
    found.sort(key=lambda variable: (variable.name, variable.checkpoint_key or ""))
    return tuple(found)


def _places(stored: StoredModel, graph: GraphModel, nodes: list[int]) -> list[_Place]:
    """Return the graph's variables; those that were saved in parts are one."""
    keys = {tensor.key: tensor for tensor in stored.tensors}
    saver_scope = stored.meta.saver[1].rpartition("/")[0]
    saved = find_saved_keys(graph, saver_scope)
    if keys:
        saved = tuple(entry for entry in saved if entry.key in keys)
    places: list[_Place] = []
    placed: set[int] = set()
    used: set[str] = set()
    sliced: dict[str, list[SavedKey]] = {}
    for entry in saved:
        if entry.offset:
            sliced.setdefault(entry.key, []).append(entry)
        elif entry.node not in placed and entry.key not in used:
            placed.add(entry.node)
            used.add(entry.key)
            name = _name_of(graph.nodes[entry.node], keys.get(entry.key))
            places.append(_Place(name, entry.key, (entry.node,), ()))
    for key, entries in sliced.items():
        unique = sorted(set(entries), key=lambda entry: (entry.offset, entry.node))
        if key in used or any(entry.node in placed for entry in unique):
            continue
        parts = tuple(Part(graph.nodes[e.node].name, e.offset, e.shape) for e in unique)
        places.append(_Place(key, key, tuple(e.node for e in unique), parts))
        placed.update(e.node for e in unique)
        used.add(key)
    by_name = {tensor.name: tensor.key for tensor in stored.tensors}
    named = {place.name: number for number, place in enumerate(places) if not place.parts}
    for at in nodes:
        if at not in placed:
            name = graph.nodes[at].name
            if name in named:  # Keras 3 saves a copy under another name; signatures read this one
                places[named[name]] = places[named[name]]._replace(nodes=(at,))
                continue
            key_of_name = by_name.get(name)
            if key_of_name in used:
                key_of_name = None
            places.append(_Place(name, key_of_name, (at,), ()))
            used.update([key_of_name] if key_of_name else [])
    return places


def _name_of(node: Node, tensor: StoredTensor | None) -> str:
    """An object checkpoint has names of its own; anywhere else the graph's name counts."""
    if tensor is not None and tensor.key.endswith(_VALUE):
        return tensor.name
    return node.name


def _entry(
    graph: GraphModel, place: _Place, tensor: StoredTensor | None
) -> tuple[StoredTensor, str | None, tuple[Part, ...]]:
    node = graph.nodes[place.nodes[0]]
    if tensor is not None:
        entry = tensor._replace(name=place.name)
    else:
        shape = _whole_shape(place.parts) if place.parts else _shape_of(node)
        entry = StoredTensor("", place.name, shape, _dtype_of(node), None)
    return entry, None if place.parts else node.name, place.parts


def _shape_of(node: Node) -> Dims:
    value = node.attrs.get("shape")
    return value.dims if isinstance(value, ShapeValue) else None


def _dtype_of(node: Node) -> str | None:
    value = node.attrs.get("dtype")
    return value if isinstance(value, str) else None


def _whole_shape(parts: Iterable[Part]) -> Dims:
    ends = [tuple(a + b for a, b in zip(p.offset, p.shape, strict=True)) for p in parts]
    return tuple(max(sizes) for sizes in zip(*ends, strict=True))


def _frozen_weights(graph: GraphModel) -> tuple[Variable, ...]:
    """A frozen graph keeps its weights as float Consts of rank 1 and more."""
    found = []
    for node in graph.nodes:
        value = node.attrs.get("value") if node.op == "Const" else None
        if isinstance(value, TensorValue) and value.shape and value.dtype in _FLOATS:
            found.append(
                Variable(node.name, value.shape, value.dtype, basis="inferred", node=node.name)
            )
    return tuple(sorted(found, key=lambda variable: variable.name))

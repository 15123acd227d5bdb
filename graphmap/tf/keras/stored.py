"""The weights in a file, whatever container it is, with every name that users may call them by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphmap.analysis.optimizer_states import find_optimizers
from graphmap.model.graph import Dims
from graphmap.model.meta import ObjectNode
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.model.variable import Variable
from graphmap.opening import OpenedModel

__all__ = ["StoredFile", "StoredWeight"]

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_PLACE = re.compile(r"(?:.*/)?vars/\d+")
_NO_WEIGHT = re.compile(  # groups of Keras files that hold no layers
    r"(?:_?compile_)?_?metrics/.*vars/|(?:.*/)?[^/]*optimizer/(?:.*/)?vars/|optimizer_weights/"
)
_WEIGHT_ROLES = ("weight", "other")


@dataclass(frozen=True)
class StoredWeight:
    """A stored tensor that may be a weight. names: what it may be called in a map; key first.

    place: its path in the structure of the model, as `live.py` tells it; None where there is none.
    """

    key: str
    shape: Dims
    dtype: str | None
    names: tuple[str, ...]
    place: str | None = None


@dataclass(frozen=True)
class StoredFile:
    """An opened file of any kind, seen from a Keras model."""

    opened: OpenedModel

    @property
    def path(self) -> str:
        """The path as the user typed it."""
        return self.opened.stored.path

    @cached_property
    def weights(self) -> tuple[StoredWeight, ...]:
        """Every stored tensor that may be a weight, in key order."""
        return tuple(
            StoredWeight(key, v.shape, v.dtype, _names(v, key), _place(key))
            for v in self.opened.variables
            if (key := v.checkpoint_key) is not None and self._may_be_weight(v, key)
        )

    @cached_property
    def by_key(self) -> Mapping[str, StoredWeight]:
        """The weights by key."""
        return {weight.key: weight for weight in self.weights}

    @cached_property
    def by_alias(self) -> Mapping[str, tuple[StoredWeight, ...]]:
        """The weights by each of their names; several where a name is not unique."""
        found: dict[str, tuple[StoredWeight, ...]] = {}
        for weight in self.weights:
            for name in weight.names:
                found[name] = (*found.get(name, ()), weight)
        return found

    @cached_property
    def nodes(self) -> tuple[ObjectNode, ...]:
        """The object graph, whose edges lead to nodes that are there; empty without one."""
        objects = self.opened.stored.objects
        count = len(objects)
        return tuple(
            node._replace(children=tuple(c for c in node.children if 0 <= c[1] < count))
            for node in objects
        )

    @cached_property
    def shapes(self) -> Mapping[str, Dims]:
        """The shape of every stored tensor, by key."""
        return {tensor.key: tensor.shape for tensor in self.opened.stored.tensors}

    @cached_property
    def layer_lists(self) -> tuple[tuple[str, ...], ...]:
        """Keys of the weights of each layer of an h5 file, in order; () in any other file."""
        facts = self.opened.stored.keras
        if facts is None or not facts.layers:
            return ()
        lists = [facts.weight_lists.get(group, ()) for group in facts.layers]
        return tuple(keys for keys in lists if keys)

    @cached_property
    def optimizers(self) -> tuple[StoredOptimizer, ...]:
        """Every optimizer whose state is stored."""
        return find_optimizers(self.opened.stored)

    @property
    def wrapper_options(self) -> Mapping[str, Any]:
        """The options of the outermost optimizer, as the file's config tells them."""
        facts = self.opened.stored.keras
        config = (facts.optimizer or {}).get("config") if facts is not None else None
        return config if isinstance(config, dict) else {}

    @cached_property
    def layer_names(self) -> Mapping[str, str]:
        """{group of a Keras file: name of its layer}, where Keras 3 wrote it; else empty."""
        facts = self.opened.stored.keras
        return {} if facts is None else facts.layer_names

    def node_at(self, path: str) -> int | None:
        """Return the object at a path of attribute names from the root; None where none is."""
        at: int | None = 0 if self.nodes else None
        for step in path.split("/") if path else ():
            at = None if at is None else dict(self.nodes[at].children).get(step)
        return at

    @cached_property
    def _of_optimizers(self) -> frozenset[str]:
        found = {OBJECT_GRAPH}
        for one in self.optimizers:
            found.update(slot.key for slot in one.slots)
            found.update((*one.scalars.values(), *one.unpaired))
            found.update(key for key in (one.iterations, one.learning_rate) if key)
        return frozenset(found)

    def _may_be_weight(self, variable: Variable, key: str) -> bool:
        if key in self._of_optimizers or _NO_WEIGHT.match(key):
            return False
        return variable.role in _WEIGHT_ROLES or _place(key) is not None


def _place(key: str) -> str | None:
    return key if _PLACE.fullmatch(key) else None


def _names(variable: Variable, key: str) -> tuple[str, ...]:
    """Return the name, the key, and the last two parts of the name, which layers go by."""
    return tuple(dict.fromkeys((variable.name, key, "/".join(variable.name.split("/")[-2:]))))

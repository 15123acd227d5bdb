"""Which stored tensor each weight of a live Keras model gets, or why that cannot be known.

Asked in this order: the caller's map; the structure (places in Keras' own containers, edges of an
object graph); equal names; the matcher. Structure and names must not contradict each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from graphmap.errors import NameMapError, RestoreError, UnresolvedNameError
from graphmap.matching import MatchSettings, Side, match_variables, rank_candidates
from graphmap.model.namemap import Decision
from graphmap.model.variable import Variable
from graphmap.tf.keras.live import LiveModel, LiveWeight, is_ordered
from graphmap.tf.keras.objects import pair_objects
from graphmap.tf.keras.stored import StoredFile, StoredWeight
from graphmap.tf.maps import as_name_map
from graphmap.tf.suggest import did_you_mean, no_counterpart

__all__ = ["Pairing", "pair_weights", "structure"]


@dataclass
class Pairing:
    """{live weight: stored one}, the layouts that are not "same", and what decided."""

    pairs: dict[LiveWeight, StoredWeight] = field(default_factory=dict)
    layouts: dict[LiveWeight, str] = field(default_factory=dict)
    how: str = ""


def pair_weights(
    live: LiveModel, stored: StoredFile, name_map: Any = None, *, trained_only: bool = False
) -> Pairing:
    """Pair every weight; random states are paired where they are stored.

    trained_only: moving statistics and frozen weights may be missing too.
    Raises NameMapError for a map that cannot be meant, UnresolvedNameError for weights that have
    no certain counterpart.
    """
    needed = live.trainable if trained_only else tuple(_lasting(live))
    pinned = Pairing(how="name_map")
    if name_map is not None:
        _take_map(pinned, name_map, live, stored)
    if all(weight in pinned.pairs for weight in needed):
        return pinned
    for attempt in (_by_structure, _by_equal_names):
        found = attempt(live, stored, needed)
        if found is not None and _agree(found, pinned):
            found.pairs.update(pinned.pairs)
            found.layouts.update(pinned.layouts)
            return found
    return _by_matching(live, stored, needed, pinned)


def _lasting(live: LiveModel) -> list[LiveWeight]:
    """Return all but the states of random generators."""
    return [weight for weight in live.weights if not weight.is_random_state]


def _agree(found: Pairing, pinned: Pairing) -> bool:
    """Whether what was found leaves room for what the caller said."""
    free = {w: s.key for w, s in found.pairs.items() if w not in pinned.pairs}
    taken = {s.key for s in pinned.pairs.values()}
    if taken & set(free.values()):
        return False
    return all(found.pairs.get(w, s).key == s.key for w, s in pinned.pairs.items()) or not free


def _take_map(pinned: Pairing, name_map: Any, live: LiveModel, stored: StoredFile) -> None:
    uses = Counter(weight.short for weight in live.weights)
    by_name = {weight.short: weight for weight in live.weights if uses[weight.short] == 1}
    by_name |= {weight.place: weight for weight in live.weights if weight.place}
    by_name |= {weight.name: weight for weight in live.weights}
    for decision in as_name_map(name_map).matched:
        weight = by_name.get(decision.expected)
        if weight is None:
            near = rank_candidates(decision.expected, by_name)
            raise NameMapError(
                f"names {decision.expected!r}, which is no weight of the model",
                where="name_map",
                remedy=f"A map goes {{weight of the model: stored name}}. {did_you_mean(near)}",
            )
        if decision.actual is None:
            raise RestoreError(
                f"has layout {decision.layout!r}, which is not restored yet",
                where=decision.expected,
                remedy="Nothing has been assigned. Convert the file first: graphmap convert",
            )
        pinned.pairs[weight] = _stored_named(decision, stored)
        if decision.layout not in ("same", "tied"):
            pinned.layouts[weight] = decision.layout


def _stored_named(decision: Decision, stored: StoredFile) -> StoredWeight:
    name = str(decision.checkpoint_key or decision.actual)
    found = stored.by_alias.get(name, ())
    if len(found) == 1:
        return found[0]
    if found:
        keys = tuple(weight.key for weight in found)
        raise UnresolvedNameError(
            f"of name_map stands for {len(found)} tensors in {stored.path}",
            where=name,
            remedy=f"Give one of their keys: {', '.join(keys[:5])}",
            candidates=keys,
        )
    near = rank_candidates(name, stored.by_alias)
    raise UnresolvedNameError(
        f"of name_map is not stored in {stored.path}",
        where=name,
        remedy=f"{did_you_mean(near)} A map goes {{weight of the model: stored name}}.",
        candidates=near,
    )


# Structure -----------------------------------------------------------------------------------


def structure(live: LiveModel, stored: StoredFile) -> dict[LiveWeight, StoredWeight] | None:
    """Pair by places or by edges; None where they, with shapes, do not cover both sides."""
    by = _by_edges if stored.nodes else _by_layers if stored.layer_lists else _by_place
    found = by(live, stored)
    return found if found is not None and all(_fits(w, s) for w, s in found.items()) else None


def _by_structure(
    live: LiveModel, stored: StoredFile, needed: Sequence[LiveWeight]
) -> Pairing | None:
    """Raises UnresolvedNameError where names say that another pairing is meant."""
    found = structure(live, stored)
    if found is None or not all(weight in found for weight in needed):
        return None
    crossed = _crossed(found)
    if crossed is not None:
        weight, other = crossed
        raise UnresolvedNameError(
            f"lies in the place of {weight.name}, but {other.name} of the model is called so, and "
            "has the same shape",
            where=f"{stored.path}: {found[weight].names[0]}",
            remedy="Nothing has been assigned. Say which is meant with "
            f'name_map={{"{weight.name}": ..., "{other.name}": ...}}.',
            candidates=(weight.name, other.name),
        )
    return Pairing(found, how="structure")


def _by_place(live: LiveModel, stored: StoredFile) -> dict[LiveWeight, StoredWeight] | None:
    by_place = {weight.place: weight for weight in stored.weights if weight.place is not None}
    found = {w: by_place.pop(w.place) for w in live.weights if w.place in by_place}
    is_whole = all(weight in found for weight in _lasting(live))
    rest = [p for p in by_place if p is not None and "seed_generator/" not in p]
    return found if is_whole and not rest else None


def _by_layers(live: LiveModel, stored: StoredFile) -> dict[LiveWeight, StoredWeight] | None:
    """Pair the layers of an h5 file with those of the model, in order, where a graph orders them.

    Within a layer h5 has what is trained first (_legacy_weights of Keras' hdf5_format.py).
    """
    if not is_ordered(live.model, live.flavour):
        return None
    mine = [[*layer.trainable_weights, *layer.non_trainable_weights] for layer in live.model.layers]
    mine = [weights for weights in mine if weights]
    by_id = {id(weight.variable): weight for weight in live.weights}
    if [len(weights) for weights in mine] != [len(keys) for keys in stored.layer_lists]:
        return None
    rows = zip(chain.from_iterable(mine), chain.from_iterable(stored.layer_lists), strict=True)
    found: dict[LiveWeight, StoredWeight] = {}
    for variable, key in rows:
        weight, actual = by_id.get(id(variable)), stored.by_key.get(key)
        if weight is None or actual is None or _leaf(weight.name) != _leaf(actual.names[0]):
            return None
        found[weight] = actual
    return found if all(weight in found for weight in _lasting(live)) else None


def _short(name: str) -> str:
    return "/".join(name.split("/")[-2:])


def _leaf(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(":0")


def _by_edges(live: LiveModel, stored: StoredFile) -> dict[LiveWeight, StoredWeight] | None:
    ways = pair_objects(stored.nodes, live)
    if len(ways) != 1:
        return None
    keys = {weight: stored.nodes[at].key for weight, at in ways[0].items()}
    if any(key not in stored.by_key for key in keys.values()):
        return None
    return {weight: stored.by_key[str(key)] for weight, key in keys.items()}


def _fits(weight: LiveWeight, stored: StoredWeight) -> bool:
    return stored.shape == weight.shape


def _crossed(
    found: dict[LiveWeight, StoredWeight],
) -> tuple[LiveWeight, LiveWeight] | None:
    """Return a pair of weights that names would exchange; automatic names tell nothing."""
    uses = Counter(weight.short for weight in found)
    by_name = {weight.short: weight for weight in found if uses[weight.short] == 1}
    for weight, actual in found.items():
        called = _short(actual.names[0])
        other = by_name.get(called)
        if other is None or other is weight or other.shape != weight.shape:
            continue
        if not _is_automatic(called, other):
            return weight, other
    return None


def _is_automatic(name: str, weight: LiveWeight) -> bool:
    """Whether Keras made a layer's name: its class in snake case, and a count."""
    layer = name.rpartition("/")[0].rpartition("/")[2]
    if weight.place is None:
        return False
    owner = weight.place.rpartition("/vars/")[0].rpartition("/")[2]
    return re.fullmatch(rf"{re.escape(re.sub(r'_[0-9]+$', '', owner))}(_\d+)?", layer) is not None


# Names ---------------------------------------------------------------------------------------


def _by_equal_names(
    live: LiveModel, stored: StoredFile, needed: Sequence[LiveWeight]
) -> Pairing | None:
    """Pair where every weight is stored under its own name and with its own shape."""
    found = {
        weight: stored.by_alias[weight.name][0]
        for weight in live.weights
        if len(stored.by_alias.get(weight.name, ())) == 1
    }
    if not all(w in found and _fits(w, found[w]) for w in needed):
        return None
    return Pairing(found, how="names")


def _by_matching(
    live: LiveModel, stored: StoredFile, needed: Sequence[LiveWeight], pinned: Pairing
) -> Pairing:
    needed = [weight for weight in live.weights if weight in set(needed)]
    pins = {weight.name: actual.names[0] for weight, actual in pinned.pairs.items()}
    candidates = tuple(_candidate(weight) for weight in stored.weights)
    name_map = match_variables(
        Side(tuple(Variable(w.name, w.shape, w.dtype) for w in needed), ordered=True),
        Side(candidates, stored.opened.stored.graph),
        MatchSettings(pins=pins),
    )
    unresolved = [*name_map.ambiguous, *name_map.unmatched]
    if unresolved:
        raise _no_counterpart(unresolved, len(needed), stored)
    by_name = {weight.name: weight for weight in needed}
    by_actual = {weight.names[0]: weight for weight in stored.weights}
    result = Pairing(how="matching")
    for decision in name_map.matched:
        weight = by_name[decision.expected]
        if decision.actual is None:
            raise _no_counterpart([decision], len(needed), stored)
        result.pairs[weight] = by_actual[decision.actual]
        if decision.layout not in ("same", "tied"):
            result.layouts[weight] = decision.layout
    result.layouts.update(pinned.layouts)
    return result


def _candidate(weight: StoredWeight) -> Variable:
    return Variable(weight.names[0], weight.shape, weight.dtype, checkpoint_key=weight.key)


def _no_counterpart(
    decisions: Sequence[Decision], total: int, stored: StoredFile
) -> UnresolvedNameError:
    names = [weight.names[0] for weight in stored.weights]
    return no_counterpart(decisions, f"{len(decisions)} of {total} weights", names, stored.path)

"""Every variable of graph and container, once, with its role.

Structure speaks first: save ops tell key and node, update ops and object graphs tell slots. Names
come last, and what rests on them is `inferred`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING

from graphmap.analysis.slot_names import RoleTriple, guess_roles, tell_nothing
from graphmap.model.collector import collector_paused
from graphmap.model.stored import ListedTensors, StoredModel, StoredTensor, columns_of
from graphmap.model.variable import Basis, Variable

if TYPE_CHECKING:
    from graphmap.analysis.train_ops import Specs
    from graphmap.model.graph import Dims

__all__ = ["find_variables"]

_by_name = itemgetter(1)  # of a StoredTensor


@collector_paused()
def find_variables(
    stored: StoredModel, specs: Callable[[], Specs] | None = None
) -> tuple[Variable, ...]:
    """Return every variable of the graph and every entry of the container, sorted by name.

    specs: gives what the graph tells of training, where that is wanted elsewhere too.
    """
    if stored.graph is not None:
        from graphmap.analysis.graph_variables import find_in_graph  # a listing need not pay

        return find_in_graph(stored, stored.graph, specs)
    return _without_graph(stored)


def _without_graph(stored: StoredModel) -> tuple[Variable, ...]:
    if isinstance(stored.tensors, ListedTensors):
        tensors: Sequence[StoredTensor] = stored.tensors.by_name()
    else:
        tensors = sorted(stored.tensors, key=_by_name)
    columns = columns_of(tensors)
    told: dict[str, tuple[RoleTriple, Basis]] = {}
    weights: dict[str, Basis] = {}
    if stored.objects or stored.keras is not None:
        from graphmap.analysis.state_roles import state_roles  # needless in most checkpoints

        told, weights = state_roles(stored)
    make = partial(tuple.__new__, Variable)  # a third faster than Variable(...)
    quiet = not (told or weights)  # but for names
    if quiet and tell_nothing(*columns[:4]):
        return tuple(map(make, _weights(*columns)))
    found: list[Variable] = []
    add = found.append
    for (key, name, shape, dtype, size), guess in zip(tensors, guess_roles(tensors), strict=True):
        if quiet and guess is None:
            add(make((name, shape, dtype, "weight", None, None, key, size, "unknown", None, ())))
            continue
        known = told.get(name) if told else None
        triple, basis = known if known is not None else (guess, "inferred")
        if triple is None:
            basis = weights.get(name, "unknown") if weights else "unknown"
            add(make((name, shape, dtype, "weight", None, None, key, size, basis, None, ())))
            continue
        role, slot_of, slot = triple
        add(make((name, shape, dtype, role, slot_of, slot, key, size, basis, None, ())))
    return tuple(found)


def _weights(
    keys: Sequence[str],
    names: Sequence[str],
    shapes: Sequence[Dims],
    dtypes: Sequence[str | None],
    sizes: Sequence[int | None],
) -> Iterator[tuple[object, ...]]:
    """Yield the fields of variables that are weights, for all that is known."""
    none = repeat(None)
    told = repeat("weight"), none, none, keys, sizes, repeat("unknown"), none, repeat(())
    return zip(names, shapes, dtypes, *told)  # noqa: B905 - some columns have no end

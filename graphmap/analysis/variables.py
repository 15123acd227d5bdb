"""Every variable of graph and container, once, with its role.

Structure speaks first: save ops tell key and node, update ops and object graphs tell slots. Names
come last, and what rests on them is `inferred`.
"""

from __future__ import annotations

import gc
from functools import partial
from operator import itemgetter

from graphmap.analysis.slot_names import RoleTriple, guess_roles
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable

__all__ = ["find_variables"]

_by_name = itemgetter(1)  # of a StoredTensor


def find_variables(stored: StoredModel) -> tuple[Variable, ...]:
    """Return every variable of the graph and every entry of the container, sorted by name."""
    if stored.graph is not None:
        from graphmap.analysis.graph_variables import find_in_graph  # a listing need not pay

        return find_in_graph(stored, stored.graph)
    collecting = gc.isenabled()
    gc.disable()  # 100,000 tuples that stay alive: collecting would be two thirds of the time
    try:
        return _without_graph(stored)
    finally:
        if collecting:
            gc.enable()


def _without_graph(stored: StoredModel) -> tuple[Variable, ...]:
    tensors = sorted(stored.tensors, key=_by_name)
    exact: dict[str, RoleTriple] = {}
    if stored.slot_variables:
        from graphmap.analysis.object_slots import object_slots  # needless in most checkpoints

        exact = object_slots(stored)
    make = partial(tuple.__new__, Variable)  # a third faster than Variable(...)
    found: list[Variable] = []
    add = found.append
    for (key, name, shape, dtype, size), guess in zip(tensors, guess_roles(tensors), strict=True):
        triple = exact.get(name) or guess if exact else guess
        if triple is None:
            add(make((name, shape, dtype, "weight", None, None, key, size, "unknown", None, ())))
            continue
        role, slot_of, slot = triple
        basis = "confirmed" if name in exact else "inferred"
        add(make((name, shape, dtype, role, slot_of, slot, key, size, basis, None, ())))
    return tuple(found)

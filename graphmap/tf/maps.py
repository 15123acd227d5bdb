"""Name maps in the forms that TensorFlow's own loaders take."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from graphmap.errors import NameMapError
from graphmap.formats.namemap_json import load_name_map
from graphmap.matching import rank_candidates
from graphmap.model.namemap import NameMap
from graphmap.model.variable import Variable
from graphmap.tf.assigning import STORED_AS_IS
from graphmap.tf.live import expected_variables, live_model, live_variables, variable_object
from graphmap.tf.suggest import did_you_mean

__all__ = ["STORED_AS_IS", "as_name_map", "assignment_map", "var_list"]


def as_name_map(name_map: Any) -> NameMap:
    """Take a NameMap, a path to map.json, or a plain mapping {new variable: stored variable}."""
    if isinstance(name_map, NameMap):
        return name_map
    if isinstance(name_map, str | os.PathLike):
        return load_name_map(os.fspath(name_map))
    if isinstance(name_map, Mapping):
        return load_name_map(name_map)
    raise NameMapError(
        f"is a {type(name_map).__name__}, not a name map",
        where="name_map",
        remedy="Pass a NameMap, a path to map.json, or a dict {new variable: stored variable}.",
    )


def var_list(name_map: Any, graph: Any) -> dict[str, Any]:
    """Return {checkpoint key: tf.Variable} for `tf.compat.v1.train.Saver(var_list)`.

    A partitioned variable is the list of its pieces, which the Saver takes as one.
    """
    variables = {variable.name: variable for variable in expected_variables(live_model(graph))}
    lives = live_variables(graph)
    found: dict[str, Any] = {}
    faults = []
    for decision in as_name_map(name_map).matched:
        variable = variables.get(decision.expected)
        if variable is None:
            near = rank_candidates(decision.expected, variables)
            faults.append(f"{decision.expected} is no variable of the graph. {did_you_mean(near)}")
        elif decision.layout not in STORED_AS_IS or decision.actual is None:
            faults.append(f"{decision.expected} has layout {decision.layout}")
        else:
            key = decision.checkpoint_key or decision.actual
            if key in found:
                faults.append(f"{decision.expected} shares {key!r} with another variable")
            found[key] = _objects(variable, lives)
    if faults:
        raise NameMapError(
            f"cannot be a var_list: {'; '.join(faults[:5])}",
            where="name_map",
            remedy="Use gmtf.restore(session, path, name_map), which needs no var_list.",
        )
    return found


def assignment_map(name_map: Any, graph: Any) -> dict[str, Any]:
    """Return {checkpoint key: tf.Variable} for `tf.compat.v1.train.init_from_checkpoint`.

    Variables, not names: names break in a graph that was imported under a scope.
    """
    return var_list(name_map, graph)


def _objects(variable: Variable, lives: Mapping[str, Any]) -> Any:
    if variable.parts:
        return [variable_object(lives[part.node]) for part in variable.parts]
    return variable_object(lives[variable.node or variable.name])

"""The expected names of the code you have, as a listing that `graphmap match` takes."""

from __future__ import annotations

import os
from typing import Any

from graphmap.files import write_atomic
from graphmap.model.variable import Variable
from graphmap.tf.live import expected_variables, live_model

__all__ = ["write_listing"]


def write_listing(graph: Any, path: str | os.PathLike[str]) -> int:
    """Write `NAME [d0,d1,...] dtype` of each variable, in creation order; returns how many.

    A partitioned variable is one line under its full name. `?` is an unknown size.
    """
    variables = expected_variables(live_model(graph))
    write_atomic(path, "".join(_line(variable) for variable in variables).encode())
    return len(variables)


def _line(variable: Variable) -> str:
    if variable.shape is None:
        return f"{variable.name}\n"
    sizes = ",".join("?" if size is None else str(size) for size in variable.shape)
    return f"{variable.name} [{sizes}] {variable.dtype or ''}".rstrip() + "\n"

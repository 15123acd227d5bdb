"""Live objects by duck typing: variables, Keras models, modules, state dicts, trees of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphmap.errors import UsageError
from graphmap.names import op_name

__all__ = ["live_items", "live_values"]

DEEPEST = 64  # levels of a tree; a list that holds itself has no end


def live_items(source: Any) -> list[tuple[Any, Any]] | None:
    """Return (name, what has a shape) of a live object in its order; None where it is none.

    Known are what has `state_dict()` (torch), `weights` and `layers` (Keras), `variables`
    (tf.Module), `get_collection` (tf.Graph), a mapping of names, nested mappings and sequences of
    arrays (Flax, Haiku, Optax), and an iterable of names or of objects with a name.
    """
    if callable(getattr(source, "state_dict", None)):
        return list(source.state_dict().items())
    if hasattr(source, "weights") and hasattr(source, "layers"):
        return [_named(one) for one in source.weights]
    if callable(getattr(source, "get_collection", None)):
        return [_named(one) for one in source.get_collection("variables")]
    if isinstance(source, Mapping):
        return list(_branches(source, "", 0))
    if hasattr(source, "variables") and not hasattr(source, "shape"):
        return [_named(one) for one in source.variables]
    if isinstance(source, str) or not isinstance(source, Iterable):
        return None
    items = list(source)
    if items and all(_is_array(item) and not isinstance(_name_of(item), str) for item in items):
        return list(_branches(items, "", 0))
    return [_named(one) for one in items]


def live_values(source: Any) -> dict[str, Any]:
    """Return {name: value} of a live object; raises UsageError where it holds no values."""
    items = live_items(source)
    values = {op_name(str(name)): value for name, value in items or () if _is_array(value)}
    if not values or len(values) != len(items or ()):
        raise UsageError(
            f"gave a {type(source).__name__}, which holds no named values",
            where="loader",
            remedy="Return a state_dict, a Keras model, variables, or a tree of arrays.",
        )
    return values


def _named(item: Any) -> tuple[Any, Any]:
    if isinstance(item, str):
        return item, None
    return _name_of(item), item


def _name_of(item: Any) -> Any:
    return getattr(item, "path", None) or getattr(item, "name", None)  # Keras 3 has both


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_shape(value: Any) -> bool:
    """Whether a sequence is a shape: sizes, None, or objects with a `value` (tf.Dimension)."""
    return isinstance(value, list | tuple) and all(
        one is None or isinstance(one, int) or hasattr(one, "value") for one in value
    )


def _branches(tree: Any, path: str, depth: int) -> Iterator[tuple[Any, Any]]:
    """Yield the leaves of a tree; the names of its levels are joined by a slash."""
    if depth > DEEPEST:
        raise UsageError(
            f"is nested more than {DEEPEST} deep",
            where=path[:100],
            remedy="Give a tree of arrays without a branch that holds itself.",
        )
    pairs = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, value in pairs:
        name = f"{path}/{key}" if path else key
        branch = isinstance(value, Mapping) or (
            isinstance(value, list | tuple) and bool(value) and not _is_shape(value)
        )
        if branch and not _is_array(value):
            yield from _branches(value, str(name), depth + 1)
        else:
            yield name if path else (key if isinstance(key, str) else str(key)), value

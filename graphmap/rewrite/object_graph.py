"""The object graph of a checkpoint under other names: full names, keys, and paths from the root.

TensorFlow finds a variable of an object checkpoint by the path of attribute names from the root,
then reads the key that its node carries. So a new key needs a new path: attribute names along the
way are changed where every variable below them moves so, else the node gets a second path.

Source: tensorflow/core/protobuf/trackable_object_graph.proto; keys: trackable/trackable_utils.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from graphmap.formats.bundle_writer import encode_field
from graphmap.formats.wire import fields
from graphmap.rewrite.wire_edit import edit, edit_text

__all__ = ["rewrite_object_graph"]

_ATTRIBUTES = "/.ATTRIBUTES/"
_SLOT = "/.OPTIMIZER_SLOT/"
_NODE, _CHILD, _ATTRIBUTE = 1, 1, 2  # field numbers
_CHILD_ID, _LOCAL_NAME = 1, 2
_FULL_NAME, _KEY = 2, 3


class _Child(NamedTuple):
    node: int
    name: str


def rewrite_object_graph(
    data: bytes, full_names: Mapping[str, str], keys: Mapping[str, str | None]
) -> bytes:
    """Return a TrackableObjectGraph under other names; raises WireError.

    full_names: {checkpoint key: new full name}, for what changes. keys: {old key: new key} of all
    that is stored; None for a key that is left out: its node loses its value.
    """
    nodes = [value for number, value in fields(data) if number == _NODE and type(value) is bytes]
    children = [list(_children(node)) for node in nodes]
    moved = {old: new for old, new in keys.items() if new is not None}
    plan = _moves(children, moved, [_is_bare(node) for node in nodes])
    position = -1

    def change_node(node: bytes) -> bytes | None:
        nonlocal position
        position += 1
        if position in plan.dead:
            return None
        return _change_node(node, position, plan, full_names, keys)

    out = edit(data, {_NODE: change_node})
    farthest = max((child.node for found in plan.added.values() for child in found), default=0)
    for _ in range(len(nodes), farthest + 1):
        out += encode_field(_NODE, change_node(b"") or b"")
    return out


class _Moves(NamedTuple):
    """How paths change: attribute names {(node, old): new}, children to add and to take away.

    dead: nodes at the end of the list that were made for a path which nothing needs any more.
    """

    edges: dict[tuple[int, str], str]
    added: dict[int, list[_Child]]
    removed: set[tuple[int, str]]
    dead: set[int]


def _change_node(
    node: bytes,
    position: int,
    plan: _Moves,
    full_names: Mapping[str, str],
    keys: Mapping[str, str | None],
) -> bytes:
    def change_child(child: bytes) -> bytes | None:
        name = _strings(child).get(_LOCAL_NAME, b"").decode("utf-8", "surrogateescape")
        if (position, name) in plan.removed:
            return None
        new_name = plan.edges.get((position, name), name)
        return edit(child, {_LOCAL_NAME: edit_text(lambda _: new_name)})

    def change_attribute(attribute: bytes) -> bytes | None:
        key = _strings(attribute).get(_KEY, b"").decode("utf-8", "surrogateescape")
        new_key = keys.get(key, key)
        if new_key is None:
            return None
        changes = {_KEY: edit_text(lambda _: new_key)}
        if key in full_names:
            changes[_FULL_NAME] = edit_text(lambda _: full_names[key])
        return edit(attribute, changes)

    out = edit(node, {_CHILD: change_child, _ATTRIBUTE: change_attribute})
    for child in plan.added.get(position, ()):
        encoded = encode_field(_LOCAL_NAME, child.name.encode())
        if child.node:
            encoded = encode_field(_CHILD_ID, child.node) + encoded
        out += encode_field(_CHILD, encoded)
    return out


def _moves(children: list[list[_Child]], keys: Mapping[str, str], is_bare: list[bool]) -> _Moves:
    paths = []
    for old, new in keys.items():
        if _SLOT in old or _ATTRIBUTES not in old or _ATTRIBUTES not in new:
            continue  # a slot hangs on its primary, by number
        old_path, new_path = (_components(key.partition(_ATTRIBUTES)[0]) for key in (old, new))
        trail = _walk(children, old_path)
        if trail is not None:
            paths.append((trail, old_path, new_path))
    edges = _changed_names(children, paths)
    after = [
        [_Child(c.node, edges.get((at, c.name), c.name)) for c in found]
        for at, found in enumerate(children)
    ]
    moves = _Moves(edges, {}, set(), set())
    for trail, old_path, new_path in paths:
        before = _walk(children, new_path)
        reached = _walk(after, new_path)
        if reached is None or reached[-1] != trail[-1]:
            _add_path(after, moves.added, new_path, trail[-1])
        elif before is not None and before[-1] == trail[-1] and new_path != old_path:
            moves.removed.add((trail[-2], old_path[-1]))  # it had both paths
    _bury(children, moves, is_bare)
    return moves


def _bury(children: list[list[_Child]], moves: _Moves, is_bare: list[bool]) -> None:
    """Mark nodes at the end of the list that hold nothing and lead nowhere any more."""
    for node in reversed(range(1, len(children))):
        left = [c for c in children[node] if (node, c.name) not in moves.removed]
        if left or not children[node] or not is_bare[node] or node in moves.added:
            return
        moves.dead.add(node)
        for parent, found in enumerate(children):
            moves.removed.update((parent, c.name) for c in found if c.node == node)


def _is_bare(node: bytes) -> bool:
    """Whether a node has children and nothing else."""
    return all(number == _CHILD for number, _ in fields(node))


def _changed_names(
    children: list[list[_Child]], paths: list[tuple[list[int], list[str], list[str]]]
) -> dict[tuple[int, str], str]:
    """Return the attribute names that every variable below agrees to change."""
    wanted: dict[tuple[int, str], set[str]] = {}
    for trail, old_path, new_path in paths:
        if len(old_path) == len(new_path):
            for node, one, other in zip(trail, old_path, new_path, strict=False):
                wanted.setdefault((node, one), set()).add(other)
    stay = _unmoved(children, paths)
    edges = {
        edge: next(iter(names))
        for edge, names in wanted.items()
        if len(names) == 1 and edge not in stay and names != {edge[1]}
    }
    return {
        (node, old): new
        for (node, old), new in edges.items()
        if all(c.name != new or (node, c.name) in edges for c in children[node])
    }


def _unmoved(
    children: list[list[_Child]], paths: list[tuple[list[int], list[str], list[str]]]
) -> set[tuple[int, str]]:
    """Return edges that are on the way to a variable whose path keeps that attribute name."""
    stay = set()
    for trail, old, new in paths:
        for node, one, other in zip(trail, old, [*new, *old[len(new) :]], strict=False):
            if one == other or len(old) != len(new):
                stay.add((node, one))
    return stay


def _add_path(
    children: list[list[_Child]], added: dict[int, list[_Child]], path: list[str], target: int
) -> None:
    """Make `path` lead from the root to `target`, with new nodes where there are none."""
    node = 0
    for depth, name in enumerate(path):
        last = depth == len(path) - 1
        found = next((child.node for child in children[node] if child.name == name), None)
        if found is None or (last and found != target):
            if last:
                found = target
            else:
                found = len(children)
                children.append([])
            child = _Child(found, name)
            children[node].append(child)
            added.setdefault(node, []).append(child)
        node = found


def _walk(children: list[list[_Child]], path: list[str]) -> list[int] | None:
    """Return the nodes along a path, the root first; None where it breaks off."""
    trail = [0]
    for name in path:
        if not 0 <= trail[-1] < len(children):
            return None
        found = next((child.node for child in children[trail[-1]] if child.name == name), None)
        if found is None:
            return None
        trail.append(found)
    return trail if trail[-1] < len(children) else None


def _components(path: str) -> list[str]:
    """Split a key's path; in a name "/" is written ".S" and "." is "..".

    >>> _components("model/layer-0/a.Sb")
    ['model', 'layer-0', 'a/b']
    """
    return [part.replace(".S", "/").replace("..", ".") for part in path.split("/")]


def _children(node: bytes) -> Iterator[_Child]:
    for number, value in fields(node):
        if number == _CHILD and isinstance(value, bytes):
            told = dict(fields(value))
            name, target = told.get(_LOCAL_NAME, b""), told.get(_CHILD_ID, 0)
            if isinstance(name, bytes) and isinstance(target, int):
                yield _Child(target, name.decode("utf-8", "surrogateescape"))


def _strings(data: bytes) -> dict[int, bytes]:
    return {number: value for number, value in fields(data) if isinstance(value, bytes)}

"""Names of nodes and checkpoint keys, from a plan over variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from graphmap.errors import NameMapError
from graphmap.model.variable import Variable
from graphmap.rewrite.plan import RenamePlan, follow_slot

__all__ = ["NodeNames", "checkpoint_keys", "node_names"]

# ops.py: _VALID_OP_NAME_REGEX
_VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_SHOWN = 5


class NodeNames:
    """New names of nodes: a variable's node, and what lies under its name."""

    def __init__(self, roots: Mapping[str, str]) -> None:
        self._roots = dict(roots)
        self._known: dict[str, str] = {}

    def node(self, name: str) -> str:
        """Return the new op name."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._find(name)
        return found

    def _find(self, name: str) -> str:
        head = name
        while head:
            new = self._roots.get(head)
            if new is not None:
                return new + name[len(head) :]
            head = head.rpartition("/")[0]
        return name

    def tensor(self, text: str) -> str:
        """Return the new form of an op name, a tensor name `a:0` or a control input `^a`."""
        if text.startswith("^"):
            return "^" + self.node(text[1:])
        head, colon, slot = text.rpartition(":")
        if colon and slot.isascii() and slot.isdigit():
            return f"{self.node(head)}:{slot}"
        return self.node(text)

    def location(self, text: str) -> str:
        """Return the new form of a `_class` entry, "loc:@NAME"."""
        prefix = "loc:@"
        return prefix + self.node(text[len(prefix) :]) if text.startswith(prefix) else text


def node_names(variables: Iterable[Variable], plan: RenamePlan, where: str) -> NodeNames:
    """Return the new names of the nodes of a graph; raises NameMapError for impossible ones.

    A variable that the plan leaves out keeps its name: the graph still needs it.
    """
    roots: dict[str, str] = {}
    for variable in variables:
        old = variable.name
        new = plan.first(old) or old
        if variable.node is not None:
            roots[variable.node] = new if variable.node == old else _moved(variable.node, old, new)
        primary = variable.slot_of or old
        new_primary = plan.first(primary) or primary
        for part in variable.parts:  # of a slot: PRIMARY/part_0/Adam
            moved = follow_slot(part.node, primary, new_primary)
            roots[part.node] = part.node if moved is None else moved
    bad = sorted(new for old, new in roots.items() if new != old and not _VALID.fullmatch(new))
    if bad:
        raise NameMapError(
            f"{len(bad)} new names are no names of nodes: {', '.join(bad[:_SHOWN])}",
            where=where,
            remedy="Use letters, digits and _.-/>; the first a letter, digit or dot.",
        )
    return NodeNames(roots)


def _moved(node: str, old: str, new: str) -> str:
    """Return the new name of a variable's node that is not called as the variable is."""
    if node.startswith(f"{old}/"):
        return new + node[len(old) :]
    return new if old != new else node


def checkpoint_keys(
    variables: Iterable[Variable], plan: RenamePlan, full_names: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return {old key: new keys} of every stored variable.

    A variable of an object checkpoint that is called by its full name keeps its key; one that is
    called by its key, which then lacks the suffix, gets a new key with it.
    """
    keys: dict[str, tuple[str, ...]] = {}
    for variable in variables:
        key = variable.checkpoint_key
        if key is None:
            continue
        new = plan.names[variable.name]
        if full_names.get(key) == variable.name or new == (variable.name,):
            keys[key] = (key,) if new else ()
        elif key.startswith(f"{variable.name}/.ATTRIBUTES/"):
            suffix = key[len(variable.name) :]
            keys[key] = tuple(name if "/.ATTRIBUTES/" in name else name + suffix for name in new)
        else:
            keys[key] = new
    return keys

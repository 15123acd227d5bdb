"""The difference of two named collections, and the parts that make up a whole diff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["Change", "Rename", "Section", "compare"]

Basis = Literal["content", "inferred"]  # equal bytes or dataflow; or what the matcher says


class Rename(NamedTuple):
    """The same thing under two names."""

    a: str
    b: str
    basis: Basis


class Change(NamedTuple):
    """A thing of both sides that differs: {field: (in A, in B)}."""

    a: str
    b: str
    fields: Mapping[str, tuple[Any, Any]]


class Section(NamedTuple):
    """Names that both sides share unchanged, and all others."""

    shared: tuple[str, ...] = ()
    renamed: tuple[Rename, ...] = ()
    changed: tuple[Change, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.renamed or self.changed or self.added or self.dropped)


def compare(
    a: Iterable[str],
    b: Iterable[str],
    fields: Callable[[str, str], Mapping[str, tuple[Any, Any]]],
    renames: Callable[[list[str], list[str]], Iterable[Rename]] = lambda _a, _b: (),
) -> Section:
    """Compare two collections of names; every name of a side stands in one place, in its order.

    fields: what differs between an entry of A and one of B, {} for nothing. renames: which of
    the names that only one side has mean the same thing.
    """
    names_a, names_b = dict.fromkeys(a), dict.fromkeys(b)
    only_a = [name for name in names_a if name not in names_b]
    only_b = [name for name in names_b if name not in names_a]
    pairs = {rename.a: rename for rename in renames(only_a, only_b)} if only_a and only_b else {}
    taken = {rename.b for rename in pairs.values()}
    shared, renamed, changed = [], [], []
    for name in names_a:
        rename = pairs.get(name)
        if rename is None and name not in names_b:
            continue
        other = name if rename is None else rename.b
        differs = fields(name, other)
        if differs:
            changed.append(Change(name, other, differs))
        elif rename is not None:
            renamed.append(rename)
        else:
            shared.append(name)
    return Section(
        tuple(shared),
        tuple(renamed),
        tuple(changed),
        tuple(name for name in only_b if name not in taken),
        tuple(name for name in only_a if name not in pairs),
    )

"""What a rename is asked to do, passed as one from writer to writer."""

from __future__ import annotations

from typing import NamedTuple

from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable
from graphmap.rewrite.plan import RenamePlan

__all__ = ["RewriteRequest", "RewriteSettings"]


class RewriteSettings(NamedTuple):
    """link: share the data files. compact: leave dead bytes out. force: replace what is there.

    sync: wait until the disk has all of it, so that a power cut, too, leaves old or new.
    """

    link: bool = False
    compact: bool = False
    force: bool = False
    sync: bool = True


class RewriteRequest(NamedTuple):
    """An artifact, the new names of its variables, where it goes (`out`), and how."""

    stored: StoredModel
    variables: tuple[Variable, ...]
    plan: RenamePlan
    out: str
    settings: RewriteSettings

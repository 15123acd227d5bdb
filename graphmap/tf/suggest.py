"""What to say about names that come close to one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphmap.errors import UnresolvedNameError
from graphmap.matching import rank_candidates
from graphmap.model.namemap import Decision

__all__ = ["did_you_mean", "no_counterpart", "same_ending"]

SHOWN = 5  # names, and candidates of each, that an error tells


def same_ending(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are `name` under some scope.

    >>> same_ending("W", ["my_model/W", "my_model/W_1", "W/Adam"])
    ['my_model/W']
    """
    return [other for other in names if other.endswith(f"/{name}")]


def did_you_mean(candidates: tuple[str, ...]) -> str:
    """Return the sentence that offers them, or says that nothing comes close."""
    if not candidates:
        return "Nothing in it comes close."
    return f"Did you mean {', '.join(candidates)}?"


def no_counterpart(
    decisions: Sequence[Decision], what: str, stored: Sequence[str], where: str, otherwise: str = ""
) -> UnresolvedNameError:
    """Return the error for names without a certain counterpart, with candidates for the first five.

    what: how many of how many. otherwise: what else could be done, after the remedy.
    """
    ranked = [
        tuple(candidate.actual for candidate in decision.candidates[:SHOWN])
        or rank_candidates(decision.expected, stored)
        for decision in decisions[:SHOWN]
    ]
    lines = [
        f"{decision.expected} ({decision.status}): {', '.join(names) or 'nothing close'}"
        for decision, names in zip(decisions, ranked, strict=False)
    ]
    more = f"; and {len(decisions) - SHOWN} more" if len(decisions) > SHOWN else ""
    return UnresolvedNameError(
        f"{what} have no certain counterpart. Candidates, best first: {'; '.join(lines)}{more}",
        where=where,
        remedy="Nothing has been assigned. Say what is meant with "
        f'name_map={{"{decisions[0].expected}": ...}}{otherwise}.',
        candidates=ranked[0],
    )

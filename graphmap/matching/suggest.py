"""Did you mean: names that look like one that is not there."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["rank_candidates"]

FLOOR = 55.0  # rapidfuzz points of 100; below it a suggestion only distracts


def rank_candidates(name: str, names: Iterable[str], limit: int = 5) -> tuple[str, ...]:
    """Return the names most like `name`, best first, at most `limit`.

    A name that ends in `name` as whole segments stands first (W: my_model/W).
    """
    from rapidfuzz import fuzz, process

    wanted = name.removesuffix(":0")
    pool = sorted(set(names))
    tails = sorted((n for n in pool if n.endswith("/" + wanted)), key=lambda n: (len(n), n))
    found = process.extract(
        wanted[:1000], [n[:1000] for n in pool], scorer=fuzz.WRatio, limit=limit, score_cutoff=FLOOR
    )
    ranked = sorted(found, key=lambda row: (-row[1], len(row[0]), row[2]))
    return tuple(dict.fromkeys([*tails, *(pool[row[2]] for row in ranked)]))[:limit]

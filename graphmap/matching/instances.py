"""A model that a session made several times: `net` and `net_1` are two models, not two layers.

TensorFlow numbers the scope of whatever is made again. Where nearly all that is stored lies in such
scopes of like contents, and no more is asked for than one of them holds, the number names a model:
it becomes a word, so that whole scopes are compared (`twins.py`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

__all__ = ["tell_instances"]

NUMBERED = re.compile(r"(.*[^0-9_])_([1-9])")
SEPARATORS = re.compile(r"([/.])")
FEWEST = 10  # variables of a model
LIKE = 0.8  # share of the contents that two of them have in common
COVERED = 0.9  # share of all that is stored that lies in them
MOST = 1.25  # times as many names as one of them holds that may be asked for


def tell_instances(wanted: Sequence[str], pool: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names of both sides, with a word for the number of a model made again.

    >>> net = [f"layer/{word}" for word in "abcdefghij"]
    >>> pool = [f"{root}/{name}" for root in ("net", "net_1") for name in net]
    >>> mine, theirs = tell_instances([f"net_1/{name}" for name in net], pool)
    >>> mine[0], theirs[0], theirs[-1]
    ('net_copyb/layer/a', 'net/layer/a', 'net_copyb/layer/j')
    """
    depth = _shared_depth(pool)
    models: dict[str, set[str]] = defaultdict(set)
    for name in pool if len(wanted) * MOST < len(pool) else ():
        parts = SEPARATORS.split(name)
        models["".join(parts[: depth + 1])].add("".join(parts[depth + 1 :]))
    renamed: dict[str, str] = {}
    for head, contents in models.items():
        found = NUMBERED.fullmatch(head)
        first = models.get(found[1]) if found is not None else None
        if found is None or first is None or len(first) < FEWEST:
            continue
        like = len(first & contents) >= LIKE * max(len(first), len(contents))
        both = sum(len(models[h]) for h in models if h == found[1] or _base(h) == found[1])
        if like and both >= COVERED * len(pool) and len(wanted) <= MOST * len(first):
            renamed[head] = f"{found[1]}_copy{chr(ord('a') + int(found[2]))}"
    if not renamed:
        return list(wanted), list(pool)
    ends = {SEPARATORS.split(h)[-1]: SEPARATORS.split(new)[-1] for h, new in renamed.items()}
    return [_with(ends, name) for name in wanted], [_with(ends, name) for name in pool]


def _base(head: str) -> str:
    found = NUMBERED.fullmatch(head)
    return "" if found is None else found[1]


def _shared_depth(names: Sequence[str]) -> int:
    """Return how many parts, separators among them, all names have in common at their beginning."""
    if not names:
        return 0
    first, last = (SEPARATORS.split(name) for name in (min(names), max(names)))
    depth = 0
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return depth - depth % 2


def _with(words: dict[str, str], name: str) -> str:
    return "".join([words.get(part, part) for part in SEPARATORS.split(name)])

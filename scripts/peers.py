"""How others match names, as far as they can be run here: each gives {expected: actual}."""

from __future__ import annotations

import difflib
import io
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np

Shapes = dict[str, tuple[int, ...] | None]
Peer = Callable[[Shapes, Shapes], dict[str, str]]
SECONDS = 20  # a case may take, then it counts as no answer
CUTOFF = 60.0  # of 100: below it rapidfuzz's score says nothing


def exact(expected: Shapes, actual: Shapes) -> dict[str, str]:
    """Equal names."""
    return {name: name for name in expected if name in actual}


def longest_suffix(expected: Shapes, actual: Shapes) -> dict[str, str]:
    """Detectron2's rule, restated from its description: the longest stored name that is the end of
    the expected one, at a dot or slash; dropped where shapes differ or two names claim one."""
    pairs: dict[str, str] = {}
    for name in expected:
        ends = [a for a in actual if name == a or name.endswith(("." + a, "/" + a))]
        if ends:
            best = max(ends, key=len)
            if _same_shape(expected[name], actual[best]):
                pairs[name] = best
    claims = list(pairs.values())
    return {name: a for name, a in pairs.items() if claims.count(a) == 1}


def closest(expected: Shapes, actual: Shapes) -> dict[str, str]:
    """difflib.get_close_matches for each name, one candidate."""
    names = list(actual)
    found = {}
    for name in expected:
        near = difflib.get_close_matches(name, names, 1)
        if near:
            found[name] = near[0]
    return found


def token_sort(expected: Shapes, actual: Shapes) -> dict[str, str]:
    """rapidfuzz token_sort_ratio, equal sizes only, one-to-one by total score (greedily without
    scipy)."""
    from rapidfuzz import fuzz, process, utils

    rows, columns = list(expected), list(actual)
    scores = process.cdist(
        rows, columns, scorer=fuzz.token_sort_ratio, processor=utils.default_process
    )
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if not _same_size(expected[row], actual[column]):
                scores[i, j] = 0.0
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        pairs = _greedy(scores)
    else:
        pairs = list(zip(*linear_sum_assignment(scores, maximize=True), strict=True))
    return {rows[i]: columns[j] for i, j in pairs if scores[i, j] >= CUTOFF}


def _greedy(scores: np.ndarray) -> Iterator[tuple[int, int]]:
    order = np.argsort(-scores, axis=None, kind="stable")
    rows, columns = set(), set()
    for i, j in zip(*np.unravel_index(order, scores.shape), strict=True):
        if i not in rows and j not in columns:
            rows.add(i)
            columns.add(j)
            yield int(i), int(j)


def weightbridge(expected: Shapes, actual: Shapes) -> dict[str, str]:
    """weightbridge.adapt on values that tell where they come from; nothing where it gives up."""
    import weightbridge as bridge

    names = [name for name, shape in actual.items() if shape is not None]
    given = {n: np.full(actual[n], at, np.float32) for at, n in enumerate(names)}  # type: ignore[arg-type]
    wanted = {n: np.full(s, -1, np.float32) for n, s in expected.items() if s is not None}
    try:
        with redirect_stdout(io.StringIO()):  # it prints whatever it cannot pair
            made = bridge.adapt(given, wanted, ignore_unmatched_inputs=True)
    except Exception:  # it raises ValueError, AssertionError and others where it cannot pair all
        return {}
    found = {}
    for name, value in made.items():
        ids = np.unique(np.asarray(value))
        if len(ids) == 1 and 0 <= ids[0] < len(names):
            found[name] = names[int(ids[0])]
    return found


def peers() -> dict[str, Peer]:
    """Return the peers that are installed here, simplest first."""
    found: dict[str, Peer] = {
        "equal names": exact,
        "longest suffix (Detectron2's rule)": longest_suffix,
        "difflib": closest,
        "rapidfuzz token_sort + shapes + assignment": token_sort,
    }
    try:
        import weightbridge as _  # noqa: F401
    except ImportError:
        return found
    return {**found, "weightbridge": weightbridge}


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after some seconds; Unix only."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _same_shape(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> bool:
    return one is None or other is None or one == other


def _same_size(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> bool:
    if one is None or other is None:
        return True
    return int(np.prod(one)) == int(np.prod(other))

"""Doing one thing for each of many items, whoever does it: this process, others, a cluster.

All three are a `concurrent.futures.Executor`, so there is one way through. Few items wait at any
time, each is given away once, and one whose reader dies is told and does not end the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from graphmap.errors import GraphmapError, MissingDependencyError, UsageError
from graphmap.scanning.items import Item

__all__ = ["Crew", "cluster", "each", "processes"]

T = TypeVar("T")
_PATIENCE = "5s"  # until a scheduler must have answered
_AHEAD = 4  # items that wait for each worker
_DEATHS = "KilledWorker"  # distributed's word for a task that took several workers down


class Crew(NamedTuple):
    """Who works. start: makes an executor of that many workers. workers: how many there are."""

    start: Callable[[int], AbstractContextManager[Executor]]
    workers: int


def processes(jobs: int) -> Crew:
    """Return a crew on this machine; one job is this process itself."""
    return Crew(_pool if jobs > 1 else _alone, jobs)


class Answer(NamedTuple, Generic[T]):
    """What a worker returned; None where it died."""

    result: T | None


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """Connect to a Dask scheduler; its workers see the same files under the same paths.

    Raises MissingDependencyError without `distributed`, UsageError where no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError as cause:
        raise MissingDependencyError(
            "needs the package distributed",
            where="--scheduler",
            remedy="Run: pip install 'graphmap[fleet]'",
        ) from cause
    try:
        client = Client(address, set_as_default=False, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as cause:
        raise UsageError(
            f"no Dask scheduler answers ({type(cause).__name__})",
            where=address[:200],
            remedy="Start one with `dask scheduler`, and give the address that it prints.",
        ) from cause
    with client:
        threads = sum(client.nthreads().values())
        yield Crew(lambda _: client.get_executor(), max(1, threads))


def each(
    work: Callable[[Item], T], items: Iterable[Item], crew: Crew
) -> Iterator[tuple[Item, T | None]]:
    """Yield every item once with what `work` returns, in the order they are done.

    None stands for an item whose worker died. Raises GraphmapError where the cluster goes away.
    """
    rest = iter(items)
    while (stranded := (yield from _until_broken(work, rest, crew))) is not None:
        for item in stranded:  # one of them took the pool down: each gets one of its own
            with crew.start(1) as executor:
                answer = _result(executor.submit(work, item))
                yield item, None if answer is None else answer.result


def _until_broken(
    work: Callable[[Item], T], items: Iterator[Item], crew: Crew
) -> Generator[tuple[Item, T | None], None, list[Item] | None]:
    """Work until all is done, returning None, or the pool breaks, returning what is not done."""
    pending: dict[Future[T], Item] = {}
    with crew.start(crew.workers) as executor:
        while True:
            while len(pending) < crew.workers * _AHEAD and (item := next(items, None)) is not None:
                try:
                    pending[executor.submit(work, item)] = item
                except BrokenExecutor:
                    return [item, *pending.values()]
            if not pending:
                return None
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                answer = _result(future)
                if answer is None:
                    return list(pending.values())
                yield pending.pop(future), answer.result


def _result(future: Future[T]) -> Answer[T] | None:
    """Return the answer, or None where the pool broke."""
    try:
        return Answer(future.result())
    except BrokenExecutor:
        return None
    except Exception as cause:
        if type(cause).__name__ == _DEATHS:
            return Answer(None)
        raise GraphmapError(
            f"the cluster went away ({type(cause).__name__})",
            where="--scheduler",
            remedy="Run the same command again: it goes on where it stopped.",
        ) from cause


class _Here(Executor):
    """Does each thing at once, in this process."""

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Return a future that is done."""
        future: Future[T] = Future()
        future.set_result(work(*args, **kwargs))
        return future


def _alone(_: int) -> AbstractContextManager[Executor]:
    return _Here()


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

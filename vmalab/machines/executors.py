"""Who does much work: the cores of this machine, or a Dask cluster; both as an executor of `concurrent.futures`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from typing import TypeVar

from vmalab.errors import UsageError

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 3
"""So many jobs for each worker are handed out at a time: the work may be endless, and its jobs large."""
PATIENCE = 20
"""Seconds until a cluster has to answer."""


@contextmanager
def executor(jobs: int | None = None, cluster: str | None = None) -> Iterator[tuple[Executor, int]]:
    """An executor, and how many jobs it works on at a time.

    `jobs`: processes of this machine, by default one for each core.  `cluster`: the address of a Dask scheduler, such
    as `"tcp://host:8786"`, on whose workers this version of vmalab is installed.  Raises UsageError where it is not
    there.
    """
    if cluster is None:
        from concurrent.futures import ProcessPoolExecutor  # which not every system can load
        from multiprocessing import get_context

        jobs = jobs or os.cpu_count() or 1
        with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_ignore_interrupts) as pool:
            try:
                yield pool, jobs
            except BaseException:  # what is not begun is not wanted any more
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UsageError("--cluster needs distributed: pip install 'vmalab[cluster]'") from None
    try:
        client = Client(cluster, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"there is no Dask scheduler at {cluster}: {str(error).splitlines()[0]}") from None
    with client:
        at_once = sum(client.nthreads().values())
        if not at_once:
            raise UsageError(
                f"the Dask scheduler at {cluster} has no workers yet: start some with dask worker {cluster}"
            )
        with client.get_executor(pure=False) as remote:
            yield remote, at_once


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that hands out the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_order(pool: Executor, function: Callable[[T], R], work: Iterable[T], at_once: int) -> Iterator[R]:
    """As map, lazily: results in the order of `work`, never more than `AHEAD` jobs for each worker handed out."""
    waiting: list[Future[R]] = []
    for job in work:
        waiting.append(pool.submit(function, job))
        if len(waiting) >= AHEAD * at_once:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def as_done(
    pool: Executor, function: Callable[[T], R], work: Iterable[T], at_once: int
) -> Iterator[tuple[T, Future[R]]]:
    """Each job with its future as soon as that is done, in whatever order; as lazily as `in_order`."""
    waiting: dict[Future[R], T] = {}
    left = iter(work)
    more = True
    while more or waiting:
        while more and len(waiting) < AHEAD * at_once:
            try:
                job = next(left)
            except StopIteration:
                more = False
                break
            waiting[pool.submit(function, job)] = job
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future

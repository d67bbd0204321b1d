"""Each entry in a process of its own: one that hangs, or takes all memory, ends alone.

This is what runs on a worker of Dask. A worker has a thread for each entry that it may score at the
same time, and each thread waits for a process.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from atomsight.batch.dataset import FAILED
from atomsight.batch.fetched import fetch
from atomsight.batch.job import Ended, Job
from atomsight.batch.score import fail, score
from atomsight.processes import end_with_parent, use_processors

STARTED = ".started"
"""Folder with a file for each entry that is being scored: how often it was begun."""

THREADS = (
    *("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    "POLARS_MAX_THREADS",
)
"""Variables by which libraries are told how many threads they may start."""

_SIGNALS = {-9: "signal 9, as when no memory is left", -11: "signal 11, a crash"}

_pool: Any = None
_waiting: set[Any] = set()
_stopped = False
_lock = Lock()


def attempt(job: Job, workers: int) -> Ended | Job:
    """Fetch or score an entry in a process of its own, again where that is ended from outside.

    Parameters
    ----------
    job : Job
    workers : int
        How many entries this worker scores at the same time.

    Returns
    -------
    Ended or Job
        The job with its files, where they were still to be fetched.
    """
    from pebble import ProcessExpired  # noqa: PLC0415  (optional library)

    with _begun(job) as begun:
        if begun > job.settings.retries + 1:
            return fail(
                job,
                begun,
                "killed",
                "RunEnded",
                f"{begun - 1} runs ended while they scored this entry (no memory left on the "
                "machine, or its time was up); --only-failed tries it again",
            )
        ends: list[int] = []
        while len(ends) <= job.settings.retries:
            number = begun + len(ends)
            try:
                ended = _in_child(job, number, workers)
            except ProcessExpired as exc:
                ends.append(int(exc.exitcode))
            except CancelledError:
                # the run ends: no fault of the entry, and no row
                return Ended(job.entry.name, FAILED, unwritten="the run was stopped")
            except TimeoutError:
                limit = job.settings.timeout
                message = f"not done after {limit:g} s (--timeout)"
                return fail(job, number, "timeout", "TimeoutError", message, limit)
            else:
                return ended
        why = _SIGNALS.get(ends[-1], f"exit code {ends[-1]}")
        message = f"its process was ended {len(ends)} times ({why})"
        return fail(job, begun + len(ends) - 1, "killed", "ProcessExpired", message)


def _in_child(job: Job, number: int, workers: int) -> Ended | Job:
    """Do what comes next in a process, and wait for it."""
    task = score if job.entry.fetched else fetch
    with _lock:
        pool = _children(workers, job.settings.options.threads or 1)
        future = pool.schedule(task, args=[job, number], timeout=job.settings.timeout or None)
        _waiting.add(future)
    try:
        ended: Ended | Job = future.result()
        return ended
    finally:
        _waiting.discard(future)


@contextmanager
def children_allowed() -> Iterator[None]:
    """Where this process is the worker: end all of its processes when a run ends, however it does.

    Entries that were waiting for one end too, rather than begin another.
    """
    global _stopped  # noqa: PLW0603
    _stopped = False
    try:
        yield
    finally:
        _stop_children()


def _stop_children() -> None:
    global _pool, _stopped  # noqa: PLW0603
    with _lock:
        _stopped = True
        # pebble leaves those that wait for a stopped pool waiting
        for future in list(_waiting):
            future.cancel()
        if _pool is not None:
            _pool.stop()
            _pool.join()
        _pool = None


def _children(workers: int, threads: int) -> Any:
    """The processes of this worker, for who holds the lock; pebble replaces those that end."""
    from pebble import ProcessPool  # noqa: PLC0415  (optional library)

    global _pool  # noqa: PLW0603
    if _stopped:
        raise CancelledError
    if _pool is None:
        # a worker under a nanny may have no children of its own unless it says so
        multiprocessing.current_process().daemon = False
        # entries run side by side: more threads of one would take from the others
        for name in THREADS:
            os.environ[name] = str(threads)
        _pool = ProcessPool(
            max_workers=workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(threads,),
        )
    return _pool


def _begin(threads: int) -> None:
    """Start of a process."""
    end_with_parent()
    use_processors(threads)


def forget_start(job: Job) -> None:
    """Take away the note that an entry was begun.

    Parameters
    ----------
    job : Job
    """
    with suppress(OSError):
        (job.settings.folder / STARTED / job.entry.name).unlink(missing_ok=True)


@contextmanager
def _begun(job: Job) -> Iterator[int]:
    """Note on disk that an entry is begun, and tell how often it was, this time included.

    The note goes when the entry ends, however it does; it stays where the whole worker dies, so
    that an entry that takes its worker with it does not do so for ever.
    """
    place = job.settings.folder / STARTED / job.entry.name
    before = 0
    with suppress(OSError, ValueError):
        before = int(place.read_text(encoding="ascii"))
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(before + 1), encoding="ascii")
    try:
        yield before + 1
    finally:
        forget_start(job)

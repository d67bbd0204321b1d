"""Keep a few entries on their way through a cluster until each has its row."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any

from atomsight.batch.children import children_allowed, forget_start
from atomsight.batch.cluster import MEMORY, Connection, Place, Running, connected
from atomsight.batch.job import Ended, Job
from atomsight.batch.score import fail
from atomsight.batch.workers import Capacity, Workers, attempt_here, own_version
from atomsight.errors import ClusterError, OutputError

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of how many)."""

PATIENCE = 600.0
"""Seconds that a scheduler which was lost is waited for."""

_AHEAD = 2
"""Entries on their way for each that is being scored: enough that no worker idles."""

_PAUSE = 1.0
_LOOK_AGAIN = 5.0
_GIB = 2**30

_log = logging.getLogger("atomsight")


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes
    ----------
    total : int
        Rows of the manifest, or of its shard.
    kept : int
        Entries whose results of an earlier run stand.
    done, failed : int
        Entries of this run.
    steps : Counter
        Where entries failed → how many.
    scoring : float
        Seconds that the entries of this run took, added up.
    seconds : float
        From start to end.
    """

    total: int = 0
    kept: int = 0
    done: int = 0
    failed: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    scoring: float = 0.0
    seconds: float = 0.0

    def count(self, ended: Ended) -> None:
        """Add one entry.

        Parameters
        ----------
        ended : Ended

        Raises
        ------
        OutputError
            If its row could not be written.
        """
        if ended.unwritten:
            raise OutputError(
                f"{ended.unwritten}; {self.done + self.failed} entries of this run are kept: make "
                "room, and go on with --resume"
            )
        self.scoring += ended.seconds
        if ended.step:
            self.failed += 1
            self.steps[ended.step] += 1
        else:
            self.done += 1


class _LostError(Exception):
    """The scheduler went, with all that it knew."""


@contextmanager
def _noticing() -> Iterator[None]:
    """Whatever Dask raises when its scheduler goes, as one error."""
    from distributed.client import ClosedClientError  # noqa: PLC0415

    try:
        yield
    except (OSError, TimeoutError, CancelledError, ClosedClientError, RuntimeError) as exc:
        raise _LostError(str(exc).partition("\n")[0] or type(exc).__name__) from None


class Driver:
    """Sends jobs to a cluster and counts what comes back.

    Parameters
    ----------
    jobs : iterator of Job or Ended
        Those that are Ended failed before they began.
    report : Report
        Counted in here.
    progress : callable, optional
    """

    def __init__(
        self, jobs: Iterator[Job | Ended], report: Report, progress: Progress | None = None
    ) -> None:
        self._jobs = jobs
        self._report = report
        self._progress = progress
        self._again: list[Job] = []
        self._killed: Counter[str] = Counter()
        self._number = 0

    def run(self, place: Place) -> None:
        """Go on until every job has ended.

        A scheduler that runs by itself and is lost is waited for, and what was on its way is sent
        again.

        Parameters
        ----------
        place : Local, Running or Slurm

        Raises
        ------
        OutputError
            If a row cannot be written.
        ClusterError
            If the cluster cannot be reached, or is lost and does not come back, or a worker is
            not fit to score for this run.
        """
        lost: float | None = None
        # nothing is started where nothing is left to do
        while self._has_more():
            try:
                folder = self._again[0].settings.folder
                with connected(place, folder) as connection, children_allowed():
                    if lost is not None:
                        _log.warning("connected again after %.0f s", time.monotonic() - lost)
                    lost = None
                    self._drain(connection)
            except _LostError as exc:
                if not isinstance(place, Running):
                    raise ClusterError(f"the scheduler of Dask was lost ({exc})") from None
                lost = time.monotonic()
                _log.warning("%s: the scheduler was lost; waiting for it", place.address)
            except ClusterError as exc:
                if lost is None:
                    raise
                if time.monotonic() - lost > PATIENCE:
                    raise ClusterError(
                        f"{exc}; it was lost and did not come back: go on with --resume"
                    ) from None
                time.sleep(_PAUSE)

    def _has_more(self) -> bool:
        """Whether a job is left; those that failed before they began are counted on the way."""
        while not self._again:
            job = next(self._jobs, None)
            if job is None:
                return False
            if isinstance(job, Ended):
                self._count(job)
            else:
                self._again.append(job)
        return True

    def _drain(self, connection: Connection) -> None:
        waiting: dict[Any, Job] = {}
        done: SimpleQueue[Any] = SimpleQueue()
        workers = Workers(connection)
        try:
            while True:
                if connection.client.status != "running":
                    raise _LostError("the connection broke")
                with _noticing():
                    capacity = workers.look()
                if capacity is not None:
                    self._fill(connection.client, waiting, done, capacity)
                    if not waiting:
                        return
                try:
                    future = done.get(timeout=_LOOK_AGAIN if waiting else _PAUSE)
                except Empty:
                    continue
                self._take(future, waiting)
        except (KeyboardInterrupt, SystemExit):
            # jobs of Slurm are cancelled in the middle of entries: no fault of those
            for job in waiting.values():
                forget_start(job)
            raise
        finally:
            self._again.extend(waiting.values())

    def _take(self, future: Any, waiting: dict[Any, Job]) -> None:
        """Count what came back; what its workers took along is sent again."""
        from distributed.scheduler import KilledWorker  # noqa: PLC0415  (optional library)

        if future.status == "finished":
            with _noticing():
                result = future.result()
            if isinstance(result, Job):
                # it has got its files, and is scored next
                self._again.append(result)
            else:
                self._count(result)
        elif future.status == "error":
            with _noticing():
                exc = future.exception()
            job = waiting[future]
            if (
                isinstance(exc, KilledWorker)
                and self._killed[job.entry.name] < job.settings.retries
            ):
                # nearly always another entry is to blame
                self._killed[job.entry.name] += 1
                self._again.append(job)
            elif isinstance(exc, ClusterError):
                raise exc
            elif isinstance(exc.__cause__ or exc, ImportError | AttributeError):
                raise ClusterError(
                    "the scheduler of Dask, or a worker, cannot load atomsight "
                    f"({exc.__cause__ or exc}); install the same version there"
                )
            else:
                self._count(fail(job, 1, "cluster", type(exc).__name__, str(exc)))
        elif future.status == "lost":
            self._again.append(waiting[future])
        else:
            raise _LostError("it forgot its entries")
        del waiting[future]

    def _fill(
        self,
        client: Any,
        waiting: dict[Any, Job],
        done: "SimpleQueue[Any]",
        capacity: Capacity,
    ) -> None:
        """Put as many entries on their way as keep all workers busy."""
        most = _AHEAD * capacity.all_threads + 1
        while len(waiting) < most and (job := self._next(capacity)) is not None:
            self._number += 1
            try:
                with _noticing():
                    future = client.submit(
                        attempt_here,
                        job,
                        capacity.processes,
                        own_version(),
                        # one key for all but the number: each name is remembered
                        key=("entry", self._number),
                        resources={MEMORY: job.need} if capacity.memory else None,
                        pure=False,
                    )
            except _LostError:
                self._again.append(job)
                raise
            waiting[future] = job
            future.add_done_callback(done.put)

    def _next(self, capacity: Capacity) -> Job | None:
        """The next job that fits a worker; what does not is counted as failed."""
        while True:
            job = self._again.pop() if self._again else next(self._jobs, None)
            if job is None:
                return None
            if isinstance(job, Ended):
                self._count(job)
            elif capacity.memory and job.need > capacity.memory:
                message = (
                    f"needs about {job.need / _GIB:.1f} GiB, and a worker has "
                    f"{capacity.memory / _GIB:.1f}: give it more (--memory)"
                )
                self._count(fail(job, 1, "memory", "TooLarge", message))
            elif capacity.memory:
                # estimates err: twice the need, or an even share where that is more
                share = max(2 * job.need + _GIB, capacity.memory // capacity.processes)
                return replace(job, limit=min(share, capacity.memory))
            else:
                return job

    def _count(self, ended: Ended) -> None:
        self._report.count(ended)
        if self._progress is not None:
            done = self._report.kept + self._report.done + self._report.failed
            self._progress("entries", done, self._report.total)

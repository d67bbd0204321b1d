"""Keep a few entries on their way through a cluster until each has its row."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from atomsight.batch.children import attempt, children_allowed
from atomsight.batch.cluster import MEMORY, Place, Running, connected
from atomsight.batch.job import Ended, Job
from atomsight.batch.score import fail
from atomsight.errors import ClusterError, OutputError

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of how many)."""

PATIENCE = 600.0
"""Seconds that a scheduler which was lost is waited for."""

_AHEAD = 2
"""Entries on their way for each that is being scored: enough that no worker idles."""

_PAUSE = 2.0
_LOOK_AGAIN = 5.0
_GIB = 2**30


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


@dataclass(frozen=True, slots=True)
class _Capacity:
    """What the workers of a cluster have: threads of all, of one, and bytes of one (0: unknown)."""

    all_threads: int
    threads: int
    memory: int


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
        self._number = 0
        self._capacity: _Capacity | None = None
        self._looked = 0.0

    def run(self, place: Place) -> None:
        """Go on until every job has ended.

        A scheduler that runs by itself and is lost is waited for, and what was on its way is sent
        again.

        Parameters
        ----------
        place : Local or Running

        Raises
        ------
        OutputError
            If a row cannot be written.
        ClusterError
            If the cluster cannot be reached, or is lost and does not come back.
        """
        lost: float | None = None
        while True:
            try:
                with connected(place) as client, children_allowed():
                    lost = None
                    self._drain(client)
                    return
            except (ClusterError, OSError, TimeoutError) as exc:
                if not isinstance(place, Running) or self._number == 0:
                    raise
                lost = time.monotonic() if lost is None else lost
                if time.monotonic() - lost > PATIENCE:
                    raise ClusterError(
                        f"{place.address}: the scheduler was lost and did not come back ({exc}); "
                        "go on with --resume"
                    ) from None
                time.sleep(_PAUSE)

    def _drain(self, client: Any) -> None:
        from distributed import as_completed  # noqa: PLC0415  (optional library)

        waiting: dict[Any, Job] = {}
        finished = as_completed([], loop=client.loop, raise_errors=False)  # type: ignore[no-untyped-call]
        try:
            while True:
                self._fill(client, waiting, finished)
                if not waiting:
                    return
                future = next(finished)
                if future.status == "finished":
                    self._take(future.result())
                elif future.status == "error":
                    exc = future.exception()
                    self._count(fail(waiting[future], 1, "cluster", type(exc).__name__, str(exc)))
                else:
                    raise ConnectionError("the scheduler forgot its entries")
                del waiting[future]
        finally:
            self._again.extend(waiting.values())

    def _fill(self, client: Any, waiting: dict[Any, Job], finished: Any) -> None:
        """Put as many entries on their way as keep all workers busy."""
        capacity = self._look(client)
        most = _AHEAD * capacity.all_threads + 1
        while len(waiting) < most and (job := self._next(capacity)) is not None:
            self._number += 1
            future = client.submit(
                attempt,
                job,
                capacity.threads,
                # one key for all but the number: the scheduler keeps something for each name
                key=("entry", self._number),
                resources={MEMORY: job.need} if capacity.memory else None,
                pure=False,
            )
            waiting[future] = job
            finished.add(future)

    def _next(self, capacity: _Capacity) -> Job | None:
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
                share = max(2 * job.need + _GIB, capacity.memory // capacity.threads)
                return replace(job, limit=min(share, capacity.memory))
            else:
                return job

    def _look(self, client: Any) -> _Capacity:
        """What the cluster has now; workers come and go."""
        if self._capacity is None or time.monotonic() - self._looked > _LOOK_AGAIN:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            threads = [one["nthreads"] for one in workers]
            memory = [one["resources"].get(MEMORY, 0) for one in workers]
            self._capacity = _Capacity(
                max(1, sum(threads)), max(threads, default=1), int(max(memory, default=0))
            )
            self._looked = time.monotonic()
        return self._capacity

    def _take(self, result: Ended | Job) -> None:
        """Count what has ended; what has got its files is scored next."""
        if isinstance(result, Job):
            self._again.append(result)
        else:
            self._count(result)

    def _count(self, ended: Ended) -> None:
        self._report.count(ended)
        if self._progress is not None:
            done = self._report.kept + self._report.done + self._report.failed
            self._progress("entries", done, self._report.total)

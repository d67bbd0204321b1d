"""The workers of a cluster: what they have, and whether they are fit to score for this run."""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from socket import gethostname
from typing import Any

from atomsight.batch.children import attempt
from atomsight.batch.cluster import MEMORY, Connection
from atomsight.batch.job import Ended, Job
from atomsight.errors import ClusterError

_LOOK_AGAIN = 5.0
"""Seconds between two looks at the cluster."""

_TELL_AFTER = 20.0
"""Seconds without a worker after which the user hears of it."""

_log = logging.getLogger("atomsight")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the workers of a cluster have.

    Attributes
    ----------
    all_threads : int
        Of all workers.
    processes : int
        Entries that one of them scores at the same time.
    memory : int
        Bytes of the largest; 0: unknown.
    """

    all_threads: int
    processes: int
    memory: int


@cache
def own_version() -> str:
    """Version of atomsight here; looking it up takes longer than handing out an entry.

    Returns
    -------
    str
    """
    return version("atomsight")


def attempt_here(job: Job, workers: int, needed: str) -> Ended | Job:
    """Score an entry on this worker, if its results would be those of the rest of the run.

    Parameters
    ----------
    job : Job
    workers : int
        How many entries this worker scores at the same time.
    needed : str
        Version of atomsight.

    Returns
    -------
    Ended or Job
        As `attempt` returns it.

    Raises
    ------
    ClusterError
        If this worker has another version, or does not see the folder of the data set.
    """
    found = own_version()
    if found != needed:
        raise ClusterError(
            f"{gethostname()}: the worker of Dask there has atomsight {found}, and this is "
            f"{needed}; install the same version"
        )
    if not job.settings.folder.is_dir():
        raise ClusterError(
            f"{gethostname()}: the worker of Dask there does not see {job.settings.folder}; it "
            "must be on a file system that all machines share"
        )
    return attempt(job, workers)


class Workers:
    """The workers of a cluster, who come and go.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client
        self._watch = connection.watch
        self._processes = connection.processes
        self._known: set[str] = set()
        self._capacity: Capacity | None = None
        self._looked = 0.0
        self._alone_since: float | None = None
        self._told = False

    def look(self) -> Capacity | None:
        """What the cluster has now, at most five seconds old.

        Returns
        -------
        Capacity or None
            None: it has no workers.

        Raises
        ------
        ClusterError
            If there are none and none will come, or one has no atomsight.
        OSError
            If the scheduler does not answer.
        """
        if self._capacity is None or time.monotonic() - self._looked > _LOOK_AGAIN:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._watch(len(workers))
            self._tell_of_none(len(workers))
            self._require_atomsight(list(workers))
            if workers:
                self._capacity = _capacity_of(workers.values(), self._processes)
            else:
                self._capacity = None
            self._looked = time.monotonic()
        return self._capacity

    def _require_atomsight(self, addresses: list[str]) -> None:
        """Refuse workers without it, before the first entry: they would die of it, and not say."""
        new = [address for address in addresses if address not in self._known]
        if new:
            self._known.update(new)
            answers = self._client.run(version, "atomsight", workers=new, on_error="return")
            for address, answer in answers.items():
                if isinstance(answer, ModuleNotFoundError):
                    raise ClusterError(
                        f"{address}: the worker of Dask there has no atomsight; install the same "
                        "version"
                    )

    def _tell_of_none(self, count: int) -> None:
        now = time.monotonic()
        if count:
            self._alone_since, self._told = None, False
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > _TELL_AFTER and not self._told:
            self._told = True
            _log.warning("the cluster has no workers; waiting until one comes")


def _capacity_of(workers: Iterable[Mapping[str, Any]], processes: int | None) -> Capacity:
    facts = [(one["nthreads"], int(one["resources"].get(MEMORY, 0))) for one in workers]
    memory = max(bytes_ for _, bytes_ in facts)
    # where some say how much memory they have, entries go to those alone
    threads = [number for number, bytes_ in facts if bytes_ or not memory]
    return Capacity(max(1, sum(threads)), processes or max(threads), memory)

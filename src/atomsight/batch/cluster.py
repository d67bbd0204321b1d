"""Where entries are scored: on this machine, on a running cluster of Dask, or on one of Slurm."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from atomsight.batch.slurm import Slurm
from atomsight.batch.slurm_jobs import started_jobs
from atomsight.errors import ClusterError, MissingLibraryError, ParameterError
from atomsight.processes import processors

MEMORY = "memory"
"""Name of the resource of Dask's workers."""

CONNECT = "15s"
"""How long a scheduler is given to answer."""

_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?[^\s/]+:\d+")
_GOODBYE = 2.0

_SHARE = 0.8
"""Of the memory that is free when a run starts."""

_SCHEDULER_SETTINGS = {
    # thousands of entries pass through: what the scheduler remembers of each must not grow
    "distributed.admin.low-level-log-length": 1000,
    # what nobody asked for takes processor time from the entries
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    # a worker that dies takes its entries along, and which of them was to blame is known elsewhere
    "distributed.scheduler.allowed-failures": 100,
}


@dataclass(frozen=True, slots=True)
class Local:
    """The machine that this runs on.

    Attributes
    ----------
    workers : int or None
        Entries at the same time; None: one for each processor that this process may use.
    memory : int
        Bytes for all of them; 0: four fifths of what is free.
    dashboard : bool
        Show Dask's dashboard; it needs the library bokeh.
    """

    workers: int | None = None
    memory: int = 0
    dashboard: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ParameterError(f"--workers must be at least 1, not {self.workers}")


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster of Dask that runs already.

    Attributes
    ----------
    address : str
        Of its scheduler, as ``tcp://10.0.0.1:8786``.
    """

    address: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise ParameterError(
                f"--scheduler is {self.address!r}; write it as tcp://10.0.0.1:8786"
            )


Place = Local | Running | Slurm


@dataclass(frozen=True, slots=True)
class Connection:
    """A client of a cluster, and who watches over its workers.

    Attributes
    ----------
    client : distributed.Client
    watch : callable
        Called every few seconds with the number of workers; raises ClusterError if there are none
        and none will come.
    processes : int or None
        Entries that a worker scores at the same time; None: as many as it has threads.
    """

    client: Any
    watch: Callable[[int], None] = lambda _count: None
    processes: int | None = None


def require_dask() -> None:
    """Refuse a run where its libraries are missing.

    Raises
    ------
    MissingLibraryError
        If Dask's distributed or pebble is not installed.
    """
    absent = [name for name in ("distributed", "pebble") if find_spec(name) is None]
    if absent:
        raise MissingLibraryError(
            f"a batch needs {' and '.join(absent)}, not installed here; "
            "run: pip install 'atomsight[cluster]'"
        )


@contextmanager
def connected(place: Place, folder: Path) -> Iterator[Connection]:
    """A client of the cluster; what was started for it ends with it.

    Parameters
    ----------
    place : Local, Running or Slurm
    folder : Path
        Of the data set; jobs of Slurm log there.

    Yields
    ------
    Connection

    Raises
    ------
    MissingLibraryError
        If a library is not installed.
    ClusterError
        If the cluster cannot be reached, or Slurm takes no jobs.
    """
    require_dask()
    import dask  # noqa: PLC0415  (optional library)
    from distributed import Client  # noqa: PLC0415
    from distributed.utils import silence_logging_cmgr  # noqa: PLC0415

    # what matters is said here in a line, without pages of Dask's
    with dask.config.set(_SCHEDULER_SETTINGS), silence_logging_cmgr("critical"):
        if isinstance(place, Running):
            with _reached(place.address) as client:
                yield Connection(client)
        elif isinstance(place, Slurm):
            with (
                started_jobs(place, folder) as jobs,
                Client(jobs.cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
            ):
                yield Connection(client, jobs.watch)
        else:
            with _started(place) as cluster, Client(cluster, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                yield Connection(client, processes=workers_of(place))


@contextmanager
def _reached(address: str) -> Iterator[Any]:
    from distributed import Client  # noqa: PLC0415  (optional library)

    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, ImportError) as exc:
        raise ClusterError(
            f"{address}: no scheduler of Dask answers there ({str(exc).partition(chr(10))[0]})"
        ) from None
    try:
        yield client
    finally:
        # a scheduler that is gone says no goodbye
        with suppress(OSError, TimeoutError):
            client.close(timeout=_GOODBYE)  # type: ignore[no-untyped-call]


def _started(place: Local) -> Any:
    from distributed import LocalCluster  # noqa: PLC0415  (optional library)

    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1,
        # one more than entries are scored at the same time: the next one waits at its place
        threads_per_worker=workers_of(place) + 1,
        # entries run in processes of their own, so scheduler and worker need none
        processes=False,
        memory_limit=None,
        resources={MEMORY: memory_of(place)},
        # for this machine alone: it shows names of files, and asks for no password
        dashboard_address=f"127.0.0.1:{8787 if place.dashboard else 0}",
        worker_dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def workers_of(place: Local) -> int:
    """How many entries this machine scores at the same time.

    Parameters
    ----------
    place : Local

    Returns
    -------
    int
    """
    return place.workers or processors()


def memory_of(place: Local) -> int:
    """Bytes that all entries on this machine may use together.

    Parameters
    ----------
    place : Local

    Returns
    -------
    int
    """
    import psutil  # noqa: PLC0415  (comes with distributed)
    from distributed.system import MEMORY_LIMIT  # noqa: PLC0415

    return place.memory or int(_SHARE * min(psutil.virtual_memory().available, MEMORY_LIMIT))

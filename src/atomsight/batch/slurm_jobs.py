"""Jobs of Slurm as workers of Dask, begun again where they end early."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from atomsight.batch.slurm import LOGS, Slurm, log_directives
from atomsight.errors import ClusterError, MissingLibraryError

_LOOK_AGAIN = 20.0
_SUBMITTED = 300.0
"""Seconds in which Slurm must have taken or refused all jobs."""


class Jobs:
    """The jobs of a run.

    Parameters
    ----------
    cluster : dask_jobqueue.SLURMCluster
    count : int
    logs : Path
        Where they print to.
    refusals : list of str
        What Slurm said where it took no job; grows.
    """

    def __init__(self, cluster: Any, count: int, logs: Path, refusals: list[str]) -> None:
        self.cluster = cluster
        self._count = count
        self._logs = logs
        self._refusals = refusals
        self._looked = time.monotonic()
        self._gone = 0

    def submit(self) -> None:
        """Hand all jobs to Slurm.

        Raises
        ------
        ClusterError
            If it takes none of them.
        """
        self.cluster.scale(jobs=self._count)
        end = time.monotonic() + _SUBMITTED
        while len(self.cluster.workers) < self._count and time.monotonic() < end:
            time.sleep(0.05)
        if not self._ids():
            why = self._refusals[-1] if self._refusals else "sbatch does not answer"
            raise ClusterError(f"Slurm takes no jobs: {why}")

    def watch(self, workers: int) -> None:
        """Begin jobs again that ended, such as those whose time was up.

        Parameters
        ----------
        workers : int
            How many are connected.

        Raises
        ------
        ClusterError
            If there is none, and no job is left that could become one.
        """
        if time.monotonic() - self._looked < _LOOK_AGAIN:
            return
        self._looked = time.monotonic()
        # jobs whose worker was lost are no longer among the cluster's: it makes up for them
        self.cluster.scale(jobs=self._count)
        ids = self._ids()
        if workers or not ids or _any_left(ids):
            self._gone = 0
            return
        self._gone += 1
        # a worker may have come between the two looks
        if self._gone > 1:
            raise ClusterError(
                "all jobs of Slurm ended before a worker came of them; what they printed is in "
                f"{self._logs}"
            )

    def _ids(self) -> list[str]:
        jobs = list(self.cluster.workers.values())
        return [job.job_id for job in jobs if job.job_id is not None]


@contextmanager
def started_jobs(place: Slurm, folder: Path) -> Iterator[Jobs]:
    """Jobs of Slurm that are workers of a scheduler in this process; they end with the block.

    Parameters
    ----------
    place : Slurm
    folder : Path
        Of the data set.

    Yields
    ------
    Jobs

    Raises
    ------
    MissingLibraryError
        If dask-jobqueue is not installed.
    ClusterError
        If there is no sbatch, or Slurm takes none of the jobs.
    OutputError
        If the folder for logs cannot be made.
    """
    if find_spec("dask_jobqueue") is None:
        raise MissingLibraryError(
            "--slurm needs dask-jobqueue, not installed here; run: pip install 'atomsight[cluster]'"
        )
    for program in ("sbatch", "squeue", "scancel"):
        if shutil.which(program) is None:
            raise ClusterError(f"--slurm: no {program} here; run this where jobs are submitted")
    refusals: list[str] = []
    try:
        cluster = _cluster(place, folder, refusals)
    except (OSError, RuntimeError, ValueError) as exc:
        raise ClusterError(f"--slurm: no scheduler of Dask can be started here ({exc})") from None
    try:
        jobs = Jobs(cluster, place.jobs, folder / LOGS, refusals)
        jobs.submit()
        yield jobs
    finally:
        cluster.close()


def _cluster(place: Slurm, folder: Path, refusals: list[str]) -> Any:
    import dask  # noqa: PLC0415  (optional library)

    # dask-jobqueue, when it is imported, makes Ctrl-C a quiet success
    on_interrupt = signal.getsignal(signal.SIGINT)
    from dask_jobqueue.slurm import SLURMCluster, SLURMJob  # noqa: PLC0415
    from distributed import Status  # noqa: PLC0415

    signal.signal(signal.SIGINT, on_interrupt)

    class Job(SLURMJob):
        """A job; where Slurm does not take it, that is noted, not raised into Dask's loop."""

        async def start(self) -> None:
            try:
                await super().start()  # type: ignore[no-untyped-call]
            except (OSError, RuntimeError, ValueError) as exc:
                refusals.append(_refusal(str(exc)))
                self.status = Status.failed

        async def close(self) -> None:
            await super().close()  # type: ignore[no-untyped-call]
            self.status = Status.closed

    site = "jobqueue.slurm"
    return SLURMCluster(
        job_cls=Job,  # type: ignore[arg-type]
        cores=place.cores,
        memory=f"{place.memory}B",
        processes=1,
        nanny=True,
        python=shlex.quote(sys.executable),
        interface=place.interface,
        # Dask looks at the memory of the worker alone, and entries are processes of their own
        worker_extra_args=[
            *("--resources", f"memory={place.for_entries}", "--memory-limit", "0"),
            *dask.config.get(f"{site}.worker-extra-args"),
        ],
        # all that is asked of Slurm is said here; a site's own additions stay
        job_directives_skip=["#SBATCH"],
        job_extra_directives=[
            *place.directives(),
            *log_directives(folder, "dask-%j"),
            *dask.config.get(f"{site}.job-extra-directives"),
        ],
        scheduler_options={
            **dask.config.get(f"{site}.scheduler-options"),
            "dashboard_address": "127.0.0.1:0",
        },
        silence_logs="critical",
    )


def _refusal(text: str) -> str:
    """What sbatch said, out of all that dask-jobqueue says of it."""
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line.startswith("sbatch:")]
    return "; ".join(said or lines[:1])


def _any_left(ids: list[str]) -> bool:
    """Whether Slurm still knows of a job that waits or runs; true where it does not answer."""
    command = ["squeue", "--noheader", "--format=%A", f"--jobs={','.join(ids)}"]
    try:
        done = subprocess.run(  # noqa: S603  (Slurm's own numbers)
            command, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return bool(done.stdout.strip()) or (done.returncode != 0 and "Invalid" not in done.stderr)

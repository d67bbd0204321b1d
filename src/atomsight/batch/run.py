"""From a manifest to a data set: what the command line calls."""

import fcntl
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomsight.batch.cluster import Place, require_dask
from atomsight.batch.dataset import DONE, begin_dataset, read_rows
from atomsight.batch.driver import Driver, Progress, Report
from atomsight.batch.entry import Entry, entry_of
from atomsight.batch.estimate import need_of
from atomsight.batch.job import Ended, Job, Settings, digest_of, fingerprint
from atomsight.batch.manifest import Row, read_manifest
from atomsight.batch.score import fail
from atomsight.errors import InputError, OutputError, ParameterError, ResultsError
from atomsight.io.files import make_folder
from atomsight.typing import PathLikeStr

_LOCK = ".lock"

_log = logging.getLogger("atomsight")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a manifest: its rows index, index + count, …

    Attributes
    ----------
    index : int
        From 0.
    count : int
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ParameterError(
                f"--shard {self.index}/{self.count}: shards are counted from 0, to {self.count - 1}"
            )


def run_batch(
    manifest: PathLikeStr,
    settings: Settings,
    place: Place,
    *,
    resume: bool = False,
    only_failed: bool = False,
    shard: Shard | None = None,
    progress: Progress | None = None,
) -> Report:
    """Score all entries of a manifest.

    An entry is finished when its row is in the data set. To go on (`resume`) keeps the rows of the
    same options, files and version of atomsight, and does the others. Numbers are those of
    `atomsight.validate`, whatever the number of workers. In a script, call this below
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    manifest : path
    settings : Settings
    place : Local, Running or Slurm
    resume : bool
        Go on in a folder that holds a run.
    only_failed : bool
        The same, and try those again that failed.
    shard : Shard, optional
        Only this part of the manifest; it always goes on.
    progress : callable, optional

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If the manifest or an option is at fault.
    ResultsError
        If the folder holds a run, and `resume` is not given.
    OutputError
        If results cannot be written, or another run is writing there.
    ClusterError
        If the cluster cannot be reached.
    """
    started = time.perf_counter()
    require_dask()
    # workers may start in another folder
    settings = settings.anywhere()
    rows = read_manifest(manifest)
    if shard is not None:
        rows = rows[shard.index :: shard.count]
    report = Report(total=len(rows))
    with alone(make_folder(settings.folder), shard):
        begin_dataset(settings.folder, alone=shard is None)
        known = read_rows(settings.folder, ["entry", "status", "digest"])
        if len(known) and not (resume or only_failed or shard):
            raise ResultsError(
                f"{settings.folder}: holds the results of {len(known)} entries: add --resume to go "
                "on, --only-failed to try those again that failed, or choose another folder with -o"
            )
        if only_failed:
            known = known.filter(known["status"] == DONE)
        stands = dict(zip(known["entry"].to_list(), known["digest"].to_list(), strict=True))
        Driver(_jobs(rows, stands, settings, report), report, progress).run(place)
    report.seconds = time.perf_counter() - started
    return report


def _jobs(
    rows: list[Row], stands: Mapping[str, str], settings: Settings, report: Report
) -> Iterator[Job | Ended]:
    """What is still to be done, one after the other as it is needed."""
    common = fingerprint(settings)
    for row in rows:
        digest = digest_of(row, common)
        if stands.get(row.name) == digest:
            report.kept += 1
            continue
        try:
            entry = entry_of(row, settings.options)
        except InputError as exc:
            job = Job(Entry(row.name, settings.options), settings, digest)
            yield fail(job, 1, "manifest", type(exc).__name__, str(exc))
        else:
            yield Job(entry, settings, digest, need=need_of(entry))


@contextmanager
def alone(folder: Path, shard: Shard | None) -> Iterator[None]:
    """Hold locks that end with this process: one run a folder, or one a shard.

    Parameters
    ----------
    folder : Path
    shard : Shard or None

    Raises
    ------
    OutputError
        If another run is writing there.
    """
    with ExitStack() as held:
        names = [(_LOCK, fcntl.LOCK_EX)]
        if shard is not None:
            names = [(_LOCK, fcntl.LOCK_SH), (f"{_LOCK}-{shard.index}", fcntl.LOCK_EX)]
        for name, kind in names:
            handle = held.enter_context((folder / name).open("w"))
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"{folder}: another run is writing here; wait for it, or choose another folder "
                    "with -o"
                ) from None
            except OSError as exc:
                # file systems of clusters may be mounted without locks
                _log.warning(
                    "%s: no locks on this file system (%s); do not start a second run in this "
                    "folder while this one goes on",
                    folder,
                    exc.strerror,
                )
                break
        yield

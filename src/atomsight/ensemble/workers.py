"""Worker processes, each with an engine of its own, that end when the run ends."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

from atomsight.density.map import Map
from atomsight.ensemble.engines.choice import AnyProtocol, make_engine
from atomsight.ensemble.engines.engine import Engine
from atomsight.ensemble.preparation import Prepared
from atomsight.ensemble.records import Generated, write_record
from atomsight.errors import AtomsightError


@dataclass(frozen=True, slots=True)
class Task:
    """What all models of a run have in common.

    Attributes
    ----------
    prepared : Prepared
    map : Map
        The box around the model.
    resolution : float
        Å.
    protocol : OpenMMProtocol or ExternalProtocol
    folder : Path
        Where models and records go.
    inputs : str
        For the records.
    """

    prepared: Prepared
    map: Map
    resolution: float
    protocol: AnyProtocol
    folder: Path
    inputs: str


def make_models(task: Task, seeds: list[int], workers: int) -> Iterator[Generated]:
    """Make the models of these seeds, and give each when its record is on disk.

    Parameters
    ----------
    task : Task
    seeds : list of int
    workers : int
        Processes.

    Yields
    ------
    Generated

    Raises
    ------
    AtomsightError
        What the first failing seed failed of; finished models stay.
    """
    others = {process.pid for process in multiprocessing.active_children()}
    # a fork of a process with threads may hang: each worker starts afresh
    pool = ProcessPoolExecutor(
        max_workers=min(workers, len(seeds)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(task,),
    )
    try:
        waiting: list[Future[Generated]] = [pool.submit(_make, seed) for seed in seeds]
        for done in as_completed(waiting):
            yield done.result()
    except BrokenProcessPool:
        raise AtomsightError(
            "a worker process was ended from outside (no memory left?); finished models are kept: "
            "run the same command again, with fewer --workers"
        ) from None
    except BaseException:
        for process in multiprocessing.active_children():
            if process.pid not in others:
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_task: Task | None = None
_engine: Engine | None = None


def _begin(task: Task) -> None:
    """Start of a worker process."""
    global _task  # noqa: PLW0603  (one process, one task)
    _task = task
    # Ctrl-C reaches the whole group; the parent ends its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on making models."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(seed: int) -> Generated:
    """One model and its record, in a worker process."""
    global _engine  # noqa: PLW0603
    if _task is None:
        raise RuntimeError("this worker was not started")
    if _engine is None:
        # here and not in `_begin`: an error there would reach nobody
        _engine = make_engine(_task.protocol, _task.prepared, _task.map, _task.resolution)
    made = replace(_engine.generate(seed, _task.folder), inputs=_task.inputs)
    write_record(made)
    return made

"""Processors and processes: how many there are to use, and that none outlives its parent."""

import multiprocessing
import os
from threading import Thread


def processors() -> int:
    """How many processors this process may use.

    Returns
    -------
    int
        At least 1; a job on a cluster, or ``taskset``, may have fewer than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def end_with_parent() -> None:
    """In a process that multiprocessing started: end when its parent does, even if it is killed."""
    Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""Processors and processes: how many there are to use, and that none outlives its parent."""

import multiprocessing
import os
from threading import Thread

_most: int | None = None


def processors() -> int:
    """How many processors this process may use.

    Returns
    -------
    int
        At least 1; a job on a cluster, or ``taskset``, may have fewer than the machine has.
    """
    if _most is not None:
        return _most
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def use_processors(most: int) -> None:
    """Use no more processors than these, in this process, from now on.

    Parameters
    ----------
    most : int
    """
    global _most  # noqa: PLW0603
    _most = most


def end_with_parent() -> None:
    """In a process that multiprocessing started: end when its parent does, even if it is killed."""
    Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

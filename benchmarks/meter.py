"""What a process on Linux can say of its own time and memory (used by the scripts that score)."""

import json
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")
_ENOUGH_SECONDS = 30.0


def memory() -> tuple[float, float]:
    """Resident memory now, and its peak since the last reset, in MB (10⁶ bytes)."""
    lines = dict(
        line.split(":", 1)
        for line in _STATUS.read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    now, peak = (int(lines[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))
    return now, peak


def measure(function: Callable[[], T], repeats: int) -> tuple[dict[str, float], T]:
    """Peak memory of the first call, and processor time of the calls after it.

    Parameters
    ----------
    function : callable
    repeats : int
        Calls to time after the first; fewer when they take longer than half a minute together.

    Returns
    -------
    figures : dict
        ``first_cpu_s``; ``added_mb``, the peak during the first call less what was resident
        before; with repeats ``cpu_s`` and ``wall_s``, medians.
    result
        What the last call returned.
    """
    with suppress(OSError):  # a container may forbid it: the peak then counts from the start
        _RESET.write_text("5", encoding="ascii")
    before, _ = memory()
    start = time.process_time()
    result = function()
    first = time.process_time() - start
    figures = {"first_cpu_s": first, "added_mb": memory()[1] - before}
    cpu: list[float] = []
    wall: list[float] = []
    while len(cpu) < repeats and sum(wall) < _ENOUGH_SECONDS:
        tick, start = time.perf_counter(), time.process_time()
        result = function()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - tick)
    if cpu:
        figures |= {"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall)}
    return figures, result


def report(**figures: object) -> None:
    """Print figures for the process that started this one."""
    print("FIGURES " + json.dumps(figures), flush=True)

"""Run one command and write down what it used: ``python -I launch.py FIGURES.json COMMAND …``.

A process of its own, and a small one: Linux counts the peak memory of a process from the moment
it was split off, when it still was its parent.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(figures: str, command: list[str]) -> int:
    """Run the command, write wall and processor seconds and peak memory, pass on its exit code."""
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    used = {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * 1024 / 1e6,
    }
    Path(figures).write_text(json.dumps(used), encoding="utf-8")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

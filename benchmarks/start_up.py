"""How long a user waits: for help, for the first run, for the next."""

import statistics
import tempfile
from pathlib import Path

from cases import demo_case
from processes import ATOMSIGHT, BenchmarkError, Used, has_command, run
from tables import Row, Tables

_RUNS = 7


def measure_start_up() -> Tables:
    """Wall time of ``atomsight --help``, and of the demo with empty and with filled caches.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    rows: dict[str, Row] = {}
    try:
        rows["atomsight --help"] = _row([run([*ATOMSIGHT, "--help"]) for _ in range(_RUNS)])
    except BenchmarkError:
        return {"start-up": {"atomsight --help": {"skipped": "there is no command line yet"}}}
    name = next((n for n in ("validate", "q") if has_command(n)), None)
    if name is None:
        return {"start-up": rows | {"demo": {"skipped": "there is no such command yet"}}}
    case = demo_case()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        command = [*ATOMSIGHT, name, str(case.model), str(case.map_), "-o", str(results)]
        first: list[Used] = []
        second: list[Used] = []
        for k in range(3):
            empty = {"NUMBA_CACHE_DIR": str(Path(folder) / f"cache{k}")}
            first.append(run(command, env=empty))
            second.append(run(command, env=empty))
    rows[f"demo, atomsight {name}, first run: kernels compiled"] = _row(first)
    rows[f"demo, atomsight {name}, second run"] = _row(second)
    return {"start-up, medians": rows}


def _row(runs: list[Used]) -> Row:
    return {
        "wall s": statistics.median(used.wall_s for used in runs),
        "CPU s": statistics.median(used.cpu_s for used in runs),
        "peak MB": statistics.median(used.peak_mb for used in runs),
    }

"""What the other scores and the verdict add to a validation of the demo."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import atomsight as ats
from cases import MADE, Case, demo_case
from fsc_q_speed import make_halves
from processes import ATOMSIGHT, run
from tables import Row, Tables

RUNS = 5
RESOLUTION = 3.2


def measure_scores() -> Tables:
    """Whole processes on the demo, and single functions.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    MADE.mkdir(parents=True, exist_ok=True)
    case = demo_case()
    with tempfile.TemporaryDirectory(dir=MADE) as name:
        folder = Path(name)
        halves = [str(path) for path in make_halves(ats.read_map(case.map_), folder)]
        files = [str(case.model), str(case.map_)]
        commands = {
            "atomsight q": ["q", *files],
            "atomsight validate --no-fit-b": ["validate", *files, "--no-fit-b"],
            "atomsight validate": ["validate", *files],
            "atomsight validate --half-maps": ["validate", *files, "--half-maps", *halves],
        }
        rows = {title: _process(command, folder / "results") for title, command in commands.items()}
    first = float(rows["atomsight q"]["wall s"])
    for row in rows.values():
        row["wall over that of q"] = float(row["wall s"]) / first
    return {"5NI1 in EMD-3488, whole processes": rows, "single functions": _functions(case)}


def _process(command: list[str], out: Path) -> Row:
    used = [run([*ATOMSIGHT, *command, "-o", str(out)]) for _ in range(RUNS)]
    return {
        "wall s": statistics.median(one.wall_s for one in used),
        "CPU s": statistics.median(one.cpu_s for one in used),
        "peak MB": statistics.median(one.peak_mb for one in used),
    }


def _functions(case: Case) -> dict[str, Row]:
    map_, model = ats.read_map(case.map_), ats.read_model(case.model)
    q = ats.q_score(map_, model).q
    everything = np.flatnonzero(model.heavy)
    calls: dict[str, Callable[[], object]] = {
        "fit_b_factors(), electron scattering": lambda: ats.fit_b_factors(
            map_, model, q, resolution=RESOLUTION
        ),
        "fit_b_factors(), Gaussians": lambda: ats.fit_b_factors(
            map_, model, q, resolution=RESOLUTION, form="gaussian"
        ),
        "correlation()": lambda: ats.correlation(map_, model, resolution=RESOLUTION),
        "atom_profile(), all atoms": lambda: ats.atom_profile(map_, model, everything),
        "atom_density()": lambda: ats.atom_density(map_, model),
        "percentiles()": lambda: ats.percentiles(0.55, RESOLUTION),
    }
    return {name: {"s": _median(call)} for name, call in calls.items()}


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])

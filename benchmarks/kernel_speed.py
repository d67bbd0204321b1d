"""How long the Q-score takes an atom, and what a second thread brings."""

import statistics
import time

import atomsight as ats
from cases import large_case
from tables import Tables

RUNS = 21


def measure_kernel() -> Tables:
    """`q_score` on 40,000 atoms, warm; one and two threads in turn, medians.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    case = large_case()
    model = ats.read_model(case.model)
    map_ = ats.read_map(case.map_, around=model.xyz)
    ats.q_score(map_, model, sigma=0.6, threads=1)
    wall: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(RUNS):
        for threads in (1, 2):
            tick, start = time.perf_counter(), time.process_time()
            ats.q_score(map_, model, sigma=0.6, threads=threads)
            cpu[threads].append(time.process_time() - start)
            wall[threads].append(time.perf_counter() - tick)
    rate = 1e6 / len(model)
    ratios = [one / two for one, two in zip(wall[1], wall[2], strict=True)]
    return {
        f"q_score(), {len(model):,} atoms, warm, median of {RUNS}": {
            "one thread": {
                "µs an atom": statistics.median(wall[1]) * rate,
                "CPU µs an atom": statistics.median(cpu[1]) * rate,
                "fastest": min(wall[1]) * rate,
                "speed-up": 1.0,
                "speed-up of fastest": 1.0,
            },
            "two threads": {
                "µs an atom": statistics.median(wall[2]) * rate,
                "CPU µs an atom": statistics.median(cpu[2]) * rate,
                "fastest": min(wall[2]) * rate,
                "speed-up": statistics.median(ratios),
                "speed-up of fastest": min(wall[1]) / min(wall[2]),
            },
        }
    }

"""How long the Q-score takes an atom, and what a second thread brings."""

import statistics
import time

import atomsight as ats
from cases import large_case
from tables import Row, Tables

RUNS = 21


def measure_kernel() -> Tables:
    """`q_score` on 40,000 atoms, warm; one and two threads in turn, medians.

    "Processors got" is processor time over wall time: well below the number of threads on a busy
    machine, where the speed-up says little.

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
    rows: dict[str, Row] = {
        name: {
            "µs an atom": statistics.median(wall[threads]) * rate,
            "CPU µs an atom": statistics.median(cpu[threads]) * rate,
            "processors got": sum(cpu[threads]) / sum(wall[threads]),
        }
        for threads, name in ((1, "one thread"), (2, "two threads"))
    }
    rows["two threads"] |= {
        "speed-up": statistics.median(ratios),
        "speed-up of fastest": min(wall[1]) / min(wall[2]),
    }
    return {f"q_score(), {len(model):,} atoms, warm, median of {RUNS}": rows}

"""Batches: what a second worker brings, what the machinery costs, and how it does with thousands.

Entries are pieces of the demo's map and model, moved and with noise. The last section takes
10,000 rows: ``python benchmarks/batch_speed.py --thousands 10``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from atomsight.batch.children import THREADS
from atomsight.batch.cluster import Local
from atomsight.batch.dataset import read_rows
from atomsight.batch.job import Settings
from atomsight.batch.manifest import read_manifest
from atomsight.batch.run import run_batch
from atomsight.outcome import Options
from cases import demo_case
from tables import Row, Tables

ENTRIES = 500
_RADIUS = 8.0
_TINY = 3.0
_MIB = 2**20


def measure_batch(entries: int = ENTRIES) -> Tables:
    """Score pieces with one worker and with two.

    Parameters
    ----------
    entries : int

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        manifest = crops(Path(name), entries, _RADIUS)
        for workers in (1, 2):
            folder = Path(name) / f"set{workers}"
            report = run_batch(manifest, Settings(folder), Local(workers=workers))
            rows[f"{workers} worker{'s' if workers > 1 else ''}"] = {
                "entries done": report.done,
                "seconds": report.seconds,
                "ms an entry": 1e3 * report.scoring / report.done,
                "machinery, ms an entry": 1e3
                * (report.seconds * workers - report.scoring)
                / entries,
            }
        one, two = rows.values()
        two["times one worker"] = float(one["seconds"]) / float(two["seconds"])
        alone = [_unhandled(manifest, count) for count in (1, 2)]
        rows["two processes, no machinery"] = {
            "ms an entry": alone[1],
            "times one worker": 2 * alone[0] / alone[1],
        }
    return {f"batch of {entries} entries of about 250 atoms": rows}


def measure_thousands(thousands: int) -> Tables:
    """Thousands of tiny entries: memory of the process that drives them, and going on.

    Parameters
    ----------
    thousands : int

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    me = psutil.Process()
    count = 1000 * thousands
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        manifest = _copies(crops(Path(name), 20, _TINY), count)
        settings = Settings(Path(name) / "set", Options(threads=1, fit_b=False), tables="entries")

        def watch(_what: str, done: int, _of: int) -> None:
            if done in (200, count // 10, count // 2, count):
                rows[f"after {done}"] = {"driver and scheduler, MiB": me.memory_info().rss / _MIB}

        report = run_batch(manifest, settings, Local(workers=2), progress=watch)
        rows["all"] = {"entries done": report.done, "seconds": report.seconds}
        start = time.perf_counter()
        again = run_batch(manifest, settings, Local(workers=2), resume=True)
        rows["going on"] = {"entries done": again.done, "seconds": time.perf_counter() - start}
        start = time.perf_counter()
        read_rows(settings.folder)
        rows["reading all rows"] = {"seconds": time.perf_counter() - start}
    return {f"batch of {count} tiny entries": rows}


def _unhandled(manifest: Path, processes: int) -> float:
    """Milliseconds an entry where processes do nothing but score side by side: what is possible."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _SCORING, str(manifest), str(manifest.with_name(f"alone{i}"))],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(THREADS, "1")},
        )
        for i in range(processes)
    ]
    return sum(float(one.communicate()[0]) for one in running) / processes


_SCORING = """
import sys, time
from pathlib import Path
from atomsight.batch.entry import entry_of
from atomsight.batch.job import Job, Settings
from atomsight.batch.manifest import read_manifest
from atomsight.batch.score import score
from atomsight.processes import use_processors
use_processors(1)
settings = Settings(Path(sys.argv[2]))
jobs = [Job(entry_of(row, settings.options), settings, "") for row in read_manifest(sys.argv[1])]
score(jobs[0], 1)
start = time.perf_counter()
for job in jobs[:200]:
    score(job, 1)
print(1e3 * (time.perf_counter() - start) / len(jobs[:200]))
"""


def crops(folder: Path, count: int, radius: float) -> Path:
    """Write pieces of the demo's model and map, and tell their manifest."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.support.crops import read_source, write_crops

    case = demo_case()
    return write_crops(read_source(case.model, case.map_), folder, count, radius=radius)


def _copies(manifest: Path, count: int) -> Path:
    """The same files over and over under other names."""
    path = manifest.with_name("many.csv")
    rows = read_manifest(manifest)
    with path.open("w", encoding="utf-8") as handle:
        handle.write("name,model,map,resolution\n")
        for i in range(count):
            cells = rows[i % len(rows)].cells
            handle.write(f"tiny{i},{cells['model']},{cells['map']},{cells['resolution']}\n")
    return path


if __name__ == "__main__":
    from rich.console import Console

    from tables import drawn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--thousands", type=int, default=0)
    asked = parser.parse_args()
    found = measure_thousands(asked.thousands) if asked.thousands else measure_batch(asked.entries)
    for title, table in found.items():
        Console(width=120).print(drawn(title, table))

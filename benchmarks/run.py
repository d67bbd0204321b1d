"""Measure, print tables, keep them as JSON: ``python benchmarks/run.py [kernel cctbx …]``.

On Linux, from a checkout with the demo's data (``make bench`` sees to both).
"""

import argparse
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console

from against_cctbx import compare_with_cctbx
from batch_sizes import measure_sizes
from batch_speed import measure_batch
from big_map import measure_memory
from fsc_q_speed import measure_fsc_q
from kernel_speed import measure_kernel
from machine import describe_machine
from page_speed import measure_page
from processes import BenchmarkError
from scores_speed import measure_scores
from start_up import measure_start_up
from tables import Tables, drawn

SECTIONS: dict[str, Callable[[], Tables]] = {
    "kernel": measure_kernel,
    "memory": measure_memory,
    "startup": measure_start_up,
    "fsc-q": measure_fsc_q,
    "scores": measure_scores,
    "page": measure_page,
    "batch": measure_batch,
    "sizes": measure_sizes,
    "cctbx": compare_with_cctbx,
}
RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Run the sections asked for (all when none is); a figure never makes this fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="|".join(SECTIONS), default=[])
    asked = parser.parse_args().sections
    unknown = sorted(set(asked) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    console = Console(width=None if Console().is_terminal else 120)
    now = datetime.now().astimezone()
    kept: dict[str, object] = {"date": now.isoformat(), "machine": describe_machine()}
    console.print(kept["machine"])
    for name, section in SECTIONS.items():
        if asked and name not in asked:
            continue
        console.print(f"{name} …")
        try:
            tables = section()
        except BenchmarkError as exc:
            tables = {name: {"failed": {"because": str(exc)[-300:]}}}
        kept[name] = tables
        for title, rows in tables.items():
            console.print(drawn(title, rows))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"kept in {file}")


if __name__ == "__main__":
    main()

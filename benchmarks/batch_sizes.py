"""What an entry costs by its size: processor time and memory, with half maps and without.

From these figures come the estimates of `atomsight batch plan` and the table of costs in the docs.
"""

import gzip
import shutil
import tempfile
from pathlib import Path

import gemmi
import numpy as np

from atomsight.batch.cluster import Local
from atomsight.batch.dataset import read_rows
from atomsight.batch.entry import entry_of
from atomsight.batch.estimate import estimate
from atomsight.batch.job import Settings
from atomsight.batch.manifest import read_manifest
from atomsight.batch.run import run_batch
from cases import Case, big_map_case, demo_case, large_case, page_case
from tables import Row, Tables

_ARCHIVE = 25_000


def measure_sizes() -> Tables:
    """Score entries of several sizes, one after the other, each on one processor.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = folder / "manifest.csv"
        lines = ["name,model,map,half_1,half_2,resolution"]
        for key, case, halves in _cases(folder):
            paths = ",".join(map(str, (case.model, case.map_, *(halves or ("", "")))))
            lines.append(f"{key},{paths},3.2")
        manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings = Settings(folder / "set")
        run_batch(manifest, settings, Local(workers=1))
        found = {row["entry"]: row for row in read_rows(settings.folder).iter_rows(named=True)}
        for row in read_manifest(manifest):
            said = found[row.name]
            if said["status"] != "done":
                rows[row.name] = {"failed": said["message"][:60]}
                continue
            guess = estimate(entry_of(row, settings.options))
            rows[row.name] = {
                "atoms": said["atoms"],
                "million voxels": said["voxels"] / 1e6,
                "seconds": said["seconds"],
                "estimated": guess.seconds,
                "peak MiB": said["peak_memory"] / 2**20,
                "estimated MiB": guess.memory / 2**20,
                "entries a core-hour": 3600 / said["seconds"],
                "core-hours for 25,000": _ARCHIVE * said["seconds"] / 3600,
            }
    return {"one entry on one processor, by size": rows}


def _cases(folder: Path) -> list[tuple[str, Case, tuple[Path, Path] | None]]:
    demo, page = demo_case(), page_case(folder)
    packed = Case("packed", page.model, folder / "page.mrc.gz")
    with page.map_.open("rb") as plain, gzip.open(packed.map_, "wb", compresslevel=4) as target:
        shutil.copyfileobj(plain, target)
    return [
        ("demo", demo, None),
        ("demo_halves", demo, _halves(demo, folder)),
        ("40k_300x300x100", large_case(), None),
        ("60k_300", page, None),
        ("60k_300_packed", packed, None),
        ("60k_300_halves", page, _halves(page, folder)),
        ("10k_600", big_map_case(folder), None),
    ]


def _halves(case: Case, folder: Path) -> tuple[Path, Path]:
    """The map with noise, and the map less the same noise: their mean is the map."""
    full = gemmi.read_ccp4_map(str(case.map_))
    values = np.array(full.grid.array)
    noise = np.random.default_rng(0).normal(scale=values.std() / 2, size=values.shape)
    paths = (folder / f"{case.map_.stem}_half1.mrc", folder / f"{case.map_.stem}_half2.mrc")
    for path, sign in zip(paths, (1, -1), strict=True):
        full.grid.array[:] = values + sign * noise
        full.write_ccp4_map(str(path))
    return paths


if __name__ == "__main__":
    from rich.console import Console

    from tables import drawn

    for title, table in measure_sizes().items():
        Console(width=160).print(drawn(title, table))

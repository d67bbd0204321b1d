"""FSC-Q: time a window, a whole run on 5NI1, and a 300³ map with 30,000 atoms."""

import statistics
import tempfile
import time
from pathlib import Path

import gemmi
import numpy as np

import atomsight as ats
from atomsight.density.map import Map
from cases import MADE, demo_case, large_case
from processes import ATOMSIGHT, run
from tables import Row, Tables

BOX = 20
POINTS = 2_000
RUNS = 5
ATOMS = 30_000
NOISE = 0.5


def measure_fsc_q() -> Tables:
    """Local resolution in one thread; `atomsight fsc-q` as a process on two cases.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    with tempfile.TemporaryDirectory(dir=_made()) as name:
        folder = Path(name)
        demo = demo_case()
        whole = ats.read_map(demo.map_)
        halves = make_halves(whole, folder)
        rows: dict[str, Row] = {
            "local_resolution(), one thread": _windows(whole, halves),
            "5NI1 in EMD-3488": _process(demo.model, demo.map_, halves, folder / "small"),
        }
        model, map_ = _large(folder)
        large = make_halves(ats.read_map(map_), folder)
        rows[f"{ATOMS:,} atoms in 300³ voxels"] = _process(model, map_, large, folder / "large")
    return {f"FSC-Q, window of {BOX} voxels, half maps with made-up noise": rows}


def _made() -> Path:
    MADE.mkdir(parents=True, exist_ok=True)
    return MADE


def make_halves(whole: Map, folder: Path) -> tuple[Path, Path]:
    """Two maps with independent noise of half the map's spread, 0 on average by construction.

    Parameters
    ----------
    whole : Map
    folder : Path

    Returns
    -------
    tuple of Path
    """
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(whole.values.shape, dtype=np.float32)
    noise *= np.float32(NOISE * whole.statistics.sd)
    paths = folder / "half1.mrc", folder / "half2.mrc"
    for sign, path in zip((1, -1), paths, strict=True):
        ats.write_map(whole.values + sign * noise, whole, path)
    return paths


def _windows(whole: Map, halves: tuple[Path, Path]) -> Row:
    first, second = (ats.read_map(path) for path in halves)
    rng = np.random.default_rng(0)
    voxels = rng.integers(BOX, whole.values.shape[0] - BOX, size=(POINTS, 3))
    wall, cpu = [], []
    for _ in range(RUNS + 1):
        start, tick = time.perf_counter(), time.process_time()
        ats.local_resolution(first, second, voxels, box=BOX, threads=1)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - tick)
    return {
        "ms a window and pair": statistics.median(wall[1:]) / POINTS * 1e3,
        "CPU ms a window and pair": statistics.median(cpu[1:]) / POINTS * 1e3,
    }


def _process(model: Path, map_: Path, halves: tuple[Path, Path], out: Path) -> Row:
    files = [str(path) for path in (model, map_, *halves)]
    used = run([*ATOMSIGHT, "fsc-q", *files, "--box", str(BOX), "-o", str(out)])
    return {"wall s": used.wall_s, "CPU s": used.cpu_s, "peak MB": used.peak_mb}


def _large(folder: Path) -> tuple[Path, Path]:
    """Three layers of the large case's map, and part of its model in the middle one."""
    case = large_case()
    layer = ats.read_map(case.map_)
    path = folder / "large.mrc"
    ats.write_map(np.concatenate([layer.values] * 3), layer, path)
    structure = gemmi.read_structure(str(case.model))
    lift = layer.values.shape[0] * layer.voxel_size[2]
    left = ATOMS
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.pos.z += lift
        kept = min(len(chain), max(0, left // 8))
        left -= sum(len(residue) for residue in chain[:kept])
        del chain[kept:]
    structure.remove_empty_chains()
    structure.make_mmcif_document().write_file(str(folder / "large.cif"))
    return folder / "large.cif", path

"""atomsight against the Q-score of cctbx-base: time, memory, and what comes out."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cases import ROOT, Case, demo_case, large_case
from processes import ATOMSIGHT, HERE, PYTHON, BenchmarkError, Used, has_command, run
from tables import Row, Tables

PINNED = ["cctbx-base==2025.11", "pandas==2.3.3"]  # cctbx's Q-score imports pandas
ENVIRONMENT = ROOT / ".cache" / "venv-cctbx"
SIGMA = 0.6
"""Å; fixed in cctbx, so that atomsight takes the same."""

PROBES = (8, 32)
"""8: the default of cctbx's function, and as many as atomsight must keep. 32: of its program."""

_REPEATS = 5


def compare_with_cctbx() -> Tables:
    """Score the demo and 40,000 atoms with both, each in processes of their own, one thread each.

    Function alone: files loaded, median of warm calls. Whole process: interpreter, imports,
    reading, one call. Memory: peak resident memory of the process (wait4); the same less what was
    resident after the imports; and what the function's first call added at its peak (VmHWM; for
    atomsight that holds some 60 MB of numba and compiled kernels, which the first call loads).

    Returns
    -------
    dict
        Table → row → column → figure; only a line that says so where cctbx-base cannot be had.
    """
    try:
        python = [str(_install())]
    except (BenchmarkError, OSError) as exc:
        return {"cctbx-base": {"not installed": {"because": str(exc)[-300:]}}}
    tables: Tables = {}
    for case in (demo_case(), large_case()):
        with tempfile.TemporaryDirectory() as folder:
            ours = _scored(PYTHON, "score_atomsight.py", case, SIGMA, Path(folder) / "ours.npz")
            for probes in PROBES:
                theirs = _scored(python, "score_cctbx.py", case, probes, Path(folder) / "cctbx.npz")
                rows = _rows(ours, theirs)
                rows |= _difference(Path(folder) / "ours.npz", Path(folder) / "cctbx.npz")
                tables[f"{PINNED[0]}, {probes} probes, {case.name}"] = rows
        if has_command("q"):
            tables[f"atomsight q with all its output files, {case.name}"] = _command_line(case)
    return tables


def _install() -> Path:
    """Python of the environment with cctbx-base, made if it is not there."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "installed.txt"
    wanted = "\n".join(PINNED)
    if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted):
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in ([sys.executable, "-m", "venv", str(ENVIRONMENT)], [*pip, *PINNED]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip()}")
        stamp.write_text(wanted, encoding="utf-8")
    return python


def _scored(
    python: list[str], script: str, case: Case, parameter: float, result: Path
) -> tuple[Used, Used]:
    """One process that times the function alone, and one that only reads and scores."""
    command = [*python, str(HERE / script), str(case.model), str(case.map_), str(parameter)]
    repeated = run([*command, str(_REPEATS), str(result)])
    once = sorted(
        (run([*command, "0", str(result)]) for _ in range(3)), key=lambda used: used.cpu_s
    )
    return repeated, once[1]


def _rows(ours: tuple[Used, Used], theirs: tuple[Used, Used]) -> dict[str, Row]:
    def row(a: float, b: float) -> Row:
        return {"atomsight": a, "cctbx": b, "cctbx / atomsight": b / a if a > 0 else float("nan")}

    (alone, whole), (alone_c, whole_c) = ours, theirs
    f, f_c, w, w_c = alone.figures, alone_c.figures, whole.figures, whole_c.figures
    atoms = f["atoms"] / 1e6
    return {
        "function, CPU µs an atom": row(f["cpu_s"] / atoms, f_c["cpu_s"] / atoms),
        "function, CPU s": row(f["cpu_s"], f_c["cpu_s"]),
        "process, CPU s": row(whole.cpu_s, whole_c.cpu_s),
        "process, wall s": row(whole.wall_s, whole_c.wall_s),
        "process less imports, CPU s": row(
            whole.cpu_s - w["import_cpu_s"], whole_c.cpu_s - w_c["import_cpu_s"]
        ),
        "process, peak MB": row(whole.peak_mb, whole_c.peak_mb),
        "process less imports, peak MB": row(
            whole.peak_mb - w["imported_mb"], whole_c.peak_mb - w_c["imported_mb"]
        ),
        "function, MB added at its peak": row(w["added_mb"], w_c["added_mb"]),
    }


def _difference(ours: Path, theirs: Path) -> dict[str, Row]:
    """Compare the Q of the same atoms, found by their positions."""
    with np.load(ours) as a, np.load(theirs) as b:
        q = {
            tuple(place): value
            for place, value in zip(np.rint(a["xyz"] * 1e3), a["q"], strict=True)
        }
        there = [tuple(place) for place in np.rint(b["xyz"] * 1e3)]
        pairs = np.array([(q[p], v) for p, v in zip(there, b["q"], strict=True) if p in q])
    mean, mean_c = pairs.mean(axis=0)
    away = np.abs(pairs[:, 0] - pairs[:, 1])
    return {
        "mean Q": {"atomsight": mean, "cctbx": mean_c, "cctbx / atomsight": mean_c / mean},
        "|difference of Q|, mean over atoms": {"of both": float(away.mean())},
        "|difference of Q|, largest": {"of both": float(away.max())},
        "correlation of Q": {"of both": float(np.corrcoef(pairs.T)[0, 1])},
        "atoms compared": {"of both": float(len(pairs))},
    }


def _command_line(case: Case) -> dict[str, Row]:
    command = [*ATOMSIGHT, "q", str(case.model), str(case.map_), "--sigma", str(SIGMA)]
    used = [run([*command, "--threads", "1", "-o", "results"]) for _ in range(3)]
    return {
        "process": {
            "CPU s": statistics.median(u.cpu_s for u in used),
            "wall s": statistics.median(u.wall_s for u in used),
            "peak MB": statistics.median(u.peak_mb for u in used),
        }
    }

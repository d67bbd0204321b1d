"""Peak memory of a whole process that scores 10,000 atoms in a map of 864 MB."""

import tempfile
from pathlib import Path

from cases import BIG_ATOMS, BIG_EDGE, MADE, big_map_case
from processes import ATOMSIGHT, HERE, PYTHON, Used, has_command, run
from tables import Row, Tables


def measure_memory() -> Tables:
    """Make the map in a temporary folder, score, measure and delete it.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    MADE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=MADE) as name:
        folder = Path(name)
        case = big_map_case(folder)
        size = case.map_.stat().st_size / 1e6
        files = [str(case.model), str(case.map_)]
        rows: dict[str, Row] = {}
        if has_command("q"):
            used = run([*ATOMSIGHT, "q", *files, "-o", str(folder / "results")])
            rows["atomsight q MODEL MAP -o DIR"] = _row(used)
        else:
            rows["atomsight q MODEL MAP -o DIR"] = {"skipped": "there is no such command yet"}
        script = [*PYTHON, str(HERE / "score_atomsight.py"), *files, "0.4", "0"]
        rows["read_model, read_map, q_score"] = _row(run([*script, str(folder / "q.npz")]))
    title = f"{BIG_ATOMS:,} atoms in {BIG_EDGE}³ voxels of float32 ({size:.0f} MB)"
    return {title: rows}


def _row(used: Used) -> Row:
    row: Row = {
        "peak MB": used.peak_mb,
        "wall s": used.wall_s,
        "CPU s": used.cpu_s,
    }
    if "imported_mb" in used.figures:
        row["peak less imports MB"] = used.peak_mb - used.figures["imported_mb"]
    return row

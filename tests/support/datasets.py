"""Data sets with made-up rows, as a batch writes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atomsight.archive.expected import expected_q
from atomsight.batch.dataset import RESIDUES, ROWS, write_table
from atomsight.batch.schema import RESIDUES as RESIDUE_COLUMNS
from atomsight.batch.schema import row_of, table_of


def add_entry(folder: Path, name: str, **values: object) -> Path:
    """A row of an entry that is done, unless it says otherwise."""
    row = {"entry": name, "status": "done", "sigma": 0.4, "in_map": True, "seconds": 1.0, **values}
    return write_table(row_of(row), folder, ROWS, name)


def add_failure(folder: Path, name: str, step: str, message: str) -> Path:
    """A row of an entry that failed."""
    values = {"status": "failed", "step": step, "error": "MapFileError", "message": message}
    return add_entry(folder, name, sigma=None, in_map=None, **values)


def expected(resolution: float) -> dict[str, float]:
    """What a row says of the expected Q at a resolution."""
    found, _ = expected_q(resolution, 0.4)
    return {
        "resolution": resolution,
        "expected_q": found.peak,
        "expected_low": found.low,
        "expected_high": found.high,
    }


def add_residues(folder: Path, name: str, q: Sequence[float], **columns: Sequence) -> Path:
    """Residues of an entry: chain A, numbers from 1, alanine of a protein, unless they say else."""
    count = len(q)
    keys = {
        **{key: np.repeat("A", count) for key in ("chain", "label_asym")},
        "number": np.arange(1, count + 1),
        "icode": np.repeat("", count),
        "residue": np.repeat("ALA", count),
        "class": np.repeat("protein", count),
    }
    given = {key: np.array(values) for key, values in columns.items()}
    table = table_of(name, {**keys, "q": np.array(q, dtype=float), **given}, RESIDUE_COLUMNS)
    return write_table(table, folder, RESIDUES, name)


def add_archive(folder: Path, count: int, seed: int = 0) -> None:
    """Entries on a cubic of their own with noise, enough of them for a model of the archive."""
    rng = np.random.default_rng(seed)
    for i, d in enumerate(np.round(rng.uniform(2.0, 6.0, count), 1).tolist()):
        q = 1.2 - 0.3 * d + 0.02 * d**2 + float(rng.normal(0, 0.03))
        add_entry(
            folder,
            f"e{i:03d}",
            **expected(d),
            q=round(q, 4),
            inclusion=float(rng.uniform(0.5, 1.0)),
            cc=float(rng.uniform(0.71, 0.9)),
            created=f"2026-11-{1 + i % 20:02d}T12:00:00+00:00",
        )
